"""The second opinion of ``ar.image`` in plain Python and numpy, written from the text of ``spec/codecs/ar-smallest.md``."""

import ar
import exact
import numpy as np

REAL = np.float32


def window(found):
    """The index of places in a window of nine rows and columns."""
    return tuple(np.array(found).T + 4)


def nearest(reach, past):
    near = range(-reach, reach + 1)
    found = [(r, c) for r in near for c in near if not past or (r, c) < (0, 0)]
    return sorted(found, key=lambda p: (p[0] ** 2 + p[1] ** 2, p))


PAST, BOTH = nearest(4, True), nearest(2, False)
STEPS, STEPS_BOTH = ([p for p in found if p != (0, -1)] for found in (PAST, BOTH))
OWN, OWN_ALONE = window(STEPS[:19]), window(STEPS[:31])
SEEN = window(STEPS_BOTH[:12]), window(STEPS_BOTH[:8])
ERRORS, VALUES, AROUND = window(PAST[:20]), window(PAST[:36]), window(BOTH[:13])
OTHERS = window(BOTH[1:13]), window(BOTH[1:9])  # beside, beyond
SIZES = (31, 76), (31, 103), (39, 125)


class Second:
    """What a plane has beside the rest, in all images: a network, and what decisions begin with."""

    def __init__(self, config, part, role):
        self.config, self.prior, layers, self.panel = config["wide"], *part
        self.role, self.network = role, ar.Network(layers, *self.config["rates"])

    def begin(self, plane, before, top):
        """Begin with an image; `plane` and `before` are values, which are shared, and errors of this description."""
        self.sums, self.uses, self.top = np.full(81, 12, REAL), np.full(81, 16, REAL), top
        lists = OWN if before else OWN_ALONE, SEEN
        self.walk = ar.walk_plane(self.config, self.prior, plane, before, top, lists, self.blend)

    def blend(self, guesses, misses):
        guesses, misses = ([*a, *b] for a, b in zip(self.first, (guesses, misses), strict=True))
        shares = [1 / (a * a) for a in misses]
        found = [a * b for a, b in zip(shares, guesses, strict=True)]
        return ar.total(found[1:], found[0]) / ar.total(shares[1:], shares[0])

    def hear(self, guesses, misses, value):
        """What is heard of a value, by what the first description has; `value` is the one before, or None."""
        self.first = guesses, misses
        self.told = self.walk.send(value)
        r, c, _, s, m, guesses, misses, _ = self.told
        self.mixture = ar.mixture_of(self.network(self.features() / 32, 2 * (r % 2) + c % 2), s, m)
        return self.mixture, s, m, guesses, misses

    def classes(self):
        r, c = self.told[:2]
        return 8 * (r % 8) + c % 8, 64 + 4 * (r % 4) + c % 4, 80

    def features(self):
        r, c, ((x, e), *seen), s, m, guesses, misses, recent = self.told
        top, g, z = self.top, 32 / s, recent[2] + 1 / 16
        every = [*self.first[0], *guesses]
        more = [*(a - m for a in every), recent[1] / z * 4, m, top - m, *(other[ar.MIDDLE] for _, other in seen[:1])]
        steps = [a[where] - a[ar.MIDDLE] for (a, _), where in zip(seen, OTHERS, strict=False)]
        found = [*ar.compress(np.concatenate([e[ERRORS], x[VALUES] - m, more, *steps]) * g), ar.ratio(s, 1, 3)]
        found += [ar.ratio(a, s, 1) for a in (*self.first[1], *misses)]
        found += [ar.ratio(a, s) for a in ar.roughness(x, e, recent, ERRORS)]
        found += [np.floor(m * 127 / top), 4 * min(r, 31), 4 * min(c, 31)]
        usual, *often = (ar.log2(self.sums[i] / self.uses[i]) for i in self.classes()[::-1])
        found += [min(max(a - usual, -127), 127) for a in often[::-1]]
        for _, other in seen:
            a = ar.total(np.abs(other[AROUND])) / 16 + 1 / 32
            found += [*ar.compress(other[AROUND] * (32 / a)), ar.ratio(a, s)]
        return np.array(found, REAL)

    def learn(self, value):
        s, m = self.told[3:5]
        if self.config["rates"][0]:
            self.network.learn(ar.gradient(value, self.top, float(s), *self.mixture))
        for i in self.classes():
            self.sums[i] += np.abs(value - m) / s
            self.uses[i] += 1


def read(config, tensors, channels):
    """Of each plane prior, layers, and what decisions begin with, (weights, finals)."""
    wide = config["wide"]
    exact.check(type(wide) is dict, "a second opinion that is no mapping")
    parts = ar.read_planes("wide", wide, tensors, SIZES[:channels])
    panels = []
    for i in range(channels):
        panel = tensors.get(f"wide{i}.panel", np.zeros(0))
        exact.check(panel.dtype == "<i4" and panel.shape == (792,), "weights of decisions of another kind or size")
        panels.append((panel[:768].reshape(8, 3, 32) / 65536, panel[768:].reshape(3, 8) / 65536))
    return [(*part, panel) for part, panel in zip(parts, panels, strict=True)]
