"""The kind "photograph" of ``rec.vae`` in plain Python and numpy, written from ``spec/codecs/rec.md``."""

from itertools import pairwise

import entropy
import exact
import numpy as np
import rec

REACH, CELLS = 32767, 511


class Photograph:
    """A model at a quality."""

    def __init__(self, config, tensors, settings):
        groups = config.get("groups")
        fits = type(groups) is list and 1 <= len(groups) <= 8 and all(type(a) is int and 1 <= a <= 192 for a in groups)
        exact.check(fits and all(a < b for a, b in pairwise(groups)), "other groups")
        self.latents, self.components = groups[-1], rec.whole(config, "components", range(1, 9))
        self.basis = rec.tensor(tensors, "basis", (8, 24), -8192, 8192)
        self.colours = rec.tensor(tensors, "colours", (3, 3), -8192, 8192)
        self.places = rec.tensor(tensors, "places", (self.latents, 3), 0, 7)
        other = len({tuple(place) for place in self.places.tolist()}) < self.latents or self.places[:, 0].max() > 2
        exact.check(not other, "other places")
        spacings = rec.tensor(tensors, "spacings", (None,), 1, 16384)
        exact.check(1 <= len(spacings) <= 64, "no quality, or too many")
        levels = rec.tensor(tensors, "levels", (len(spacings),), -1024, 1024)
        quality = settings.get("quality", 0)
        if type(quality) is not int or not 0 <= quality <= len(spacings):
            raise entropy.Corrupt("a quality that the model does not have")
        self.spacing, self.level = int(spacings[quality - 1]), int(levels[quality - 1])
        search = settings.get("search", True)
        if type(search) is not bool:
            raise entropy.Corrupt("a search that is neither true nor false")
        self.shifted = not search
        self.refine = rec.network_of(tensors, "refine", 13, (-4096, 4096), 12, -2048, 2048)
        self.groups, width, before = [], 1, 0
        for g, (start, end) in enumerate(pairwise([0, *groups])):
            m, trunk = end - start, None
            if g:
                out = exact.Network(tensors, f"trunk.{g}").outputs
                trunk = rec.network_of(tensors, f"trunk.{g}", width + 2 * before, (-REACH, REACH), out, 0, REACH)
                width = out
                nets = [self.prior(tensors, f"prior.{g}.{i}", width + 1 + 2 * m * i, m) for i in range(2)]
            else:
                nets = [self.prior(tensors, f"first.{i}", 2 * m + 1, m) for i in range(5)]
            self.groups.append((start, end, trunk, nets))
            before = m

    def prior(self, tensors, name, inputs, m):
        count = m * self.components
        low, high = (np.repeat(ends, count) for ends in ([-4096, -(1 << 18), -384], [4096, 1 << 18, 640]))
        return rec.network_of(tensors, name, inputs, (-REACH, REACH), 3 * count, low, high)

    def latents_of(self, message, rows, columns):
        u = np.zeros((rows, columns, self.latents), int)
        if self.shifted:
            i = np.arange(u.size)
            words = np.stack(np.broadcast_arrays(*rec.philox((i // 16).astype(np.uint64), 0, 0, 6)))
            u[:] = ((words[i // 4 % 4, i] >> (8 * (i % 4)).astype(np.uint64) & 255).astype(int) - 128).reshape(u.shape)
        y, z = np.zeros_like(u), np.zeros_like(u)
        level = np.full((rows, columns, 1), self.level)

        def seen(start, end):
            parts = np.clip(y >> 2, -REACH, REACH), (logarithms(128 + abs(y)) >> 8) - 1792
            return np.concatenate([part[..., start:end] for part in parts], -1)

        trunk, before = level, 0
        for start, end, network, nets in self.groups:
            trunk = network(np.concatenate([trunk, seen(before, start)], -1)) if network else trunk
            for step, (side, phases) in enumerate(rec.LATER if network else rec.FIRST):
                given = [trunk, level, seen(start, end)][: 2 + step] if network else [seen(start, end), level]
                out = nets[step](np.concatenate(given, -1)).reshape(rows, columns, 3, self.components, end - start)
                at = [
                    (a, b, n)
                    for r, c in phases
                    for a in range(r, rows, side)
                    for b in range(c, columns, side)
                    for n in range(end - start)
                ]
                self.pop(message, at, out, start, u, y, z)
            before = start
        return z

    def code(self, w, means, scales, offs):
        moved = [[m - off + CELLS * 256 for m in row] for row, off in zip(means, offs, strict=True)]
        return entropy.logistic_mixture(len(w), 2 * CELLS + 1, 22, w, moved, scales)

    def pop(self, message, at, out, start, u, y, z):
        """The latents of a step."""
        logits, means, scales = ([[int(v) for v in out[a, b, kind, :, n]] for a, b, n in at] for kind in range(3))
        offs = [int(u[a, b, start + n]) for a, b, n in at]
        w = [entropy.weights(x) for x in logits]
        if self.shifted:
            still = self.code(w, means, scales, [0] * len(at))
            counts = np.array([still.cdf(i, CELLS + 1) - still.cdf(i, CELLS) for i in range(len(at))], int)
            sent = ((22 << 16) - logarithms(counts) > 6554).tolist()
        else:
            sent = [True] * len(at)
        offs = [off if there else 0 for off, there in zip(offs, sent, strict=True)]
        chosen = [i for i, there in enumerate(sent) if there]
        numbers, part = [], (1 << 14) - 1
        for i in range(0, len(chosen), part):
            some = [[x[j] for j in chosen[i : i + part]] for x in (w, means, scales, offs)]
            numbers += self.code(*some).pop(message)
        numbers = iter(numbers)
        found = [next(numbers) if there else CELLS for there in sent]
        for (a, b, n), x, off, weights, mean, scale in zip(at, found, offs, w, means, scales, strict=True):
            k = x - CELLS
            h = [0] * 8
            for wc, m, s in zip(weights, mean, scale, strict=True):
                f = [
                    entropy.standard_cdf("DiscretizedLogistic", 8 * k - 4 + j, 8 * (m - off) - 128, s + 192)
                    for j in range(9)
                ]
                h = [old + wc * (f[j + 1] - f[j]) for j, old in enumerate(h)]
            held = sum(h)
            e = (16 * sum(v * (2 * j - 7) for j, v in enumerate(h)) + held // 2) // held if held else 0
            y[a, b, start + n] = 256 * k + off
            z[a, b, start + n] = min(max((256 * k + off + e) * self.spacing >> 8, -REACH), REACH)

    def image(self, z):
        up, across = 1 - 2 * (self.places[:, 1:].T & 1)
        z = np.concatenate([up * z[:1], z, up * z[-1:]], 0)
        z = np.concatenate([across * z[:, :1], z, across * z[:, -1:]], 1)
        rows, columns, _ = z.shape
        whole = np.zeros((rows, columns, 3, 8, 8), int)
        for (x, a, b), one in zip(self.places.tolist(), np.moveaxis(z, -1, 0), strict=True):
            whole[:, :, x, a, b] = one
        thirds = [self.basis[:, 8 - 8 * d : 16 - 8 * d] for d in (-1, 0, 1)]
        x = sum(
            np.einsum("rcxab,ai->ricxb", whole[1 + d : rows - 1 + d], t)
            for d, t in zip((-1, 0, 1), thirds, strict=True)
        )
        x = (x >> 9).reshape(8 * (rows - 2), columns, 3, 8)
        y = sum(
            np.einsum("hcxb,bj->hcjx", x[:, 1 + d : columns - 1 + d], t)
            for d, t in zip((-1, 0, 1), thirds, strict=True)
        )
        y = (y >> 13).reshape(8 * (rows - 2), 8 * (columns - 2), 3)
        base = y @ self.colours >> 17
        inputs = rec.squares(np.clip(base, -4096, 4096), 2)
        out = self.refine(np.concatenate([inputs, np.full((*inputs.shape[:2], 1), 4 * self.level)], -1))
        return np.clip((base + rec.unsquared(out, 2) + 8 >> 4) + 128, 0, 255)


def logarithms(x):
    """log2 of positive integers, in units of 2^-16."""
    e = np.array([int(v).bit_length() - 1 for v in x.reshape(-1)], int).reshape(x.shape)
    mantissa, t = (x << 24 - e) - (1 << 24), np.array(entropy.table("log2_mantissa"))
    i = mantissa >> 16
    return (e << 16) + t[i] + ((t[i + 1] - t[i]) * (mantissa & 0xFFFF) >> 16)
