"""The prior of latents of one step: mixtures of logistics over the cells of a grid, and where in its cell a latent is expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import LogisticMixture, Message, logistic_pair, mixture_tables, softmax
from codecs_core.jit import kernel

#: Largest magnitude of the number of a cell, and fractional bits of places on the grid.
CELLS, GRID_BITS = 511, 8
#: Bits of the code's counts; and its symbols that go together: larger arrays are coded by several heads, which costs bytes.
PRECISION, PART = 22, (1 << 14) - 1
#: On shifted grids latents are not sent whose cell around 0 would take less than a tenth of a bit, in units of 2^-16.
LEAST = 6554
#: A cell is cut into parts to find its mean: eight, three octaves.
PARTS, _OCTAVES = 8, np.int64(3)


@dataclass(frozen=True, eq=False)
class Prior:
    """Priors of latents y, in units of the grid's spacing: cell k of a latent is from k + u - 1/2 to k + u + 1/2.

    Where u is a sample of the uniform distribution from -1/2 to 1/2 that both ends have, k = round(y - u) makes k + u a sample of the
    uniform distribution around y, whatever y is; what k tells is the information of y and k + u (Zamir, Feder 1992; Agustsson, Theis 2020).

    Parameters
    ----------
    logits, means, log_scales
        As in `LogisticMixture`: shape (n, components). Means are in units of 2^-8 of a spacing.
    shift
        The u of each, in units of 2^-8: shape (n,).
    sent
        Which of them are sent: shape (n,). Cells of others are 0.
    """

    logits: NDArray[np.int32]
    means: NDArray[np.int32]
    log_scales: NDArray[np.int32]
    shift: NDArray[np.int64]
    sent: NDArray[np.bool_]

    @classmethod
    def unshifted(cls, logits: NDArray[np.int32], means: NDArray[np.int32], log_scales: NDArray[np.int32]) -> Prior:
        """Grids have a point at 0, and all latents are sent."""
        size = len(means)
        return cls(logits, means, log_scales, np.zeros(size, np.int64), np.ones(size, bool))

    def shifted(self, shift: NDArray[np.int64]) -> Prior:
        """The same priors on shifted grids. Latents that are all but known are not sent.

        They are to samples what latents with less variance than the noise are to a Gaussian source (reverse water-filling).
        """
        told = [code.lengths(np.full(code.shape, CELLS)) for _, code in self._codes]
        sent = np.concatenate(told) > LEAST if told else self.sent
        return Prior(self.logits, self.means, self.log_scales, np.where(sent, shift, 0), sent)

    @cached_property
    def _off(self) -> NDArray[np.int64]:
        """Means, counted from the shifted grid."""
        return self.means - self.shift[:, None]

    @cached_property
    def _codes(self) -> list[tuple[slice, LogisticMixture]]:
        """Of k + CELLS of the latents that are sent, part by part."""
        logits, means, log_scales = (array[self.sent] for array in (self.logits, self._off, self.log_scales))
        means, codes = means + (CELLS << GRID_BITS), []
        for start in range(0, len(means), PART):
            part = slice(start, start + PART)
            code = LogisticMixture(
                logits[part], means[part], log_scales[part], symbols=2 * CELLS + 1, precision=PRECISION
            )
            codes.append((part, code))
        return codes

    def push(self, message: Message, k: NDArray[np.int64]) -> None:
        """Push cells."""
        sent = k[self.sent] + CELLS
        for part, code in reversed(self._codes):
            code.push(message, sent[part])

    def pop(self, message: Message) -> NDArray[np.int64]:
        """Pop cells, shape (n,)."""
        out = np.zeros(len(self.means), np.int64)
        found = [code.pop(message).astype(np.int64) - CELLS for _, code in self._codes]
        out[self.sent] = np.concatenate(found) if found else 0
        return out

    def bits(self, k: NDArray[np.int64]) -> NDArray[np.float64]:
        """What cells cost."""
        out, sent = np.zeros(len(k)), k[self.sent] + CELLS
        found = [code.information(sent[part]) for part, code in self._codes]
        out[self.sent] = np.concatenate(found) if found else 0
        return out

    def nearest(self, y: NDArray[np.float64]) -> NDArray[np.int64]:
        """The cells that latents lie in, or 0."""
        k = np.clip(np.rint(y - self.shift * 2.0**-GRID_BITS), -CELLS, CELLS).astype(np.int64)
        return np.where(self.sent, k, 0)

    def centres(self, k: NDArray[np.int64]) -> NDArray[np.int64]:
        """Centres of cells, in units of 2^-8."""
        return (k << GRID_BITS) + self.shift

    def means_of(self, k: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where latents of these cells are expected, in units of 2^-8."""
        off = np.empty(k.size, np.int64)
        cells, reciprocals, *_ = mixture_tables()
        weights = softmax(self.logits)
        _expected(k, weights, self._off, self.log_scales, cells, reciprocals, off)
        return self.centres(k) + off


@kernel
def _expected(symbols, weights, means, log_scales, cells, reciprocals, out):
    """The mean of each cell, less its centre, in units of 2^-8: parts of the cell by what they hold."""
    for i in range(len(symbols)):
        whole, moment = np.int64(0), np.int64(0)
        for c in range(weights.shape[1]):
            mean = (np.int64(means[i, c]) << _OCTAVES) - 128  # so that parts begin where bins do
            scale = np.int64(log_scales[i, c]) + 64 * _OCTAVES
            weight = np.int64(weights[i, c])
            for part in range(PARTS):
                low, high = logistic_pair(PARTS * symbols[i] + part - PARTS // 2, mean, scale, cells, reciprocals)
                mass = weight * (high - low)
                whole += mass
                moment += mass * (2 * part + 1 - PARTS)
        # a part is 2^5 units; its middle is half of an odd number of them
        out[i] = (moment * 16 + (whole >> np.int64(1))) // whole if whole > 0 else 0
