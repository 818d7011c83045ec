"""The codecs ``inr.image``, ``inr.sound`` and ``inr.coin`` in plain Python and numpy, written from ``spec/codecs/inr.md``."""

from decimal import Decimal, localcontext
from functools import cache
from itertools import pairwise

import entropy
import exact
import numpy as np
import rec


@cache
def sines():
    """S, by the series of the sine with 40 digits."""
    with localcontext(prec=40):

        def sine(k):
            x = 2 * rec.PI * k / (1 << 14)
            total, term, n = Decimal(0), x, 1
            while abs(term) > Decimal("1e-30"):
                total, n = total + term, n + 2
                term *= -x * x / (n * (n - 1))
            return total

        quarter = [int((sine(k) * (1 << 14) + Decimal("0.5")) // 1) for k in range((1 << 12) + 1)]
    half = quarter + quarter[-2:0:-1]
    return np.array(half + [-v for v in half])


def sin(p):
    return sines()[p & ((1 << 14) - 1)]


def features(n, frequencies):
    """Of the cells of an axis: a row of 2 F each."""
    i = np.arange(n)[:, None]
    p = frequencies * (2 * i + 1 - n) * 8 // n
    return np.concatenate([sin(p + (1 << 12)), sin(p)], 1)


def whole(config, key, lengths, low, high):
    found = config.get(key)
    exact.check(type(found) is list and lengths[0] <= len(found) <= lengths[1], f"{key} of another length")
    exact.check(all(type(a) is int and low <= a <= high for a in found), f"{key} out of range")
    return found


def shape_of_images(shape, c):
    """(n, h, w)."""
    if len(shape) in (3, 4) and shape[-1] == c:
        return (1, *shape[:-1])[-3:]
    if len(shape) in (2, 3) and c == 1:
        return (1, *shape)[-3:]
    raise entropy.Corrupt("images of another shape")


def numbers_of_level(scale, group, indices, mixed):
    """For indices of shape (groups, rows): shape (rows, N)."""
    z = np.zeros((indices.shape[1], len(group)), np.int64)
    for g, index in enumerate(indices):
        members = np.flatnonzero(group == g)
        z[:, members] = rec.proposals(index, g, len(members)) >> 16
    if mixed:
        for j in range(len(group)):
            z[:, j] = np.roll(z[:, j], -j)
    return np.clip(scale * z >> 16, -(1 << 28), 1 << 28)


def weights_of(held, basis, groups, levels, mixed):
    """For (indices of shape (groups, rows), the row of each patch) of each level: shape (patches, N)."""
    each = zip(np.atleast_2d(held["scale"]), np.atleast_2d(groups), levels, strict=True)
    h = sum(numbers_of_level(scale, group, indices, mixed)[at] for scale, group, (indices, at) in each)
    h, first, made = np.clip(h, -(1 << 28), 1 << 28), 0, []
    for matrix in basis:
        made.append(h[:, first : first + len(matrix)] @ matrix >> 7)
        first += len(matrix)
    h = np.concatenate(made, 1) if basis else h
    return np.clip(held["mean"] + h, -(1 << 28), 1 << 28)


def outputs(x, sizes, row):
    """Sums of the last layer of a network with a row of weights, at places of features x."""
    at = 0
    for i, (inputs, units) in enumerate(sizes):
        matrix = row[at : at + inputs * units].reshape(inputs, units)
        at += inputs * units
        a = x @ matrix[:-1] + (matrix[-1] << 14)
        x = sin(a >> 20) if i + 1 < len(sizes) else a
    return x


def upsampled(latents, grid, layers):
    """Channels of all pixels, shape (pixels, channels), of the latents of one network."""
    cells = latents.reshape(grid) >> 6
    for layer in layers:
        r, q, _ = cells.shape
        padded = np.pad(cells, ((1, 1), (1, 1), (0, 0)))
        seen = np.concatenate([padded[i : i + r, j : j + q] for i in range(3) for j in range(3)], 2)
        made = sin(seen @ layer[:-1] + (layer[-1] << 14) >> 16).reshape(r, q, 2, 2, -1)
        cells = made.swapaxes(1, 2).reshape(2 * r, 2 * q, -1)
    return cells.reshape(-1, cells.shape[2])


def values(frequencies, height, width, sizes, parameters, grid=(0, 0, 0), up=()):
    """Of networks with rows of weights, and of latents: shape (networks, height, width, channels)."""
    down, across = features(height, frequencies), features(width, frequencies)
    x = np.concatenate([np.repeat(down, width, 0), np.tile(across, (height, 1))], 1)
    found, latents = [], np.prod(grid)
    for row in parameters:
        beside = [upsampled(row[len(row) - latents :], grid, up)] if up else []
        a = outputs(np.concatenate([x, *beside], 1), sizes, row)
        found.append(np.clip((a >> (30 if up else 34)) + 128, 0, 255))
    return np.array(found, np.int64).reshape(len(parameters), height, width, sizes[-1][1])


def layers(widths):
    return [(inputs + 1, outputs) for inputs, outputs in pairwise(widths)]


def decode_coin(payload, shape, dtype, settings):
    """The array of a chunk of ``inr.coin``."""
    ranges = {"width": (12, 256), "depth": (2, 16), "frequencies": (5, 11), "digits": (6, 12), "steps": (2000, 1 << 20)}
    found = {name: settings.get(name, default) for name, (default, _) in ranges.items()}
    if any(type(v) is not int or not 1 <= v <= ranges[name][1] for name, v in found.items()) or dtype != "uint8":
        raise entropy.Corrupt("another setting or dtype")
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise entropy.Corrupt("images of another shape")
    c = shape[-1] if len(shape) > 2 and shape[-1] in (1, 3) else 1
    n, h, w = shape_of_images(shape, c)
    sizes = layers([4 * found["frequencies"], *[found["width"]] * found["depth"], c])
    message = entropy.Message.parse(payload)
    scales = entropy.uniform(n * len(sizes), 64).pop(message)
    spread = [a * b for a, b in sizes]
    logs = [16 * s - 128 for i, s in enumerate(scales) for _ in range(spread[i % len(sizes)])]
    q = entropy.location_scale("DiscretizedLaplace", len(logs), 2047, 24, [1023 << 8] * len(logs), logs).pop(message)
    message.check_end()
    units = np.repeat([1 << 20 - found["digits"]] * len(sizes[1:]) + [1 << 28 - found["digits"]], spread)
    weights = np.clip((np.array(q, np.int64).reshape(n, len(units)) - 1023) * units, -(1 << 28), 1 << 28)
    frequencies = np.int64(1) << 10 + np.arange(found["frequencies"])
    return values(frequencies, h, w, sizes, weights).reshape(shape).astype(dtype)


def parsed(model, codec, axes, channels):
    """Of a model: shape of an item, frequencies, sizes of the layers, bits of an index, and what `weights_of` takes."""
    found, config, tensors = model
    exact.check(found == codec and type(config) is dict, "a model of another codec")
    item = whole(config, "item_shape", (axes + 1, axes + 1), 1, 1 << 12)
    exact.check(item[-1] in channels and np.prod(item) <= 1 << 20, "an item of another shape")
    hidden = whole(config, "hidden", (1, 16), 1, 1023)
    whole(config, "steps", (2, 2), 1, 1 << 20)
    bits, variance = config.get("index_bits"), config.get("variance")
    b = whole({"b": bits if type(bits) is list else [bits]}, "b", (1, 2), 1, 20)
    exact.check(len(b) < 2 or (b[0] <= 8 and 2 * b[0] <= b[1]), "another window")
    exact.check(type(variance) is int and 1 <= variance <= 1 << 24, "another variance")
    frequencies = rec.tensor(tensors, "frequencies", (None,), 0, 1 << 20)
    grid, channels = [0, 0, 0], [0]
    if "latents" in config:
        grid, more = whole(config, "latents", (3, 3), 1, 1 << 8), whole(config, "up", (1, 6), 1, 64)
        exact.check(axes == 2 and grid[2] <= 64, "latents of another shape")
        exact.check([n << len(more) for n in grid[:2]] == item[:2], "latents of another shape")
        channels = [grid[2], *more]
    shapes = [(9 * a + 1, 4 * b) for a, b in pairwise(channels)]
    up = [rec.tensor(tensors, f"up.{k}", shape, -(1 << 15), (1 << 15) - 1) for k, shape in enumerate(shapes)]
    inputs = 2 * axes * len(frequencies) + channels[-1]
    exact.check(len(frequencies) and inputs < 1 << 10, "no frequencies, or too many")
    sizes = layers([inputs, *hidden, item[-1]])
    n_weights, n_latents = sum(rows * columns for rows, columns in sizes), int(np.prod(grid))
    if "shared" in config:
        exact.check(axes == 2, "sound that is shared")
        whole(config, "shared", (2, 2), 1, 1 << 8)
    above = (3,) if "shared" in config else ()
    held = {
        "mean": rec.tensor(tensors, "mean", (n_weights + n_latents,), -(1 << 28), 1 << 28),
        "scale": rec.tensor(tensors, "scale", (*above, None), 0, 1 << 28),
    }
    numbers = held["scale"].shape[-1]
    group = rec.tensor(tensors, "group", (*above, numbers), -1, numbers - 1)
    levels = np.atleast_2d(group)
    exact.check(levels[-1].max(initial=-1) >= 0, "no groups of weights of a patch")
    for level in levels:
        exact.check({*range(int(level.max()) + 1)} <= {*level.tolist()}, "a gap in the numbers of groups")

    linear, basis = config.get("linear"), []
    exact.check(type(linear) is bool, "neither with a basis nor without")
    parts = [(rows * columns,) * 2 for rows, columns in sizes]
    if grid[0]:
        parts.append((numbers - n_weights if linear else n_latents, n_latents))
    exact.check(parts[-1][0] > 0 and sum(k for k, _ in parts) == numbers, "another number of scales")
    for i, (k, m) in enumerate(parts if linear else []):
        exact.check(max(k, m) <= 1 << 12, "a layer of too many weights")
        basis.append(rec.tensor(tensors, f"basis.{i}", (k, m), -128, 127))
    return item, frequencies, sizes, b, (held, basis, group), (grid, up)


def indices_of(payload, b, count, patches):
    """Shape (count, patches)."""
    bits = count * patches * b
    number = int.from_bytes(payload, "little")
    if len(payload) != -(-bits // 8) or number >> bits:
        raise entropy.Corrupt("a payload of another length, or bits behind the last index")
    digits = f"{number:0{bits}b}"[::-1] if bits else ""
    indices = [int(digits[i : i + b][::-1], 2) for i in range(0, bits, b)]
    return np.array(indices, np.int64).reshape(count, patches)


def numbers_of(indices, b, w=0):
    """Of the proposals that indices of shape (groups, rows) name: with a window, by their bits and those before."""
    found, before = [], 0
    for index in indices if w else []:
        before = ((before << b) | index) & ((1 << w) - 1)
        found.append(before)
    return np.array(found) if w and len(indices) else indices


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk of ``inr.image``."""
    (height, width, c), frequencies, sizes, b, rest, (grid, up) = parsed(model, "inr.image", 2, (1, 3))
    if dtype != "uint8":
        raise entropy.Corrupt("another dtype")
    n, h, w = shape_of_images(shape, c)
    rows, columns = -(-h // height), -(-w // width)
    groups, at = [int(level.max()) + 1 for level in np.atleast_2d(rest[2])], [np.arange(n * rows * columns)]
    if shared := model[1].get("shared"):
        image, row, column = np.indices((n, rows, columns)).reshape(3, -1)
        down, across = -(-rows // shared[0]), -(-columns // shared[1])
        at = [image, (image * down + row // shared[0]) * across + column // shared[1], *at]
    lengths = [(count, int(each.max(initial=-1)) + 1) for count, each in zip(groups, at, strict=True)]
    every, levels = indices_of(payload, b[0], 1, sum(count * many for count, many in lengths))[0], []
    for (count, many), where in zip(lengths, at, strict=True):
        part, every = every[: count * many].reshape(count, many), every[count * many :]
        levels.append((numbers_of(part, *b), where))
    weights = weights_of(*rest, levels, mixed=bool(shared))
    found = values(frequencies, height, width, sizes, weights, grid, up)
    whole_images = found.reshape(n, rows, columns, height, width, c).swapaxes(2, 3)
    return whole_images.reshape(n, rows * height, columns * width, c)[:, :h, :w].reshape(shape).astype(dtype)


def decode_sound(model, settings, payload, shape, dtype):
    """The array of a chunk of ``inr.sound``."""
    (length, _), frequencies, sizes, b, rest, _ = parsed(model, "inr.sound", 1, (1,))
    if dtype != "int16" or len(shape) not in (1, 2) or not 1 <= (*shape, 1)[1] <= 64:
        raise entropy.Corrupt("another dtype, or no sound")
    frames, channels = (*shape, 1)[:2]
    patches = channels * -(-frames // length)
    exponents = indices_of(payload[: -(-patches // 2)], 4, 1, patches)[0]
    indices = numbers_of(indices_of(payload[-(-patches // 2) :], b[0], int(rest[2].max()) + 1, patches), *b)
    x, rows = features(length, frequencies), weights_of(*rest, [(indices, np.arange(patches))], mixed=True)
    found = [outputs(x, sizes, row) >> 34 - e for row, e in zip(rows, exponents.tolist(), strict=True)]
    sound = np.clip(found, -(1 << 15), (1 << 15) - 1).reshape(channels, -1)[:, :frames]
    if channels == 2:
        sound = np.clip([sound[0] + sound[1], sound[0] - sound[1]], -(1 << 15), (1 << 15) - 1)
    return sound.T.reshape(shape).astype(dtype)
