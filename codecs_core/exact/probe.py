"""The probe of a network: a fixed input, and the digest of the integers that come out.

It is compared each time a network is loaded. A machine whose floating point is not what `codecs_core.exact` relies on (a
broken BLAS, a kernel that rounds to fewer bits, flags set by other software in the process) is found out before it writes a
file that nobody can read, or decodes noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_core.exact.kernels import windows

if TYPE_CHECKING:
    from codecs_core.exact.layer import Layer
    from codecs_core.exact.net import ExactNet
    from codecs_core.exact.step import Step

#: Rows of the input, more than the tile of a matrix product; where a layer is a convolution, the pixels of an image.
ROWS = 48
HEIGHT, WIDTH = 6, 8
#: The image again in a batch, which is multiplied in other blocks than the image alone.
COPIES = 23

_REPORT = "Please report numpy.show_config() and the processor"


def _words(rows: int, width: int) -> NDArray[np.int64]:
    """Pseudorandom integers below 2^32, shape (rows, width): high halves of SplitMix64 (Steele et al. 2014)."""
    # as beneath a message of `codecs_core.entropy`
    z = np.arange(1, rows * width + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).astype(np.int64).reshape(rows, width)


def inputs(width: int, low: int, high: int) -> NDArray[np.int32]:
    """Integers of shape (48, width) from `low` to `high`: pseudorandom, from near zero in the first row to the whole range in the last.

    The last two rows are all `low` and all `high`.
    """
    values = low + _words(ROWS, width) * (high - low + 1) // (1 << 32)
    zero = min(max(0, low), high)
    values = zero + (values - zero) * np.arange(1, ROWS + 1)[:, None] // ROWS
    values[-2:] = [[low], [high]]
    return values.astype(np.int32)


def outputs(net: ExactNet) -> NDArray[np.int32]:
    """A network's output for `inputs`, evaluated in different ways, shape (48, outputs)."""
    _try_products(net)
    x = inputs(net.inputs, net.low, net.high)
    if not net.spatial:
        # a BLAS has a routine for one row, and others for small and for large products
        return np.concatenate([net(x[:1]), net(x[1:4]), net(x[4:])])
    image = x.reshape(1, HEIGHT, WIDTH, -1)
    out = net(image)
    if (net(np.repeat(image, COPIES, 0)) != out).any():
        raise ModelError(f"this machine computes other integers for an image alone than in a batch; refused. {_REPORT}")
    return out.reshape(ROWS, -1)


def _try_products(net: ExactNet) -> None:
    """Raise `ModelError` unless each layer's products are right for as many rows as they have terms.

    Where these numbers are equal, a BLAS that mixes them up is wrong, and for few others: the digest may never ask for them.
    """
    for layer, step, span in zip(net.layers, net._plan.steps, net._plan.spans, strict=True):
        for rows in sorted({step.terms, *map(len, step.weight)}):
            if rows <= step.rows and not _multiplies(layer, step, span, rows):
                raise ModelError(
                    f"this machine computes other sums for {rows} rows of {step.terms} terms than integers have; refused. {_REPORT}"
                )


def _multiplies(layer: Layer, step: Step, span: tuple[NDArray[np.int64], NDArray[np.int64]], rows: int) -> bool:
    """Whether (X W) r = X (W r) for a vector r, in integers of 64 bits (Freivalds 1977): as good as a second product, and much faster."""
    low, high = span
    x = (low + (_words(rows, low.size) * (high - low + 1) >> 32)).astype(np.float32)
    size, terms = (1, rows), np.empty((rows, step.terms), np.float32)
    windows(x.reshape(-1), *size, step.taps, step.inputs, 0, 0, terms)
    products = np.empty((len(step.weight), rows, step.outputs), step.dtype)
    with np.errstate(all="ignore"):
        step.multiply(x, size, 0, np.empty(step.scratch(rows)[0], np.uint8), products)
        found = products.astype(np.int64).sum(0)
    weight = layer.weight.reshape(layer.outputs, -1).astype(np.int64)
    r = _words(1, layer.outputs)[0] >> 16
    return np.array_equal(found @ r, terms.astype(np.int64) @ (r @ weight))


def digest(net: ExactNet) -> bytes:
    """The 16 bytes of XXH3-128 of a network's output for `inputs`, as little-endian 32-bit integers, row by row."""
    return xxhash.xxh3_128_digest(outputs(net).astype("<i4").tobytes())


def check(net: ExactNet, expected: NDArray[Any] | None, name: str) -> None:
    """Raise `ModelError` unless the digest is `expected`, the tensor that a model file carries."""
    if expected is None or expected.shape != (16,) or expected.dtype != np.uint8:
        raise ModelError(f"a model lacks the probe of its network {name!r}; whoever made it can add one")
    if digest(net) != expected.tobytes():
        raise ModelError(
            f"network {name!r} of a model fails its probe: this machine computes other integers than the one that made the model, "
            f"and would decode something else than was encoded; refused. {_REPORT}"
        )
