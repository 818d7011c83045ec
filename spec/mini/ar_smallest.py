"""The level smallest of ``ar.image`` in plain Python, written from the text of ``spec/codecs/ar-smallest.md``."""

import itertools
import math
from collections import defaultdict

import entropy
from arrays import clamp, dot, hashed, log2, logistic, step, stretch

GROWTH = 0.4, 0.8, 1.2, 1.6, 2.2, 3.0, 4.0, 5.6, 8.0, 11.2, 16.0, 22.4, 32.0, 44.8
ONE = 1 << 22


def logistics(weights, means, log_scales):
    """Of each logistic of a mixture the share, the mean and the inverse scale, in grey levels."""
    exp2, parts = entropy.table("exp2_negative"), []
    for w, mean, log_scale in zip(weights, means, log_scales, strict=True):
        inverse = math.ldexp(exp2[64 - (-log_scale & 63)], (-log_scale >> 6) - 15)
        parts.append((w / 65536, mean / 256, inverse))
    return parts


class Decisions:
    """State of the decisions of a plane. `marks` are those of the planes at hand in the image at hand, the own ones first."""

    def __init__(self, message, values, second):
        self.message, self.hashes = message, 1 << clamp((16 * values).bit_length(), 10, 22)
        self.counters = defaultdict(lambda: (1 << 21, 0))
        usual = [[[0.6] + [0.4 / 3] * 3 + [0.02] * 19 + [0.0]] * 3] * 8, [[1 / 8] * 8] * 3
        begin, last = second.panel if second else usual
        self.direct, self.uses, self.sets, self.finals = 15 if second else 11, defaultdict(float), {}, {}
        self.pace = (0.002, 0.02, 0.0005) if second else (0.006, 0.04, 0.002)
        self.begin = lambda k, phase: list(map(float, begin[k][phase]))
        self.last = lambda phase: list(map(float, last[phase]))

    def value(self, top, heard, place, planes):
        """Decode one; `heard` is of each description the mixture, scale, expectation, guesses and misses, `place` is (row, column).

        Of each plane at hand `planes` has the windows around it of values and errors.
        """
        mixtures, square = [logistics(*mixture) for mixture, *_ in heard], 0.0
        middles = [sum((share * mean for share, mean, _ in parts), 0.0) for parts in mixtures]
        middle = middles[0] if len(heard) == 1 else 0.5 * (middles[0] + middles[1])
        for share, mean, inverse in itertools.chain(*mixtures):
            square += share * (3.29 * ((1 / inverse) * (1 / inverse)) + (mean - middle) * (mean - middle))
        self.middle, self.spread = middle, max(math.sqrt(square / len(heard)) / 1.814, 0.15)
        self.kinds = mixtures
        for _, s, m, guesses, misses in heard:
            for mean, error in zip(map(float, (*guesses, m)), map(float, (*misses, s)), strict=True):
                self.kinds.append([(1.0, mean, 1 / max(0.35 * error + 0.35 * self.spread, 0.08))])
        code = clamp(math.floor(middle + 0.5), 1, top)
        x, e = ([[[float(a) for a in row] for row in plane[i]] for plane in planes] for i in (0, 1))
        self.recognise([[[int(a) for a in row] for row in plane] for plane in x])
        self.consider(code, place, [*map(float, heard[0][3])], x[0], e)
        value = self.descend(code, top)
        r, c = (a + 4 for a in place)
        self.marks[0][r][c] = step((value - middle) / self.spread, 0.6, 1.8)
        return value

    def consider(self, code, place, guesses, x, e):
        middle, spread, (r, c), seen = self.middle, self.spread, place, len(e) - 1

        def mark(plane, row, column):
            return int(self.marks[plane][r + 4 + row][c + 4 + column]) if plane <= seen else 2

        w, n, ne, nw, ww = (mark(0, *p) for p in ((0, -1), (-1, 0), (-1, 1), (-1, -1), (0, -2)))
        here, right, below, earlier = mark(1, 0, 0), mark(1, 0, 1), mark(1, 1, 0), mark(2, 0, 0)
        size = clamp(math.floor(log2(spread * 8) * 2), 0, 23)
        fine = clamp(math.floor((middle - (code - 0.5)) * 4), 0, 3) if spread < 2 else 0
        last = 0.5 * (abs(e[0][4][3]) + abs(e[0][3][4]))
        trend = (last > 0.8 * spread) + (last > 2 * spread)
        around = x[4][3], x[3][4], x[3][5], x[3][3], x[4][2]
        side = sum((a > middle) << i for i, a in enumerate(around))
        at_w, at_n = (step((a - middle) / spread, 0.7, 2) for a in around[:2])
        short, long = (step((a - middle) / spread, 0.15, 0.5) for a in guesses[:2])
        off = abs(e[1][4][4]) / spread if seen else 1.5
        large = sum(off > a for a in (0.5, 1, 2, 4))
        self.contexts = [4 * size + fine, 4 * side + fine, 25 * trend + 5 * w + n, 5 * ne + here, 5 * short + long]
        self.contexts += [4 * (size // 2) + 2 * (r % 2) + c % 2, 25 * here + 5 * right + below]
        self.contexts += [25 * trend + 5 * at_w + at_n, 25 * large + 5 * here + earlier, 5 * size + short]
        self.contexts += [25 * fine + 5 * nw + ww]
        self.short, self.here, self.trend = short, here, trend
        self.chosen = [self.contexts[0], side, 25 * w + 5 * n + short, 25 * here + 5 * right + large, 5 * at_w + at_n]

    def recognise(self, x):
        own = x[0]
        w, n, nw, ne, ww, nn = own[4][3], own[3][4], own[3][3], own[3][5], own[4][2], own[2][4]
        around = hashed(hashed(hashed(w, n), nw), ne)
        if len(x) == 1:
            self.keys = [(0, 0), (hashed(w, 1), 0), (hashed(hashed(w, n), 2), 0), (hashed(w - n, 3), w)]
            self.keys += [(hashed(hashed(hashed(w, n), nw), 4), 0), (hashed(hashed(hashed(around, ww), nn), 5), 0)]
            self.keys += [(hashed(n, 6), 0), (hashed(hashed(n - nw, ne - n), 7), w)]
            return
        h, left, up = x[1][4][4], x[1][4][3], x[1][3][4]
        o, u = (x[2][4][4], x[2][4][4] - x[2][4][3]) if len(x) > 2 else (h, 0)
        self.keys = [(0, 0), (hashed(o - h, 1), h), (hashed(hashed(h, o), 2), 0)]
        self.keys += [(hashed(hashed(h - left, u), 3), w), (hashed(hashed(w - left, n - up), 4), h)]
        self.keys += [(hashed(hashed(w - left, o - h), 5), h), (hashed(h, 6), 0), (hashed(hashed(around, h), 7), 0)]

    def descend(self, code, top):
        middle, spread, lo, hi, t = self.middle, self.spread, 0, top + 1, code
        phase, d, j, path, depth = 0, 1, 0, 1, 0
        self.within = [[1.0, 0.0] for _ in self.kinds]
        while hi - lo > 1:
            node = 0
            if phase == 1:
                if j < 14:
                    u = math.floor(middle + d * (GROWTH[j] * spread) + 0.5)
                    t = max(u + 1, lo + 1) if d > 0 else min(u, hi - 1)
                else:
                    far = (math.floor(spread) + 8) << min(j - 14, 16)
                    t = min(lo + far, hi - 1) if d > 0 else max(hi - far, lo + 1)
                if t >= hi or t <= lo:
                    phase = 2
                    continue
                node = 1 + min(j, 14)
            elif phase == 2:
                t = (lo + hi) // 2
                node = 16 + 8 * min(j, 14) + (path if depth < 3 else 0)
            yes = self.ask(t, lo, d, phase, node + (136 if d < 0 else 0))
            if yes == (d > 0):
                lo = t
            else:
                hi = t
            if phase == 0:
                phase, d = 1, 1 if yes else -1
            elif phase == 2:
                path, depth = 2 * path + yes, depth + 1
            elif yes:
                j += 1
            else:
                phase = 2
        return lo

    def ask(self, t, lo, d, phase, node):
        inputs, masses = [], []
        for parts, (inside, beyond) in zip(self.kinds, self.within, strict=True):
            r = 0.0
            for share, mean, inverse in parts:
                r += share * logistic(((mean - (t - 0.5)) * inverse) * d)
            r = min(max(r, beyond), inside)
            odds = log2(r - beyond + 1e-9) - log2(inside - r + 1e-9)
            inputs.append(clamp(odds * 0.693147180559945, -12.0, 12.0))
            masses.append(r)
        places = [(i, node, context) for i, context in enumerate([*self.contexts, *self.agreed(*inputs[:2])])]
        for key, base in self.keys:
            y = lo - base if phase == 2 else -phase - (1 << 20)
            places.append(hashed(hashed(key, t - base), y) & self.hashes - 1)
        known = [sum(self.counters[place][1] >= a for a in (1, 3, 8, 30)) for place in places[self.direct :]]
        chosen = [*self.chosen, *(25 * known[a] + 5 * known[b] + known[c] for a, b, c in ((2, 5, 1), (3, 4, 7)))]
        found = [(node,), *((k, c, phase) for k, c in enumerate(chosen, 1))]
        for k, number in enumerate(found):
            if number not in self.sets:
                self.sets[number] = self.begin(k, phase)
        if node not in self.finals:
            self.finals[node] = self.last(phase)
        yes = self.settle(node, places, found, inputs)
        for within, r in zip(self.within, masses, strict=True):
            if phase == 0 and not yes:
                within[0] = 1.0 - r
            else:
                within[0 if yes else 1] = r
        return yes

    def agreed(self, a, b):
        """The contexts of what two mixtures say, if there are two."""
        if self.direct == 11:
            return []
        one, two, both = (clamp(math.floor(v * 2.5 + 12.5), 0, 24) for v in (a, b, 0.5 * (a + b)))
        return 5 * one + step(b - a, 0.15, 0.5), 5 * two + self.short, 5 * two + self.here, 5 * both + self.trend

    def settle(self, node, places, chosen, inputs):
        for place in places:
            p, n = self.counters[place]
            inputs.append(stretch(((p >> 10) + 0.5) / 4096) * (n / (n + 1.5)))
        inputs.append(0.25)
        final, z = self.finals[node], 0.0
        said = [clamp(dot(self.sets[k], inputs), -14.0, 14.0) for k in chosen]
        for weight, a in zip(final, said, strict=True):
            z += weight * a
        limit = clamp(math.floor(logistic(z) * ONE), 16, ONE - 16)
        yes = self.message.pop(22, lambda c: (1, 0, limit) if c < limit else (0, limit, ONE - limit))
        slow, fast, last = self.pace
        miss = (yes - logistic(z)) * last
        for k, (number, a) in enumerate(zip(chosen, said, strict=True)):
            final[k] += miss * a
            self.uses[number] += 1.0
            rate = (yes - logistic(a)) * (slow + fast / (1.0 + self.uses[number] * 0.02))
            self.sets[number] = [w + y * rate for w, y in zip(self.sets[number], inputs, strict=True)]
        for place, most in zip(places, [400] * self.direct + [250] * 8, strict=True):
            p, n = self.counters[place]
            p += (yes * (ONE - 1) - p) * int(65536 / (n + 1.6)) >> 16
            self.counters[place] = p, n + (n < most)
        return yes
