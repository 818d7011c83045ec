"""Model files and exact networks in plain Python and numpy, written from the text of ``spec/exact.md``.

The probe is compared if the library xxhash is there.
"""

import json
import math

import numpy as np


class Unfit(ValueError):
    """A model that breaks the rules."""


def check(holds, text):
    if not holds:
        raise Unfit(text)


def parse_model(data):
    """Codec, config and tensors of a model file."""
    length = int.from_bytes(data[:8], "little")
    check(8 + length <= len(data), "it ends inside its header")
    try:
        header = json.loads(data[8 : 8 + length], object_pairs_hook=distinct)
        about = json.loads(header.pop("__metadata__")["codecs"], object_pairs_hook=distinct)
        ends = [tensor["data_offsets"][1] for tensor in header.values()]
        check(8 + length + max(ends, default=0) == len(data), "it does not end where its last tensor does")
        tensors = {name: parse_tensor(data[8 + length :], **tensor) for name, tensor in header.items()}
        return about["codec"], about["config"], tensors
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unfit(f"no model: {error}") from error


def distinct(pairs):
    check(len(dict(pairs)) == len(pairs), "a key occurs twice")
    return dict(pairs)


def parse_tensor(data, dtype, shape, data_offsets):
    start, end = data_offsets
    kind = np.dtype(f"<{ {'U': 'u', 'I': 'i', 'F': 'f'}[dtype[0]] }{int(dtype[1:]) // 8}")
    check(
        0 <= start <= end <= len(data) and end - start == math.prod(shape) * kind.itemsize, "a tensor of another size"
    )
    return np.frombuffer(data[start:end], kind).reshape(shape)


class Network:
    """A network of a model, evaluated in 64-bit integers: its bound is below 2^53."""

    def __init__(self, tensors, name):
        def tensor(key, default=None):
            found = tensors.get(f"{name}.{key}", default)
            check(found is not None and found.dtype.kind in "iu", f"{name}.{key} is missing, or does not hold integers")
            fits = found.size and int(found.min()) > -(1 << 53) and int(found.max()) < 1 << 53
            check(fits, f"{name}.{key} is empty, or out of range")
            return found.astype(np.int64)

        self.layers = []
        while f"{name}.{len(self.layers)}.weight" in tensors:
            i = len(self.layers)
            weight, *rows = (tensor(f"{i}.{key}") for key in ("weight", "bias", "shift", "low", "high"))
            skip = tensor(f"{i}.skip", np.zeros(1, int))
            odd = weight.ndim == 2 or (weight.ndim == 4 and all(a % 2 for a in weight.shape[1:3]))
            same = skip.shape == (1,) and all(row.shape == weight.shape[:1] for row in rows)
            check(odd and same, "a layer of another shape")
            self.layers.append((weight, *rows, int(skip[0])))
        check(self.layers and tensor("range").shape == (2,), f"there is no network {name}")
        self.low, self.high = tensor("range").tolist()
        self.inputs, self.outputs = self.layers[0][0].shape[-1], len(self.layers[-1][0])
        self.check_layers()
        check(tensor("probe").shape == (16,) and tensors[f"{name}.probe"].dtype == np.uint8, "no probe")
        self.check_probe(bytes(tensors[f"{name}.probe"]))

    def check_layers(self):
        spans = [(np.full(self.inputs, self.low), np.full(self.inputs, self.high))]
        check(-(1 << 24) < self.low <= self.high < 1 << 24, "a range out of range")
        for i, (weight, bias, shift, low, high, skip) in enumerate(self.layers):
            p, q = spans[-1]
            check(weight.shape[-1] == len(p) and 0 <= skip <= i + 1, "layers that do not fit each other")
            fits = (shift >= 0).all() and (shift <= 52).all() and (low <= high).all()
            check(fits and (abs(np.stack([low, high])) < 1 << 24).all(), "a layer out of range")
            up, down = np.maximum(q, 0), -np.minimum(p, 0)
            # in floating point: products of such weights and inputs are beyond 64 bits
            taps = tuple(range(1, weight.ndim - 1))
            plus, minus = (np.maximum(v, 0).astype(float).sum(taps) for v in (weight, -weight))
            reach = np.maximum(plus @ up + minus @ down, plus @ down + minus @ up) + np.abs(bias)
            if skip:
                check(len(spans[-skip][0]) == len(bias), "a skip of another width")
                reach = reach + np.abs(np.stack(spans[-skip])).max(0)
            check(reach.max() < 1 << 53, "a bound of 2^53 or more")
            spans.append((low, high))

    def check_probe(self, probe):
        try:
            import xxhash
        except ImportError:
            return
        z = np.arange(1, 48 * self.inputs + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        w = (z ^ z >> np.uint64(31)) >> np.uint64(32)
        v = self.low + (w.astype(np.int64) * (self.high - self.low + 1) >> 32).reshape(48, -1)
        zero = min(max(0, self.low), self.high)
        x = zero + (v - zero) * np.arange(1, 49)[:, None] // 48
        x[46], x[47] = self.low, self.high
        y = self(x.reshape(6, 8, -1))
        check(xxhash.xxh3_128_digest(y.astype("<i4").tobytes()) == probe, "another probe")

    def __call__(self, x):
        """Outputs for inputs along the last axis; for a convolution, images with rows and columns before it."""
        inputs = [np.asarray(x, np.int64)]
        for weight, bias, shift, low, high, skip in self.layers:
            v = inputs[-skip] if skip else 0
            inputs.append(np.clip((sums(weight, inputs[-1]) + bias >> shift) + v, low, high))
        return inputs[-1]


def sums(weight, x):
    """The sums of a layer's products."""
    if weight.ndim == 2:
        return x @ weight.T
    a, b = weight.shape[1:3]
    height, width = x.shape[-3:-1]
    x = np.pad(x, [(0, 0)] * (x.ndim - 3) + [(a // 2, a // 2), (b // 2, b // 2), (0, 0)])
    taps = [(i, j) for i in range(a) for j in range(b)]
    return sum(x[..., i : i + height, j : j + width, :] @ weight[:, i, j].T for i, j in taps)
