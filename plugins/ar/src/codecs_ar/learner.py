"""The compiled network, which goes on learning while it codes: after each value, one step down the gradient of its cost.

Encoder and decoder take the same steps. Numbers are of single precision; their ``+ - *`` are taken in a fixed order.
Hidden activations are multiples of 2^-8 and gradients of 2^-12, so that no product is near the subnormal ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import LogisticMixture, logistic_pair
from codecs_core.jit import borrowing
from codecs_core.jit.lanes import clamped, floored, folded, load16, store

#: Outputs of a layer are a multiple of this.
LANES = 16
#: Fractional bits of features, and of weights and biases in a model.
FEATURE_BITS, WEIGHT_BITS, BIAS_BITS = 5, 20, 24
#: Sets of biases: one for each parity of row and column.
PARITIES = 4
#: Bounds, in magnitude, of what is said of a value: logits, means and log-scales, in units of 1/64.
LOGIT_LIMIT, MEAN_LIMIT, LOG_SCALE_LIMIT = 1 << 11, 1 << 11, 1 << 10
#: Units and largest magnitudes of hidden activations and of gradients.
_HIDDEN, _HIDDEN_UNIT, _HIDDEN_LIMIT = np.array([2.0**8, 2.0**-8, 2.0**7], np.float32)
_GRADIENT, _GRADIENT_UNIT, _GRADIENT_LIMIT = np.array([2.0**12, 2.0**-12, 2.0**3], np.float32)
#: The least log-scale of a mixture.
FINEST = LogisticMixture.LOG_SCALE.low
_FEATURE = np.float32(2.0**-FEATURE_BITS)
_ZERO = np.float32(0)
#: Where the squares of a layer's inputs add up to more, a step is as much shorter: or it would go too far for these inputs.
ENERGY = np.float32(128)
#: What networks say is in nats, or in scales: 64 log2(e) to eight digits, and 64.
_OCTAVES, _UNITS = 92.332482, 64.0


class Network(NamedTuple):
    """Layers with a ReLU between them.

    `weights` are (inputs, outputs), layer after layer; `biases`, so, one set after the other; `sizes` are the widths from the
    inputs on, made divisible by `LANES` with zeros; `rates` are those of learning, of weights and of biases, or 0. The last layer has
    the logits, means and log-scales of a mixture. `hidden` are the inputs of all layers; those that may not be zero are listed in
    `active`, and `counts` says how many there are; `energies` are the
    sums of the squares of a layer's inputs; `gradients` are those by the outputs; `sums` are to work in.
    """

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    sizes: NDArray[np.int64]
    hidden: NDArray[np.float32]
    active: NDArray[np.int64]
    counts: NDArray[np.int64]
    gradients: NDArray[np.float32]
    sums: NDArray[np.float32]
    rates: NDArray[np.float32]
    energies: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        weights: Sequence[NDArray[np.int32]],
        biases: Sequence[NDArray[np.int32]],
        inputs: int,
        rates: Sequence[int] = (0, 0),
    ) -> Network:
        """Weights of shape (outputs, inputs) and biases as a model holds them.

        Parameters
        ----------
        weights, biases
            Layer after layer.
        inputs
            Features.
        rates
            Negative exponents of 2, or 0.
        """
        sizes = [padded(inputs), *(padded(len(b)) for b in biases)]
        wide = [np.zeros((a, b), np.float32) for a, b in pairwise(sizes)]
        long = [np.zeros(b, np.float32) for b in sizes[1:]]
        for weight, bias, w, b in zip(weights, biases, wide, long, strict=True):
            w[: weight.shape[1], : weight.shape[0]] = weight.T * 2.0**-WEIGHT_BITS
            b[: len(bias)] = bias * 2.0**-BIAS_BITS
        nothing = np.zeros(0, np.float32)
        active, counts = np.zeros(sum(sizes), np.int64), np.zeros(len(sizes), np.int64)
        active[:inputs], counts[0] = np.arange(inputs), inputs
        return cls(
            aligned(np.concatenate([nothing, *(w.reshape(-1) for w in wide)])),
            aligned(np.tile(np.concatenate([nothing, *long]), PARITIES)),
            np.array(sizes, np.int64),
            aligned(np.zeros(sum(sizes), np.float32)),
            active,
            counts,
            aligned(np.zeros(max(sizes), np.float32)),
            aligned(np.zeros(max(sizes), np.float32)),
            np.array([2.0**-rate if rate else 0.0 for rate in rates], np.float32),
            np.zeros(len(sizes), np.float32),
        )

    @property
    def layers(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Of each layer the weights (inputs, outputs) and the biases (parities, outputs), as they are now: views."""
        biases, found, first, at = self.biases.reshape(PARITIES, -1), [], 0, 0
        for inputs, outputs in pairwise(self.sizes.tolist()):
            weights = self.weights[first : first + inputs * outputs].reshape(inputs, outputs)
            found.append((weights, biases[:, at : at + outputs]))
            first, at = first + inputs * outputs, at + outputs
        return found


def aligned(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy whose vectors do not lie across the lines of a cache."""
    memory = np.zeros(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    result = memory[start : start + array.nbytes].view(np.float32)
    result[:] = array
    return result


def padded(width: int) -> int:
    """The next multiple of `LANES`."""
    return -(-width // LANES) * LANES


@borrowing
def evaluate(row, parity, network, components, out):
    """Evaluate a network on a row of features; the outputs, in units of 1/64, are left in `out`."""
    weights, biases, sizes, hidden, active, counts, _, sums, _, energies = network
    layers = sizes.size - 1
    energy = load16(hidden, 0) * _ZERO
    for i in range(0, sizes[0], LANES):
        x = load16(row, i) * _FEATURE
        store(hidden, i, x)
        energy = energy + x * x
    energies[0] = folded(energy)
    first, at, here = 0, parity * (biases.size // PARITIES), 0
    for layer in range(layers):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        if layer > 0:
            count = np.int64(0)
            for i in range(inputs):
                active[np.uint64(here + count)] = i
                count += np.int64(hidden[np.uint64(here + i)] != _ZERO)
            counts[layer] = count
        count = counts[layer]
        # the weights of one input after the other's, for as many outputs as there are registers
        wide = outputs & ~63
        for j in range(0, wide, 64):
            a, b, c, d = (
                load16(biases, at + j),
                load16(biases, at + j + 16),
                load16(biases, at + j + 32),
                load16(biases, at + j + 48),
            )
            for number in range(count):
                row_at, x = _weighted(number, first + j, outputs, here, active, hidden)
                a = a + x * load16(weights, row_at)
                b = b + x * load16(weights, row_at + 16)
                c = c + x * load16(weights, row_at + 32)
                d = d + x * load16(weights, row_at + 48)
            store(sums, j, a)
            store(sums, j + 16, b)
            store(sums, j + 32, c)
            store(sums, j + 48, d)
        for j in range(wide, outputs, LANES):
            a = load16(biases, at + j)
            for number in range(count):
                row_at, x = _weighted(number, first + j, outputs, here, active, hidden)
                a = a + x * load16(weights, row_at)
            store(sums, j, a)
        first += inputs * outputs
        at += outputs
        here += inputs
        if layer < layers - 1:
            energy = load16(hidden, 0) * _ZERO
            for j in range(0, outputs, LANES):
                x = floored(clamped(load16(sums, j), _ZERO, _HIDDEN_LIMIT) * _HIDDEN) * _HIDDEN_UNIT
                store(hidden, here + j, x)
                energy = energy + x * x
            energies[layer + 1] = folded(energy)
    for k in range(components):
        out[k] = _bounded(np.float64(sums[k]) * _OCTAVES, LOGIT_LIMIT)
        out[components + k] = _bounded(np.float64(sums[components + k]) * _UNITS, MEAN_LIMIT)
        out[2 * components + k] = _bounded(np.float64(sums[2 * components + k]) * _OCTAVES, LOG_SCALE_LIMIT)


@borrowing
def _weighted(number, first, outputs, here, active, hidden):
    """Where the weights of an active input begin, and the input."""
    i = active[np.uint64(here + number)]
    return first + i * outputs, hidden[np.uint64(here + i)]


@borrowing
def _bounded(value, limit):
    return np.int64(np.floor(min(max(value, -np.float64(limit)), np.float64(limit)) + 0.5))


@borrowing
def differentiate(symbol, scale, top, mix, room, family, network):
    """The gradient of the cost of a symbol, in nats, by the outputs of a network: left in its `gradients`.

    `mix` is a mixture as `mixture_find` takes it, `scale` that of the means.
    """
    _, weights, means, log_scales, cells, reciprocals, _, _, _ = mix
    parts, inverses, gradients = room.parts, family.inverses, network.gradients
    components = weights.shape[1]
    # what every value has at the least
    total = 2.0**-24
    for c in range(components):
        low, high = logistic_pair(symbol, means[0, c], log_scales[0, c], cells, reciprocals)
        below = 0.0 if symbol == 0 else np.float64(low) * 2.0**-32
        upto = 1.0 if symbol == top else np.float64(high) * 2.0**-32
        weight, inverse = (
            np.float64(weights[0, c]) * 2.0**-16,
            inverses[np.uint64(np.int64(log_scales[0, c]) - FINEST)],
        )
        distance = np.float64((symbol << 8) - np.int64(means[0, c])) * 2.0**-8
        # of the CDF at both ends of the bin, by where they are
        slope_low, slope_high = below * (1.0 - below), upto * (1.0 - upto)
        part = weight * (upto - below)
        total += part
        parts[0, c], parts[1, c] = weight, part
        parts[2, c] = weight * (slope_high - slope_low) * (scale * inverse)
        parts[3, c] = weight * (slope_high * ((distance + 0.5) * inverse) - slope_low * ((distance - 0.5) * inverse))
    for c in range(components):
        gradients[c] = _rounded(parts[0, c] - parts[1, c] / total)
        gradients[components + c] = _rounded(parts[2, c] / total)
        gradients[2 * components + c] = _rounded(parts[3, c] / total)


@borrowing
def _rounded(gradient):
    return np.float32(np.floor(min(max(gradient, -1.0), 1.0) * 4096.0 + 0.5)) * _GRADIENT_UNIT


@borrowing
def learn(parity, network):
    """One step of stochastic gradient descent, given the gradient by the outputs; in the end it is zero."""
    weights, biases, sizes, hidden, _, _, gradients, sums, rates, energies = network
    layers = sizes.size - 1
    weight_rate, bias_rate = rates[0], rates[1]
    first, at, here = weights.size, (parity + 1) * (biases.size // PARITIES), hidden.size - sizes[layers]
    nothing = load16(gradients, 0) * _ZERO
    for layer in range(layers - 1, -1, -1):
        inputs, outputs = sizes[layer], sizes[layer + 1]
        first -= inputs * outputs
        at -= outputs
        here -= inputs
        if layer > 0:
            _back(layer, first, here, network)
        _move(layer, first, here, weight_rate * (ENERGY / max(energies[layer], ENERGY)), network)
        for j in range(0, outputs, LANES):
            store(biases, at + j, load16(biases, at + j) - bias_rate * load16(gradients, j))
        if layer > 0:
            for j in range(0, inputs, LANES):
                back = clamped(load16(sums, j), -_GRADIENT_LIMIT, _GRADIENT_LIMIT)
                store(gradients, j, floored(back * _GRADIENT) * _GRADIENT_UNIT)
    for j in range(0, sizes[layers], LANES):
        store(gradients, j, nothing)


@borrowing
def _back(layer, first, here, network):
    """The gradient by the inputs of a layer, left in `sums`."""
    weights, _, sizes, hidden, active, counts, gradients, sums, _, _ = network
    inputs, outputs = sizes[layer], sizes[layer + 1]
    nothing, wide = load16(gradients, 0) * _ZERO, outputs & ~63
    for i in range(0, inputs, LANES):
        store(sums, i, nothing)
    for number in range(counts[layer]):
        at, _ = _weighted(number, first, outputs, here, active, hidden)
        total = nothing
        for j in range(0, wide, 64):
            total = total + load16(gradients, j) * load16(weights, at + j)
            total = total + load16(gradients, j + 16) * load16(weights, at + j + 16)
            total = total + load16(gradients, j + 32) * load16(weights, at + j + 32)
            total = total + load16(gradients, j + 48) * load16(weights, at + j + 48)
        for j in range(wide, outputs, LANES):
            total = total + load16(gradients, j) * load16(weights, at + j)
        sums[np.uint64(active[np.uint64(here + number)])] = folded(total)


@borrowing
def _move(layer, first, here, rate, network):
    """Move the weights of a layer a step down the gradient."""
    weights, _, sizes, hidden, active, counts, gradients, _, _, _ = network
    count, outputs = counts[layer], sizes[layer + 1]
    wide = outputs & ~63
    for j in range(0, wide, 64):
        a, b = load16(gradients, j), load16(gradients, j + 16)
        c, d = load16(gradients, j + 32), load16(gradients, j + 48)
        for number in range(count):
            at, x = _weighted(number, first + j, outputs, here, active, hidden)
            step = x * rate
            store(weights, at, load16(weights, at) - step * a)
            store(weights, at + 16, load16(weights, at + 16) - step * b)
            store(weights, at + 32, load16(weights, at + 32) - step * c)
            store(weights, at + 48, load16(weights, at + 48) - step * d)
    for j in range(wide, outputs, LANES):
        a = load16(gradients, j)
        for number in range(count):
            at, x = _weighted(number, first + j, outputs, here, active, hidden)
            store(weights, at, load16(weights, at) - (x * rate) * a)
