"""The codec `ar.stack` in plain Python and numpy, written from the text of ``spec/codecs/stack.md``; it decodes only."""

import math

import ar
import entropy
import exact
import numpy as np

LOW, HIGH = -512, 511
LOGITS, MEANS, LOG_SCALES = (-(1 << 12), 1 << 12), (-(1 << 18), 1 << 18), (-256, 640)


def numbers(message, n):
    """This number of numbers of the packed integers."""
    e = entropy.AdaptiveCategorical(n, 56, 24, [0] * n, 4, 256).pop(message)
    f = entropy.Bits([max(a - 1, 0) for a in e]).pop(message)
    z = [0 if a == 0 else b + (1 << a - 1) for a, b in zip(e, f, strict=True)]
    return np.cumsum([(v >> 1) ^ -(v & 1) for v in z], dtype=np.int64)


def counted(message, *limits):
    """Numbers within limits."""
    found = numbers(message, len(limits)).tolist()
    exact.check(all(a <= v <= b for v, (a, b) in zip(found, limits, strict=True)), "sizes out of range")
    return found


def matrix(message, rows, columns):
    (bits,) = counted(message, (2, 15))
    r, q = counted(message, *[(0, 127)] * rows), counted(message, *[(0, 127)] * columns)
    log_scales = [min(max(8 * (a + b - 8) - 128, -128), 960) for a in r for b in q]
    size = rows * columns
    symbols = entropy.location_scale("DiscretizedLogistic", size, 1 << bits, 24, [1 << bits + 7] * size, log_scales)
    return np.array(symbols.pop(message), np.int64).reshape(rows, columns) - (1 << bits - 1)


def integers(config, key, low, high, count=None):
    """A list of a config."""
    found = config.get(key)
    exact.check(type(found) is list and len(found) in ([count] if count else range(17)), f"{key} of another length")
    exact.check(all(type(v) is int and low <= v <= high for v in found), f"{key} out of range")
    return found


def network_of(message, layers, probe):
    """A network of this number of layers, from packed integers."""
    tensors = {"n.range": np.array([LOW, HIGH]), "n.probe": probe}
    for layer in (f"n.{number}" for number in range(layers)):
        rows, inputs, skip = counted(message, (1, 4096), (1, 4096), (0, 64))
        tensors[f"{layer}.weight"] = matrix(message, rows, inputs)
        for key in ("bias", "shift", "low", "high"):
            tensors[f"{layer}.{key}"] = numbers(message, rows)
        tensors[f"{layer}.skip"] = np.array([skip])
    return exact.Network(tensors, "n")


def check_network(network, inputs, limits):
    """It takes this number of inputs, and says no more than the limits of each output allow."""
    exact.check((network.inputs, network.outputs) == (inputs, len(limits)), "a network of another size")
    (least, most), (low, high) = np.transpose(limits), network.layers[-1][3:5]
    exact.check((least <= low).all() and (high <= most).all(), "parameters out of range")


def packed(tensors, channels):
    """The message of the packed integers, and the probes."""
    found, probes = (tensors.get(key, np.zeros(0)) for key in ("packed", "probes"))
    exact.check(found.dtype == np.uint8 and found.ndim == 1, "nothing is packed")
    exact.check(probes.dtype == np.uint8 and probes.shape == (channels, 16), "no probes")
    return entropy.Message.parse(found.tobytes()), probes


class Stack:
    """A model without predictors."""

    def __init__(self, config, tensors):
        self.height, self.width, self.channels = integers(config, "shape", 1, 128, 3)
        exact.check(self.channels <= 4, "too many channels")
        self.symbols, self.components = (
            integers({key: [config.get(key)]}, key, 0, 256, 1)[0] for key in ("symbols", "components")
        )
        exact.check(self.symbols >= 2 and self.components <= 16, "symbols or components out of range")
        self.atoms, self.tallies = (integers(config, key, 0, self.symbols - 1) for key in ("atoms", "tallies"))
        exact.check(self.symbols == 2 or len(self.atoms) + self.components > 0, "a mixture of nothing")
        self.order, self.referred = integers(config, "order", 0, 3, self.channels), config.get("referred")
        exact.check(sorted(self.order) == list(range(self.channels)), "channels in no order")
        exact.check(type(self.referred) is bool and not (self.referred and self.symbols == 2), "no such references")
        message, probes = packed(tensors, self.channels)
        self.planes = [self.plane(message, i, probes[i]) for i in range(self.channels)]
        message.check_end()
        slopes = [c // -d + 1 for taps, *_ in self.planes for d, c, _ in taps if d < 0]
        self.slope = max([1, *slopes])

    def plane(self, message, i, probe):
        """Taps, curves, the table of counts, and the network."""
        t, k, columns, layers = counted(message, (0, 512), (1, 16), (256, 511), (1, 64))
        exact.check(columns == (511 if self.referred else 256), "curves of another length")
        taps = numbers(message, 3 * t).reshape(3, t).T.tolist()
        for d, c, j in taps:
            known = d < 0 or (d == 0 and c < 0) or (d == c == 0 and j < i)
            exact.check(known and d >= -31 and abs(c) <= 31 and 0 <= j < self.channels, "a tap that is not known")
        curves, counting = numbers(message, k * columns).reshape(k, columns), numbers(message, 256)
        exact.check(all(v.min() >= LOW and v.max() <= HIGH for v in (curves, counting)), "inputs out of range")
        network = network_of(message, layers, probe)
        references = self.channels + i if self.referred else 0
        inputs = t * k + references + 2 * len(self.tallies) + self.height + self.width
        limits = (
            [LOGITS] * (len(self.atoms) + self.components) + [MEANS] * self.components + [LOG_SCALES] * self.components
        )
        check_network(network, inputs, [LOGITS] if self.symbols == 2 else limits)
        return taps, curves, counting, network

    def pop(self, message, n):
        """This number of images."""
        x = np.zeros((n, self.height, self.width, self.channels), np.int64)
        counts = np.zeros((n, self.channels, len(self.tallies)), np.int64)
        for front in range(self.width + self.slope * (self.height - 1)):
            rows = [y for y in range(self.height) if 0 <= front - self.slope * y < self.width]
            pixels = [(y, front - self.slope * y) for y in rows]
            for i in range(self.channels):
                seen = [self.look(x[image], counts[image, i], i, *pixel) for pixel in pixels for image in range(n)]
                if seen:
                    values = self.distribution(i, *zip(*seen, strict=True)).pop(message)
                    for (y, c), part in zip(pixels, np.reshape(values, (len(pixels), n)), strict=True):
                        x[:, y, c, i] = part
            for y, c in pixels:
                counts += x[:, y, c, :, None] == np.array(self.tallies, np.int64)
        out = np.empty_like(x)
        out[..., self.order] = x
        return out.astype(np.uint8)

    def look(self, x, counts, i, y, c):
        """The inputs of a network, and what is expected."""
        taps, curves, counting, _ = self.planes[i]

        def at(down, right):
            inside = y + down >= 0 and 0 <= c + right < self.width
            return x[y + down, c + right] if inside else np.zeros(self.channels, np.int64)

        inputs, references, expected = [], [255] * self.channels, 0
        if self.referred:
            v, w, n, u = at(0, 0), at(0, -1), at(-1, 0), at(-1, -1)
            med = lambda j: sorted((w[j], n[j], w[j] + n[j] - u[j]))[1]  # noqa: E731

            def expect(j):
                if j == 0:
                    return med(0)
                dw, dn, du = (a[j] - a[0] for a in (w, n, u))
                return min(max(sorted((dw, dn, dw + dn - du))[1] + v[0], 0), 255)

            expected = expect(i)
            references = [v[j] if j < i else expected if j == i else med(j) for j in range(self.channels)]
        for down, right, j in taps:
            value = at(down, right)[j] - references[j] + 255
            inputs += curves[:, value].tolist()
        if self.referred:
            inputs += [r - 128 for r in references] + [v[j] - expect(j) for j in range(i)]
        inputs += [counting[min(a, 255)] for a in counts] + [128 * a // (1 + counts.sum()) for a in counts]
        inputs += [128 * (r == y) for r in range(self.height)] + [128 * (r == c) for r in range(self.width)]
        return inputs, int(expected)

    def distribution(self, i, inputs, expected):
        outputs = self.planes[i][3](np.array(inputs)).tolist()
        if self.symbols == 2:
            return entropy.bernoulli(len(outputs), 18, [entropy.ones_of_log_odds(18, odds) for (odds,) in outputs])
        a, k = len(self.atoms), self.components
        w = [entropy.weights(out[: a + k]) for out in outputs]
        means = [
            [256 * v for v in self.atoms] + [m + 256 * e for m in out[a + k : a + 2 * k]]
            for out, e in zip(outputs, expected, strict=True)
        ]
        log_scales = [[-384] * a + out[a + 2 * k :] for out in outputs]
        return entropy.logistic_mixture(len(outputs), self.symbols, 24, w, means, log_scales)


class Fitted:
    """A model with predictors."""

    symbols = 256

    def __init__(self, config, tensors):
        self.config = config
        self.height, self.width, self.channels = integers(config, "shape", 1, 128, 3)
        exact.check(self.channels in (1, 3), "channels that predictors do not have")
        self.order = integers(config, "order", 0, self.channels - 1, self.channels)
        exact.check(sorted(self.order) == list(range(self.channels)), "channels in no order")
        (self.components,) = integers({"components": [config.get("components")]}, "components", 1, 16, 1)
        integers(config, "decays", 0, 255, 2)
        integers(config, "periods", 1, 65536, 2)
        message, probes = packed(tensors, self.channels)
        self.planes = [self.plane(message, i, probes[i], tensors) for i in range(self.channels)]
        message.check_end()

    def plane(self, message, i, probe, tensors):
        """The prior of the predictors, the taps, the network."""
        t, layers = counted(message, (0, 512), (1, 64))
        taps = numbers(message, 3 * t).reshape(3, t).T.tolist()
        for d, c, j in taps:
            known = 0 < j <= i or (j == 0 and (d < 0 or (d == 0 and c < 0)))
            exact.check(known and max(abs(d), abs(c)) <= 4, "a tap that is not known")
        exact.check([j for *_, j in taps] == sorted(j for *_, j in taps), "taps out of order")
        network = network_of(message, layers, probe)
        limits = [(-(1 << 12), 1 << 12), (-(1 << 11), 1 << 11), (-(1 << 10), 1 << 10)]
        check_network(network, ar.SIZES[i][1] + t, [pair for pair in limits for _ in range(self.components)])
        return ar.read_prior(f"plane{i}.prior", tensors, ar.SIZES[i][0]), taps, network

    @np.errstate(all="ignore")
    def pop(self, message, n):
        """This number of images."""
        planes = []
        for prior, taps, network in self.planes:
            planes.insert(0, np.zeros((n, 2, self.height + 8, self.width + 8), np.float32))
            seen = [[p[image] for p in planes] for image in range(n)]
            walks = [ar.walk_plane(self.config, prior, here, before, 255) for here, *before in seen]
            told = [next(walk) for walk in walks]
            while told and told[0]:
                said = network(np.array([self.look(taps, *each) for each in told]))
                parts = zip(*(self.mixture(out, each) for out, each in zip(said, told, strict=True)), strict=True)
                values = entropy.logistic_mixture(n, 256, 24, *map(list, parts)).pop(message)
                told = [ar.further(walk, value) for walk, value in zip(walks, values, strict=True)]
        out = np.empty((n, self.height, self.width, self.channels), np.uint8)
        for channel, plane in zip(self.order, planes[::-1], strict=True):
            out[..., channel] = plane[:, 0, 4 : self.height + 4, 4 : self.width + 4]
        return out

    def look(self, taps, *told):
        """The inputs of a network."""
        _, _, around, s, m, *_ = told
        middle = [m, *(x[ar.MIDDLE] for x, _ in around[1:])]
        window = np.array([around[j][0][4 + d, 4 + c] - middle[j] for d, c, j in taps], np.float32)
        return [*ar.described(told, 255), *ar.compress(window * (32 / s))]

    def mixture(self, out, told):
        return ar.mixture_of(np.split(np.array(out), 3), told[3], told[4])


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk; `model` is what `exact.parse_model` returns, and `settings` has no bearing."""
    codec, config, tensors = model
    exact.check(codec == "ar.stack", "another codec")
    stack = (Fitted if "decays" in config else Stack)(config, tensors)
    item = (stack.height, stack.width, stack.channels)
    if tuple(shape[1:]) != item and (stack.channels > 1 or tuple(shape[1:]) != item[:2]):
        raise entropy.Corrupt("an array of another shape")
    if dtype != "uint8" and (dtype != "bool" or stack.symbols > 2):
        raise entropy.Corrupt("an array of another dtype")
    message = entropy.Message.parse(payload)
    x = stack.pop(message, shape[0]) if math.prod(shape) else np.zeros(shape, np.uint8)
    message.check_end()
    return x.reshape(shape).astype(dtype)
