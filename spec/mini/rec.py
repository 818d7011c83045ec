"""The codecs of ``rec`` in plain Python and numpy, written from ``spec/codecs/rec.md``."""

import math
from decimal import Decimal, localcontext
from functools import cache
from itertools import pairwise
from statistics import NormalDist

import entropy
import exact
import numpy as np

PI = Decimal("3.14159265358979323846264338327950288419716939937511")


# --- proposals -----------------------------------------------------------------------------------


def philox(a, b, c, d, k0=0, k1=0):
    """The words of Philox under a key, of numbers or arrays."""
    for _ in range(10):
        x, y = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = y >> 32 ^ b ^ k0, y & 0xFFFFFFFF, x >> 32 ^ d ^ k1, x & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def tail(e, i):
    """T[e, i]: the nearest double, and from there a step of Newton's method with 50 digits."""
    due = Decimal(256 + i) / (1 << (e + 10))
    x = Decimal(-NormalDist().inv_cdf(float(due)))
    density = (-x * x / 2).exp() / (2 * PI).sqrt()
    total, term, k = Decimal(0), x, 1
    while abs(term) > Decimal("1e-40"):
        total, k = total + term, k + 2
        term *= x * x / k
    return math.floor((x + (Decimal("0.5") - density * total - due) / density) * (1 << 32))


@cache
def grid():
    with localcontext(prec=50):  # the grid takes no more than 17 rows of the table
        t = [[tail(e, i) for i in range(257)] for e in range(17)]

    def quantile(u):
        v = min(u, (1 << 64) - 1 - u)
        z = 64 - v.bit_length()
        r = v << (z + 1) & entropy.MASK64
        e, i, p = z - 1, r >> 56, r >> 24 & 0xFFFFFFFF
        x = t[e][i] - ((t[e][i] - t[e][i + 1]) * p >> 32)
        return x if u >> 63 else -x

    return np.array([quantile((k << 48) + (1 << 47)) for k in range(1 << 16)])


def proposals(n, m, size):
    """Points of the proposals with the indices n of block number m: a row of `size` coordinates each."""
    n, g = np.array(n, np.uint64), np.arange(-(-size // 8), dtype=np.uint64)
    words = np.stack(np.broadcast_arrays(*philox(n[:, None], g, m, 1)), -1)
    halves = np.stack([words & 0xFFFF, words >> 16], -1).reshape(len(n), 8 * len(g))
    return grid()[halves[:, :size].astype(int)]


def boxed_proposals(boxes, n, m, cuts):
    """The same for proposals with the numbers n in boxes of block number m, whose axes are cut by these numbers of digits."""
    boxes, n = np.array(boxes, np.uint64)[:, None], np.array(n, np.uint64)[:, None]
    g = np.arange(-(-len(cuts) // 8), dtype=np.uint64)
    k0, k1, _, _ = philox(boxes & np.uint64(0xFFFFFFFF), boxes >> np.uint64(32), m, 4)
    words = np.stack(np.broadcast_arrays(*philox(n, g, m, 1, k0, k1)), -1)
    halves = np.stack([words & 0xFFFF, words >> 16], -1).reshape(len(n), 8 * len(g))[:, : len(cuts)].astype(int)
    below = np.cumsum(cuts[::-1])[::-1] - cuts  # digits of a box behind those of each axis
    intervals = boxes.astype(int) >> below & (1 << cuts) - 1
    return grid()[(intervals << 16 - cuts) + (halves >> cuts)]


# --- models --------------------------------------------------------------------------------------


def whole(config, key, allowed):
    found = config.get(key)
    exact.check(type(found) is int and found in allowed, f"{key} is not one that is allowed")
    return found


def item_of(config):
    item = config.get("item_shape")
    exact.check(type(item) is list and all(type(a) is int and a > 0 for a in item), "an item without a shape")
    return item


def tensor(tensors, name, shape, low, high):
    """Integers of these lengths, None for any, from `low` to `high`."""
    found = tensors.get(name)
    exact.check(found is not None and found.dtype.kind in "iu" and found.ndim == len(shape), f"another {name}")
    exact.check(all(b in (a, None) for a, b in zip(found.shape, shape, strict=True)), f"{name} of another shape")
    exact.check(not found.size or low <= int(found.min()) <= int(found.max()) <= high, f"{name} out of range")
    return found.astype(np.int64)


def sums_of(tensors, name, shape, low, p):
    """Cumulative counts of the rows of a tensor."""
    rows = tensor(tensors, name, shape, low, 1 << p)
    exact.check((rows.sum(-1) == 1 << p).all(), f"rows of {name} with another sum")
    return [entropy.cumulate(row) for row in np.atleast_2d(rows).tolist()]


def octaves_of(tensors, rows):
    sums = sums_of(tensors, "octaves", (rows, None), 1, 20)
    exact.check(len(sums[0]) <= 23, "more than 22 octaves")
    return sums


def check_chunk(item, largest, shape, dtype):
    """The number of items."""
    if list(shape[1:]) != item or len(shape) == 0 or dtype not in ("uint8", "bool")[: 2 if largest == 1 else 1]:
        raise entropy.Corrupt("items of another shape or dtype")
    return shape[0]


def within(network, low, high, start=0):
    """Whether a network's outputs are, from number `start` on."""
    return (network.layers[-1][3][start:] >= low).all() and (network.layers[-1][4][start:] <= high).all()


def number_left(message):
    """m and r of the number 2^m + r that is left of a message."""
    number = int.from_bytes(message.to_bytes(), "little")
    m = number.bit_length() - 1
    return m, number - (1 << m)


# --- rec.vae -------------------------------------------------------------------------------------


def plan(d, t, block_bits, version):
    """The latents of each block, the row, and the digits that each latent is cut by."""
    i = np.maximum(d - t, 0)
    cuts = np.minimum(i + 32 >> 6, 6) if version >= 3 else np.zeros_like(i)
    left = np.where(cuts > 0, np.maximum(32, i - 64 * cuts), i)
    order, total = np.argsort(-i, kind="stable")[: np.count_nonzero(i)].tolist(), int((i - 64 * cuts).sum())
    count = max(-(-int(left.sum()) // (64 * block_bits)), -(-int(cuts.sum()) // 36))
    blocks = [[] for _ in range(min(len(order), count))]
    for j, latent in enumerate(order):
        a, b = divmod(j, len(blocks))
        blocks[-1 - b if a % 2 else b].append(latent)
    return blocks, max(0, min(total // (64 * max(1, len(blocks))), block_bits)), cuts


def gains(d, t):
    e = entropy.table("exp2_negative")
    a = np.array([math.isqrt((1 << 16) * ((1 << 16) - e[2 * i])) for i in range(512)])
    r = 1024 - d
    return a[np.clip(d - t, 0, 511)] * np.array(e)[r & 63] >> 8 + (r >> 6)


def pop_parts(message, sums, index):
    """Symbols by a Categorical, in arrays of 2^14 - 1."""
    parts = [index[i : i + (1 << 14) - 1] for i in range(0, len(index), (1 << 14) - 1)]
    return [x for part in parts for x in entropy.categorical(len(part), sums, part).pop(message)]


def pop_indices(message, classes, octaves, plans, n):
    """The class of each item, and the box and the number in it of its blocks."""
    found = pop_parts(message, classes, [0] * n)
    exponents = pop_parts(message, octaves, [plans[k][1] for k in found for _ in plans[k][0]])
    boxes = [int(plans[k][2][block].sum()) for k in found for block in plans[k][0]]
    widths = [box + e for box, e in zip(boxes, exponents, strict=True)]
    (m, r), w = number_left(message), sum(widths)
    if m != max(w, 32) or r >> w:
        raise entropy.Corrupt("what is left is not the boxes and rests of the indices")
    digits, ends = f"{r:0{w}b}", entropy.cumulate(widths)
    parts = zip(boxes, exponents, ends[1:], strict=True)
    indices = iter([("0" + digits[z - e - box : z - e], "1" + digits[z - e : z]) for box, e, z in parts])
    return found, [[[int(part, 2) for part in next(indices)] for _ in plans[k][0]] for k in found]


def decode_vae(config, tensors, settings, payload, shape, dtype, version):
    item, largest, s = item_of(config), whole(config, "largest", (1, 255)), whole(config, "squeeze", (1, 2, 4))
    block_bits, (h, w, c) = whole(config, "block_bits", range(1, 18)), (*item, 1, 1, 1)[:3]
    fits = len(item) in (2, 3) and h * w * c <= 1 << 16 and h % s == w % s == 0
    exact.check(fits, "an item of another shape")
    sides = {"rows": h, "columns": w, "colours": c}
    rows, columns, colours = (tensor(tensors, name, (a, a), -(1 << 13), 1 << 13) for name, a in sides.items())
    places = tensor(tensors, "places", (None,), 0, h * w * c - 1)
    exact.check(len(places) and (np.diff(places) > 0).all(), "no places, or some that do not ascend")
    deviations = tensor(tensors, "deviations", (None, len(places)), 0, 1023)
    noises = tensor(tensors, "noises", (None,), 0, 1023)
    exact.check(1 <= len(noises) <= 64, "no quality, or too many")
    classes, octaves = sums_of(tensors, "classes", (len(deviations),), 1, 20), octaves_of(tensors, block_bits + 1)
    decoder, artist = residual(tensors, "decoder", c * s * s + 1, c * s * s), None
    if any(name.startswith("detail.") for name in tensors):
        artist = residual(tensors, "detail", c * s * s + 9, c * s * s)

    n, quality = check_chunk(item, largest, shape, dtype), settings.get("quality", 0)
    if type(quality) is not int or not 0 <= quality <= len(noises):
        raise entropy.Corrupt("a quality that the model does not have")
    detail = settings.get("detail", 0)
    if type(detail) is not int or not 0 <= detail <= 100 or (detail and artist is None):
        raise entropy.Corrupt("detail that the model does not draw")
    t = int(noises[quality - 1])
    plans = [plan(d, t, block_bits, version) for d in deviations]
    kinds, indices = pop_indices(entropy.Message.parse(payload), classes, octaves, plans, n)
    f = np.zeros((n, h * w * c), np.int64)
    for k in set(kinds):
        items, gain = [i for i in range(n) if kinds[i] == k], gains(deviations[k], t)
        for m, block in enumerate(plans[k][0]):
            boxes, numbers = zip(*(indices[i][m] for i in items), strict=True)
            cut = version >= 3
            points = (
                boxed_proposals(boxes, numbers, m, plans[k][2][block]) if cut else proposals(numbers, m, len(block))
            )
            f[np.ix_(items, places[block])] = (points >> 16) * gain[block] >> 20
    f = f.reshape(n, h, w, c)
    f = np.einsum("ui,nuwc->niwc", rows, f) >> 13
    f = np.einsum("vj,nhvc->nhjc", columns, f) >> 13
    f = np.einsum("dk,nhwd->nhwk", colours, f) >> 13

    def answer(network, *more):
        pixels = f.reshape(n, h // s, s, w // s, s, c).transpose(0, 1, 3, 5, 2, 4)
        inputs = np.clip(pixels.reshape(n, h // s, w // s, c * s * s), -4096, 4096)
        outputs = network(np.concatenate([inputs, np.full_like(inputs[..., :1], 4 * t), *more], -1))
        return outputs.reshape(pixels.shape).transpose(0, 1, 4, 2, 5, 3).reshape(f.shape)

    f = f + answer(decoder)
    if detail:
        f = f + (answer(artist, np.broadcast_to(noise(h // s, w // s), (n, h // s, w // s, 8))) * detail // 100)
    v = np.clip((f + 8 >> 4) + 128, 0, 255)
    return (v >> 7 if largest == 1 else v).reshape(shape)


def residual(tensors, name, inputs, outputs):
    network = exact.Network(tensors, name)
    fits = (network.inputs, network.outputs, network.low, network.high) == (inputs, outputs, -4096, 4096)
    exact.check(fits and within(network, -2048, 2048), "a network of other widths or ranges")
    return network


def noise(h, w):
    """Eight normal numbers for each pixel of a network."""
    words = np.stack(np.broadcast_arrays(*philox(np.arange(h * w, dtype=np.uint64), 0, np.uint64(0), 5)), -1)
    halves = np.stack([words & 0xFFFF, words >> 16], -1).reshape(h, w, 8).astype(int)
    return np.clip(grid()[halves] >> 22, -4096, 4096)


# --- rec.vae, the kind "picture" -----------------------------------------------------------------

FIRST = [(4, [(0, 0)]), (4, [(2, 2)]), (4, [(0, 2), (2, 0)]), (2, [(1, 1)]), (2, [(0, 1), (1, 0)])]
LATER = [(2, [(0, 0), (1, 1)]), (2, [(0, 1), (1, 0)])]


def network_of(tensors, name, inputs, span, outputs, low, high):
    net = exact.Network(tensors, name)
    fits = (net.inputs, net.outputs) == (inputs, outputs) and net.low <= span[0] and net.high >= span[1]
    exact.check(fits and within(net, low, high), f"{name} of other widths or ranges")
    return net


def logarithms(x):
    """log2 of integers from 1 to 2^15, in units of 2^-6."""
    e = np.array([int(v).bit_length() - 1 for v in x.reshape(-1)]).reshape(x.shape)
    mantissa, t = (x << 24 - e) - (1 << 24), np.array(entropy.table("log2_mantissa"))
    i = mantissa >> 16
    return (e << 16) + t[i] + ((t[i + 1] - t[i]) * (mantissa & 0xFFFF) >> 16) >> 10


def squares(x, s):
    h, w, c = x.shape
    return x.reshape(h // s, s, w // s, s, c).transpose(0, 2, 4, 1, 3).reshape(h // s, w // s, c * s * s)


def unsquared(x, s):
    h, w, c = x.shape
    return x.reshape(h, w, c // s**2, s, s).transpose(0, 3, 1, 4, 2).reshape(h * s, w * s, c // s**2)


class Picture:
    """A model of the kind "picture" at a quality."""

    def __init__(self, config, tensors, settings):
        groups = config.get("groups")
        fits = type(groups) is list and 1 <= len(groups) <= 8 and all(type(a) is int and 1 <= a <= 1024 for a in groups)
        exact.check(fits and all(a < b for a, b in pairwise(groups)), "other groups")
        latents, self.hyper = groups[-1], whole(config, "hyper", range(1, 257))
        self.latents, self.block_bits = latents, whole(config, "block_bits", range(1, 18))
        noises = tensor(tensors, "noises", (None,), 0, 511)
        exact.check(1 <= len(noises) <= 64, "no quality, or too many")
        quality = settings.get("quality", 0)
        if type(quality) is not int or not 0 <= quality <= len(noises):
            raise entropy.Corrupt("a quality that the model does not have")
        self.noise = int(noises[quality - 1])
        self.units = tensor(tensors, "units", (latents,), 0, 12)
        self.signs = tensor(tensors, "signs", (2, latents), -1, 1)
        self.told = tensor(tensors, "hyper_information", (self.hyper,), 0, 511)
        self.octaves = octaves_of(tensors, self.block_bits + 1)
        self.boosts = tensor(tensors, "boosts", (None,), -511, 511)
        count = len(FIRST) + len(LATER) * (len(groups) - 1)
        exact.check(len(self.boosts), "no classes")
        self.classes = sums_of(tensors, "classes", (count, len(self.boosts)), 1, 20)
        tensor(tensors, "analysis", (latents, 3, 24, 24), -(1 << 15), 1 << 15)
        seen, most = (-2048, 2048), 32767
        self.synthesis = network_of(tensors, "synthesis", latents, (-most, most), 192, -4096, 4096)
        self.refine = network_of(tensors, "refine", 13, (-4096, 4096), 12, -2048, 2048)
        self.decoder = exact.Network(tensors, "hyper_decoder")
        many = self.decoder.outputs // 4
        network_of(tensors, "hyper_decoder", self.hyper + 1, seen, 4 * many, -2048, 2048)
        middle = exact.Network(tensors, "hyper_encoder.0").outputs
        network_of(tensors, "hyper_encoder.0", 2 * latents + 1, seen, middle, 0, most)
        network_of(tensors, "hyper_encoder.1", 4 * middle, (0, most), self.hyper, -2048, 2048)
        self.steps = []
        for g, end in enumerate(groups):
            start = groups[g - 1] if g else 0
            ends = np.repeat([16383, 511], end - start)
            for phases in LATER if g else FIRST:
                name = f"prior.{len(self.steps)}"
                net = network_of(tensors, name, 2 * end + many + 1, seen, len(ends), np.minimum(-ends, 0), ends)
                exact.check(within(net, 0, 511, end - start), "a latent that tells less than nothing")
                self.steps.append((phases, start, end, net))

    def pop(self, message, information, noise, first):
        """Places, deviations and information of latents, and the points sent for them; and how many blocks there were."""
        i = np.where(information < 4, 0, information)
        blocks, row, cuts = plan(noise + i, noise, self.block_bits, 3)
        exponents = entropy.categorical(len(blocks), self.octaves, [row] * len(blocks)).pop(message)
        widths = [int(cuts[block].sum()) + e for block, e in zip(blocks, exponents, strict=True)]
        rests, points = entropy.Bits(widths).pop(message), np.zeros(len(i), int)
        for m, (block, e, rest) in enumerate(zip(blocks, exponents, rests, strict=True)):
            number = (1 << e) + (rest & (1 << e) - 1)
            points[block] = boxed_proposals([rest >> e], [number], first + m, cuts[block])[0]
        return points, i, len(blocks)

    def given(self, *arrays):
        level = np.full((*arrays[0].shape[:2], 1), self.noise)
        return np.concatenate([*arrays, level], -1)

    def latents_of(self, message, rows, columns):
        told = np.tile(self.told, rows * columns)
        points, i, first = self.pop(message, told, 0, 0)
        h = np.where(i > 0, points >> 24, 0).reshape(rows, columns, self.hyper)
        seen = unsquared(self.decoder(self.given(h)), 2)
        z = np.zeros((2 * rows, 2 * columns, self.latents), int)
        for step, ((side, phases), start, end, net) in enumerate(self.steps):
            known = z[..., :end]
            linear = np.clip((known << 4) >> self.units[:end], -2048, 2048)
            out = net(self.given(linear, logarithms(1 + abs(known)), seen))
            means = out[..., : end - start] << self.units[start:end] >> 6
            told = out[..., end - start :]
            if side == 2:
                k = entropy.categorical(rows * columns, self.classes, [step] * (rows * columns)).pop(message)
                boost = self.boosts[np.array(k)].reshape(rows, columns).repeat(2, 0).repeat(2, 1)
                told = np.clip(told + boost[..., None], 0, 511)
            at = [(slice(a, None, side), slice(b, None, side)) for a, b in phases]
            mean, told = (np.concatenate([x[p].reshape(-1) for p in at]) for x in (means, told))
            points, i, count = self.pop(message, told, self.noise, first)
            first += count
            values = mean + np.where(i > 0, (points >> 16) * gains(self.noise + i, self.noise) >> 20, 0)
            values = np.clip(values, -32767, 32767)
            for p in at:
                part = z[(*p, slice(start, end))]
                part[...], values = values[: part.size].reshape(part.shape), values[part.size :]
        return z

    def image(self, z):
        up, across = self.signs
        z = np.concatenate([up * z[:1], z, up * z[-1:]], 0)
        z = np.concatenate([across * z[:, :1], z, across * z[:, -1:]], 1)
        base = unsquared(self.synthesis(z)[1:-1, 1:-1], 8)
        inputs = squares(base, 2)
        out = self.refine(np.concatenate([inputs, np.full((*inputs.shape[:2], 1), 4 * self.noise)], -1))
        return np.clip((base + unsquared(out, 2) + 8 >> 4) + 128, 0, 255)


def decode_scenes(scene, side, settings, payload, shape, dtype, version):
    """Images of any size, by a model whose latents are in cells of this side."""
    message = entropy.Message.parse(payload)
    if dtype != "uint8" or len(shape) not in (3, 4) or shape[-1] != 3 or version < 3 or settings.get("detail", 0) != 0:
        raise entropy.Corrupt("another shape, dtype or version, or detail")
    n, h, w, _ = (1, *shape)[-4:]
    rows, columns = -(-h // side), -(-w // side)
    images = [scene.image(scene.latents_of(message, rows, columns))[:h, :w] for _ in range(n if h * w else 0)]
    message.check_end()
    return np.array(images, int).reshape(shape)


# --- rec.vae-lossless, rec.vae-latents -----------------------------------------------------------


def decode_lossless(config, tensors, settings, payload, shape, dtype, version, *, lossy=False):
    kind, item, latents = config.get("likelihood"), item_of(config), config.get("latents")
    exact.check(kind in ("bernoulli", "mixture", "colour"), "another likelihood")
    exact.check(type(latents) is int and latents > 0, "no latents")
    pixels, largest, parameters = math.prod(item), 1 if kind == "bernoulli" else 255, 1
    if kind == "mixture":
        tables = np.diff(sums_of(tensors, "tables", (None, 256), 0, 18)).tolist()
        parameters = len(tables)
    if kind == "colour":
        channels, parameters = item[-1] if item else 0, 2
        exact.check(1 <= channels <= 4, "no channels, or more than four")
        coefficients = tensor(tensors, "coefficients", (channels * (channels - 1) // 2,), -4096, 4096).tolist()
    blocks = tensor(tensors, "blocks", (latents,), -1, latents - 1)
    count = int(blocks.max()) + 1
    exact.check(count and {*range(count)} <= {*blocks.tolist()}, "no blocks, or a gap in their numbers")
    octaves = octaves_of(tensors, count)
    encoder, decoder = exact.Network(tensors, "encoder"), exact.Network(tensors, "decoder")
    exact.check(all(layer[0].ndim == 2 for layer in encoder.layers + decoder.layers), "networks of images")
    widths = encoder.inputs, encoder.outputs, decoder.inputs, decoder.outputs
    exact.check(widths == (pixels, 2 * latents, latents, pixels * parameters), "networks of other widths")
    fits = (encoder.low, encoder.high) == (0, largest) and decoder.low <= -1108 and decoder.high >= 1108
    scales = kind != "colour" or within(decoder, -384, 1280, pixels)
    exact.check(fits and scales and within(encoder, -4096, -1, latents), "networks of other ranges")

    n, message = check_chunk(item, largest, shape, dtype), entropy.Message.parse(payload)
    if lossy:
        levels = settings.get("levels", 0)
        if type(levels) is not int or not 0 <= levels <= count:
            raise entropy.Corrupt("more levels than the model has")
        count = levels or count
        exponents, rests = pop_bare(message, octaves, [*range(count)] * n)
    else:
        exponents = entropy.categorical(n * count, octaves, [*range(count)] * n).pop(message)
        rests = entropy.Bits(exponents).pop(message)
    indices = np.array([(1 << e) + r for e, r in zip(exponents, rests, strict=True)], int).reshape(n, count)
    z = np.zeros((n, latents), np.int64)
    for m in range(count):
        members = np.flatnonzero(blocks == m)
        z[:, members] = proposals(indices[:, m], m, len(members)) >> 24
    outputs = decoder(z)
    if lossy:
        if kind == "bernoulli":
            return (outputs > 0).reshape(shape)
        if kind == "mixture":
            sums = [sum(v * count for v, count in enumerate(table)) for table in tables]
            weights = [entropy.weights(row) for row in outputs.reshape(-1, parameters).tolist()]
            totals = [sum(w * m for w, m in zip(row, sums, strict=True)) for row in weights]
            return np.array([total + (1 << 33) >> 34 for total in totals], int).reshape(shape)
        return centres(outputs[:, :pixels].reshape(-1, channels).T, coefficients).reshape(shape)
    if kind == "mixture":
        logits = outputs.reshape(-1, parameters).tolist()
        x = entropy.categorical_mixture(n * pixels, 22, tables, logits).pop(message)
    elif kind == "colour":
        means, scales = outputs.reshape(n, 2, pixels // channels, channels).transpose(1, 3, 0, 2)
        x = pop_colours(message, means, scales, coefficients)
    else:
        ones = [entropy.ones_of_log_odds(22, v) for v in outputs.reshape(-1).tolist()]
        bottom = pixels if 0 < n * pixels < 1 << 14 else 0
        stop = n * pixels - bottom
        x = entropy.bernoulli(stop, 22, ones[:stop]).pop(message)
        if bottom:
            return np.array(x + decode_bottom(*number_left(message), ones[stop:])).reshape(shape)
    message.check_end()
    return np.array(x).reshape(shape)


def pop_bare(message, octaves, index):
    """Octaves of indices, and what is left of a message as their rests."""
    exponents = pop_parts(message, octaves, index)
    (m, r), w = number_left(message), sum(exponents)
    if m != max(w, 32) or r >> w:
        raise entropy.Corrupt("what is left is not the rests of the indices")
    digits, ends = f"{r:0{w}b}", entropy.cumulate(exponents)
    return exponents, [int("0" + digits[z - e : z], 2) for e, z in zip(exponents, ends[1:], strict=True)]


def centres(means, coefficients):
    """Pixels at the means of all channels, shape (channels, pixels), each channel shifted by those before."""
    x = []
    for d, mean in enumerate(means):
        row = coefficients[d * (d - 1) // 2 :][:d]
        total = mean + sum(a * (b - 128) for a, b in zip(row, x, strict=True))
        x.append(np.clip(total + 128 >> 8, 0, 255))
    return np.stack(x, -1)


def pop_colours(message, means, scales, coefficients):
    """Pixels of all channels, from means and log-scales of shape (channels, n, pixels)."""
    x = []
    for d in range(len(means)):
        row = coefficients[d * (d - 1) // 2 :][:d]
        mean = means[d].reshape(-1) + sum(a * (np.array(b) - 128) for a, b in zip(row, x, strict=True))
        scale = scales[d].reshape(-1).tolist()
        values = entropy.location_scale("DiscretizedLogistic", len(scale), 256, 24, mean.tolist(), scale)
        x.append(values.pop(message))
    return np.stack(x, -1)


def decode_bottom(m, r, ones):
    """Pixels of the arithmetic code r / 2^m; `over` is what it exceeds the interval's start by, in 2^-(t + m)."""
    t = 22 * len(ones)
    pixels, over, w = [], r << t, 1
    for j, f in enumerate(ones):
        lower = w * ((1 << 22) - f)
        split = lower << (t + m - 22 * (j + 1))
        pixels.append(int(over >= split))
        over, w = (over - split, w * f) if pixels[-1] else (over, lower)
    start, least = (r << t) - over >> m, max(32, t - w.bit_length())
    multiple = lambda m: -(-(start << m) >> t)  # noqa: E731
    while multiple(least) << t >= start + w << least:
        least += 1
    if (m, r) != (least, multiple(least)):
        raise entropy.Corrupt("another number than the shortest")
    return pixels


# --- rec.weights ---------------------------------------------------------------------------------


def take_uvarint(data):
    value = 0
    for k in range(6):
        byte = data.pop(0)
        value |= (byte & 127) << 7 * k
        if byte < 128:
            if k and not byte:
                break
            return value
    raise entropy.Corrupt("a number that is too long")


def decode_weights(payload, shape, dtype):
    n, data = math.prod(shape), list(payload)
    if dtype != "float32":
        raise entropy.Corrupt("another dtype")
    size, c, octaves = take_uvarint(data), data.pop(0), data.pop(0)
    if not (1 <= size <= 4096 and c <= 6 and c * size <= 40 and 1 <= octaves <= 22):
        raise entropy.Corrupt("blocks that there are not")
    shares = [data.pop(0) for _ in range(octaves)]
    count = take_uvarint(data)
    if 0 in shares or not 1 <= count <= min(n, 1 << 16):
        raise entropy.Corrupt("an octave without a share, or no groups, or too many")
    groups = [(take_uvarint(data), data.pop(0)) for _ in range(count)]
    if sum(k for k, _ in groups) != n or not all(k for k, _ in groups):
        raise entropy.Corrupt("groups of another number of values")
    counts = [(share << 20) // sum(shares) for share in shares]
    counts[0] += (1 << 20) - sum(counts)
    blocks = -(-n // size)
    message = entropy.Message.parse(bytes(data))
    exponents = pop_parts(message, [entropy.cumulate(counts)], [0] * blocks)
    widths = [c * len(range(b, n, blocks)) + e for b, e in enumerate(exponents)]
    (m, r), w = number_left(message), sum(widths)
    if m != max(w, 32) or r >> w:
        raise entropy.Corrupt("what is left is not the boxes and rests of the indices")
    digits, ends, points = f"{r:0{w}b}", entropy.cumulate(widths), np.zeros(n, int)
    for b, (e, z) in enumerate(zip(exponents, ends[1:], strict=True)):
        cuts = np.full(len(range(b, n, blocks)), c)
        box, number = int("0" + digits[z - widths[b] : z - e], 2), int("1" + digits[z - e : z], 2)
        points[b::blocks] = boxed_proposals([box], [number], b, cuts)[0] >> 16
    table, values = entropy.table("exp2_negative"), []
    for k, e in groups:
        a, f = divmod(e - 192, 8)
        unit = (table[64 - 8 * f] if f else table[0]) * 2.0 ** (a + (f > 0) - 32)
        values += [float(p) * unit for p in points[len(values) : len(values) + k]]
    return np.array(values).astype(np.float32).reshape(shape)


def decode(model, settings, payload, shape, dtype, version=2):
    """The array of a chunk."""
    codec, config, tensors = model
    exact.check(codec in ("rec.vae", "rec.vae-lossless") and type(config) is dict, "a model of another codec")
    from photograph import Photograph

    kinds = {"picture": (Picture, 16), "photograph": (Photograph, 8)}
    name = config.get("kind")
    if codec == "rec.vae" and type(name) is str and name in kinds:
        kind, side = kinds[name]
        scene = kind(config, tensors, settings)
        return decode_scenes(scene, side, settings, payload, shape, dtype, version).astype(dtype)
    decoder = decode_vae if codec == "rec.vae" else decode_lossless
    return decoder(config, tensors, settings, payload, shape, dtype, version).astype(dtype)


def decode_latents(model, settings, payload, shape, dtype):
    """The array of a chunk of ``rec.vae-latents``."""
    codec, config, tensors = model
    exact.check(codec == "rec.vae-lossless" and type(config) is dict, "a model of another codec")
    return decode_lossless(config, tensors, settings, payload, shape, dtype, 1, lossy=True).astype(dtype)
