"""The codecs ``inr.image`` and ``inr.coin`` in plain Python and numpy, written from ``spec/codecs/inr.md``."""

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


def weights_of(held, basis, group, indices):
    """For indices of shape (groups, patches): shape (patches, N)."""
    z = np.zeros((indices.shape[1], len(group)), np.int64)
    for g, index in enumerate(indices):
        members = np.flatnonzero(group == g)
        z[:, members] = rec.proposals(index, g, len(members)) >> 16
    h, first = np.clip(held["scale"] * z >> 16, -(1 << 28), 1 << 28), 0
    for matrix in basis:
        at = slice(first, first + len(matrix))
        h[:, at], first = h[:, at] @ matrix >> 7, at.stop
    return np.clip(held["mean"] + h, -(1 << 28), 1 << 28)


def values(frequencies, height, width, sizes, parameters):
    """Of networks with rows of weights: shape (networks, height, width, channels)."""
    down, across = features(height, frequencies), features(width, frequencies)
    x = np.concatenate([np.repeat(down, width, 0), np.tile(across, (height, 1))], 1)
    found = np.empty((len(parameters), height, width, sizes[-1][1]), np.int64)
    for one, row in zip(found, parameters, strict=True):
        y, at = x, 0
        for i, (inputs, outputs) in enumerate(sizes):
            matrix = row[at : at + inputs * outputs].reshape(inputs, outputs)
            at += inputs * outputs
            a = y @ matrix[:-1] + (matrix[-1] << 14)
            y = sin(a >> 20) if i + 1 < len(sizes) else np.clip((a >> 34) + 128, 0, 255)
        one[...] = y.reshape(one.shape)
    return found


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


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk."""
    codec, config, tensors = model
    exact.check(codec == "inr.image" and type(config) is dict, "a model of another codec")
    height, width, c = item = whole(config, "item_shape", (3, 3), 1, 1 << 12)
    exact.check(c in (1, 3) and np.prod(item) <= 1 << 20, "an item of another shape")
    hidden = whole(config, "hidden", (1, 16), 1, 1023)
    whole(config, "steps", (2, 2), 1, 1 << 20)
    b, variance = config.get("index_bits"), config.get("variance")
    exact.check(type(b) is int and 1 <= b <= 20, "another index_bits")
    exact.check(type(variance) is int and 1 <= variance <= 1 << 24, "another variance")
    frequencies = rec.tensor(tensors, "frequencies", (None,), 0, 1 << 20)
    exact.check(0 < 4 * len(frequencies) < 1 << 10, "no frequencies, or too many")
    sizes = layers([4 * len(frequencies), *hidden, c])
    n_weights = sum(rows * columns for rows, columns in sizes)
    held = {
        "mean": rec.tensor(tensors, "mean", (n_weights,), -(1 << 28), 1 << 28),
        "scale": rec.tensor(tensors, "scale", (n_weights,), 0, 1 << 28),
    }
    group = rec.tensor(tensors, "group", (n_weights,), -1, n_weights - 1)
    count = int(group.max()) + 1
    exact.check(count and {*range(count)} <= {*group.tolist()}, "no groups, or a gap in their numbers")

    linear, basis = config.get("linear"), []
    exact.check(type(linear) is bool, "neither with a basis nor without")
    for i, (inputs, outputs) in enumerate(sizes if linear else []):
        m = inputs * outputs
        exact.check(m <= 1 << 12, "a layer of too many weights")
        basis.append(rec.tensor(tensors, f"basis.{i}", (m, m), -128, 127))

    if dtype != "uint8":
        raise entropy.Corrupt("another dtype")
    n, h, w = shape_of_images(shape, c)
    rows, columns = -(-h // height), -(-w // width)
    patches = n * rows * columns
    bits = count * patches * b
    number = int.from_bytes(payload, "little")
    if len(payload) != -(-bits // 8) or number >> bits:
        raise entropy.Corrupt("a payload of another length, or bits behind the last index")
    digits = f"{number:0{bits}b}"[::-1] if bits else ""
    indices = [int(digits[i : i + b][::-1], 2) for i in range(0, bits, b)]
    parameters = weights_of(held, basis, group, np.array(indices, np.int64).reshape(count, patches))

    found = values(frequencies, height, width, sizes, parameters)
    whole_images = found.reshape(n, rows, columns, height, width, c).swapaxes(2, 3)
    return whole_images.reshape(n, rows * height, columns * width, c)[:, :h, :w].reshape(shape).astype(dtype)
