"""The fast level of ``ar.image`` in plain Python and numpy, written from the text of ``spec/codecs/ar-fast.md``."""

import math
from itertools import product

import numpy as np
from arrays import Bytes, require
from entropy import Bits, Message, table

REAL, TINY = np.float32, np.float32(1e-20)
W, N, NW, NE, WW, NN, NNE = (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1)
HERE, EAST, SOUTH, SE, SW = (0, 0), (0, 1), (1, 0), (1, 1), (1, -1)
MORE = [(-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0), (-2, -2), (-2, 2)]
REGRESSORS = (
    [[N, NW, NE, WW, NN, NNE, *MORE]],
    [[N, NW, NE, WW, NN, NNE], [HERE, N, NW, NE, EAST, SOUTH, SW, SE]],
    [[N, NW, NE, WW, NN], [HERE, N, NE, EAST, SOUTH, NW], [HERE, N, EAST, SOUTH]],
)
NEAR = [W, N, NW, NE, WW, NN]
ERRORS = (
    [[*NEAR, NNE, *MORE[:3]]],
    [[*NEAR, NNE], [HERE, EAST, SOUTH, W, N, SE, SW]],
    [NEAR, [HERE, EAST, SOUTH, W, N], [HERE, EAST, SOUTH]],
)
OTHERS, FADES = (2, 7, 6), (215 / 256, 252 / 256)


def lane_sum(a):
    """Of sixteen numbers."""
    while len(a) > 1:
        a = a[: len(a) // 2] + a[len(a) // 2 :]
    return a[0]


def flush(a):
    return np.where(np.abs(a) > TINY, a, REAL(0))


def cumulative(weights):
    total, below, found = 0.0, 0.0, []
    for a in weights:
        total += a
    for a in weights:
        found.append(int(below / total * 2**22))
        below += a
    return found


def first_shares(b):
    """Of the scale with the number b."""
    octave, quarter = divmod(b - 16, 4)
    size = (1.0905, 1.2968, 1.5422, 1.834)[quarter] * 2.0**octave
    powers = [1.0]
    for _ in range(16):
        powers.append(powers[-1] * (size / (size + 2.0 ** max(octave - 1, 0))))
    return cumulative([powers[abs(k - 16)] + 1 / 1024 for k in range(32)])


class Shares:
    """The shares of one context."""

    def __init__(self, first):
        self.below, self.uses = list(first), 0

    def of(self, k):
        return (*self.below, 1 << 22)[k + 1] - self.below[k]

    def learn(self, k):
        rate = (2 * 2560 // (10 * self.uses + 176) + 1) // 2
        self.uses = min(self.uses + 1, 160)
        for j in range(1, 32):
            self.below[j] += ((1 << 22 if j > k else 0) - self.below[j]) * rate >> 8


def pop_symbol(message, totals):
    """By sums of 2^16 from which every symbol gets one count."""
    counts = [*(a - (a >> 11) + j for j, a in enumerate(totals)), 1 << 16]

    def find(c):
        k = max(j for j in range(32) if counts[j] <= c)
        return k, counts[k], counts[k + 1] - counts[k]

    return message.pop(16, find)


def pop_bits(message, bits):
    shift = 16 - bits
    return message.pop(16, lambda c: (c >> shift, c >> shift << shift, 1 << shift)) if bits else 0


class Symbols:
    """All contexts of a plane, and the weights of their mixtures."""

    def __init__(self):
        self.contexts, self.weights = {}, {}

    def context(self, *key):
        if key not in self.contexts:
            if key[0] == "beyond":
                first = cumulative([0.5**i for i in range(32)])
            else:
                first = first_shares(key[1] if key[0] == "fine" else 2 * key[1])
            self.contexts[key] = Shares(first)
        return self.contexts[key]

    def pop(self, message, b, contexts):
        w = self.weights.setdefault(b >> 2, [REAL(0.4), REAL(0.3), REAL(0.3)])
        x, y = (int(a * REAL(1 << 14)) for a in w[:2])
        whole = x, y, (1 << 14) - x - y
        totals = [sum((s.below[j] >> 6) * a for s, a in zip(contexts, whole, strict=True)) >> 14 for j in range(32)]
        k = pop_symbol(message, totals)
        parts, total, norm = [REAL(s.of(k)) for s in contexts], REAL(1), REAL(0)
        for a, part in zip(w, parts, strict=True):
            total += a * part
        inverse = REAL(0.02) / total
        for i, part in enumerate(parts):
            w[i] = min(max(w[i] * (REAL(0.98) + part * inverse), REAL(0.01)), REAL(0.98))
            norm += w[i]
        self.weights[b >> 2] = [a * (REAL(1) / norm) for a in w]
        for s in contexts:
            s.learn(k)
        return k

    def pop_number(self, message, b, above):
        shares = self.context("beyond", b >> 2, above)
        k = pop_symbol(message, [a >> 6 for a in shares.below])
        shares.learn(k)
        k = min(k, 16)
        return (1 << k) - 1 + pop_bits(message, k)


class Predictor:
    def __init__(self, n, cells, fade):
        self.fade, self.along = REAL(fade), REAL(math.prod([fade] * 16))
        self.above, self.run, self.w = np.zeros((cells, n, 16), REAL), np.zeros((n, 16), REAL), np.zeros(16, REAL)

    def solve(self, cell):
        a, n = self.above[cell] + self.run, len(self.run)
        q, found = np.zeros(n, REAL), np.zeros(16, REAL)
        for i in range(n):
            a[i, i + 1] += REAL(0.01)
        for p in range(n - 1, -1, -1):
            if not a[p, p + 1] > TINY:
                return
            q[p] = 1 / a[p, p + 1]
            a[:p] = flush(a[:p] - a[p] * (a[p, 1 : p + 1] * q[p])[:, None])
        for i in range(n):
            found[i + 1] = flush(a[i, 0] * q[i])
            a[i + 1 :, 0] -= a[i + 1 :, i + 1] * found[i + 1]
        self.w = found

    def end_cell(self, cell, sums):
        total = self.run + sums
        self.above[cell] += total
        self.run = flush(total * self.along)

    def end_row(self, sums):
        run = np.zeros_like(self.run)
        for cell in range(len(sums) - 1, -1, -1):
            self.above[cell] = flush((self.above[cell] + run) * self.fade)
            run = flush((run + sums[cell]) * self.along)
        self.run = np.zeros_like(run)


def within(p, top):
    return min(p, REAL(top)) if p > 0 else REAL(0)


def sign(a):
    return 1 + int(a > 0.5) - int(a < -0.5)


def log2(a):
    f, d = math.frexp(a)
    return 64 * (d - 1) + (table("log2_mantissa")[math.floor(512 * f) - 256] >> 10)


def taken(groups, planes, y, x, which):
    """Values (0) or errors (1) of the planes at places around one, plane after plane."""
    return [p[which, y + r, x + c] for group, p in zip(groups, planes, strict=False) for r, c in group]


def pop_value(message, symbols, final, scale, units, other, spread):
    size = log2(float(scale))
    b, bits = min(max((size >> 4) + 16, 0), 79), min(max((size >> 6) - 1, 0), 13)
    middle = int(np.floor(final + REAL(0.5)))
    phase = int(np.floor((final - REAL(middle) + REAL(0.5)) * REAL(4))) if bits == 0 else 0
    near = max(abs(units[0]), abs(units[1]))
    contexts = [
        symbols.context("fine", b, min(max(phase, 0), 3)),
        symbols.context("signs", b >> 1, sign(units[0]), sign(units[1]), sign(units[other])),
        symbols.context(
            "shape",
            b >> 1,
            sum(near > REAL(a) for a in (0.3, 1, 2)),
            sum(abs(units[spread]) > REAL(a) for a in (0.2, 0.5, 1)),
        ),
    ]
    k = symbols.pop(message, b, contexts)
    step = k - 16
    if k == 31:
        step = 15 + symbols.pop_number(message, b, True)
    elif k == 0:
        step = -16 - symbols.pop_number(message, b, False)
    return middle + (step << bits) + pop_bits(message, bits) - (1 << bits >> 1)


def decode_plane(message, planes, top):
    """Fill the first of some planes, each of its values and errors, which sees the others."""
    plane, role = planes[0], min(len(planes) - 1, 2)
    h, w = (a - 8 for a in plane.shape[1:])
    n, cells, errors = sum(map(len, REGRESSORS[role])), -(-w // 16), sum(map(len, ERRORS[role]))
    predictors, symbols = [Predictor(n, cells, fade) for fade in FADES], Symbols()
    scales, shifts, misses = np.full(16, 0.001, REAL), np.zeros((4, 16), REAL), np.zeros((2, h + 8, w + 8), REAL)
    scales[:6] = 0.2, 0.2, 0.08, 0.08, 0.04, 0.04
    plane[:, :4] = np.reshape([(top + 1) // 2, REAL(top) / 16], (2, 1, 1))
    plane[:, 4, :4] = plane[:, 3, :4]
    sums = np.zeros((cells, n, 16), REAL)
    for r, c in product(range(4, h + 4), range(4, w + 4)):
        cell, parity = (c - 4) // 16, 2 * (r % 2) + c % 2
        if c == 4:
            if r > 4:
                plane[:, r - 1, w + 4 :], plane[:, r, :4] = plane[:, r - 1, w + 3, None], plane[:, r - 1, 4, None]
                for predictor in predictors:
                    predictor.end_row(sums)
            sums[:] = 0
        if (c - 4) % 16 == 0:
            for predictor in predictors:
                predictor.solve(cell)
        v = np.zeros(16, REAL)
        bases = [[W] * len(group) for group in REGRESSORS[role]]
        v[1 : n + 1] = np.array(taken(REGRESSORS[role], planes, r, c, 0)) - taken(bases, planes, r, c, 0)
        west = plane[0, r, c - 1]
        p, q = (within(west + lane_sum(predictor.w * v), top) for predictor in predictors)
        a, b = REAL(1 / 64), REAL(1 / 64)
        for i, j in NEAR:
            a, b = a + misses[0, r + i, c + j], b + misses[1, r + i, c + j]
        a, b = a * a, b * b
        centre = (p * b + q * a) / (a + b)

        around = np.zeros(16, REAL)
        around[:errors], around[errors] = taken(ERRORS[role], planes, r, c, 1), p - q
        scale = max(lane_sum(np.abs(around) * scales), REAL(1 / 16))
        units = np.clip(around * (1 / scale), REAL(-4), REAL(4))
        units[15] = 1
        final = within(centre + scale * np.clip(lane_sum(units * shifts[parity]), REAL(-2), REAL(2)), top)
        value = pop_value(message, symbols, final, scale, units, OTHERS[role], errors)
        value = REAL(min(max(value, 0), top))

        plane[:, r, c], misses[:, r, c] = (value, value - centre), (abs(value - p), abs(value - q))
        shifts[parity] += units * (np.clip((value - final) / scale, REAL(-2), REAL(2)) * REAL(2.0**-11))
        step = (min(abs((value - centre) / scale), REAL(4)) - 1) * REAL(2.0**-12)
        scales = np.clip(scales + np.abs(units) * step, REAL(2.0**-20), REAL(4))
        v[0] = value - west
        sums[cell] += v * (1 / (scale * scale + 1) * v[1 : n + 1])[:, None]
        if c % 16 == 3 or c == w + 3:
            for predictor in predictors:
                predictor.end_cell(cell, sums[cell])
        if r == 4:
            plane[:, :4, c + 1 : c + 5] = plane[:, 4, c, None, None]
    plane[:, h + 3, w + 4 :], plane[:, h + 4, :4] = plane[:, h + 3, w + 3, None], plane[:, h + 3, 4, None]
    plane[:, h + 4 :] = plane[:, h + 3, None]


def describe(data, dtype, channels):
    """How planes of codes become values: the lowest value, shift, largest code, order, ranks."""
    first, low, shift, top = data.natural(), 0, 0, 255 if np.dtype(dtype).itemsize == 1 else 65535
    if first & 1:
        low, shift, top = data.integer(), data.natural(), data.natural()
    require(first < 8 and 0 < top < 1 << 16 and shift <= 48, "a description out of range")
    ranks = [None] * channels
    for i in range(channels if first & 2 else 0):
        gaps = [data.natural() + 1 for _ in range(data.natural())]
        require(sum(gaps) <= 1 << 16, "ranks out of range")
        ranks[i] = np.cumsum(gaps, dtype=np.int64) - 1 if gaps else None
    usual = {3: [1, 0, 2], 4: [1, 0, 2, 3]}.get(channels, list(range(channels)))
    order = [data.natural() for _ in range(channels)] if first & 4 else usual
    require(sorted(order) == list(range(channels)), "planes in no order")
    return low, shift, top, order, ranks


def pop_planes(messages, images, count, top):
    """Planes of codes, of shape (count, n, h, w)."""
    n, h, w = images
    planes = []
    for _ in range(count):
        planes.insert(0, np.zeros((2, n * h + 8, w + 8), REAL))
        decode_plane(messages[0], planes[:3], top)
    return np.array([p[0, 4:-4, 4:-4].reshape(n, h, w) for p in planes[::-1]])


def parse_messages(data, planes, apart):
    """The message of each plane: one for all of them, or parts, and the last one without its length."""
    parts = [data.part() for _ in range(planes - 1)] if apart else []
    found = [Message.parse(part) for part in [*parts, data.take(len(data.data) - data.at)]]
    return found if apart else found * planes


def decode(data, shape, dtype, popped, apart=False):
    """Images of the shape (n, h, w, channels); `data` are the bytes after the level, `popped` pops planes of codes."""
    require(math.prod(shape) > 0, "a description of nothing")
    data, channels, array = Bytes(data), shape[3], np.zeros(shape, object)
    low, shift, top, order, ranks = describe(data, dtype, channels)
    messages = parse_messages(data, channels, apart)
    lowest = Bits([shift] * array.size).pop(messages[0]) if shift else [0] * array.size
    for channel, plane in zip(order, popped(messages, shape[:3], channels, top), strict=True):
        codes = plane.astype(np.int64)
        if ranks[channel] is not None:
            codes = ranks[channel][np.minimum(codes, len(ranks[channel]) - 1)]
        array[..., channel] = codes
    for message in messages:
        message.check_end()
    bits = 8 * np.dtype(dtype).itemsize
    values = array * (1 << shift) + np.array(lowest, object).reshape(shape) + low
    return (values % (1 << bits)).astype(f"u{bits // 8}").view(dtype)
