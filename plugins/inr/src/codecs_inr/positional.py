"""A SIREN that is given, beside the Fourier features of a place, what a network makes of a grid of latents there.

He et al. 2024 (RECOMBINER), section 3.2: latents are numbers of a signal as its weights are.
"""

from __future__ import annotations

import numpy as np

from codecs_inr.network import Floats, Gradient, Siren
from codecs_inr.upsampling import Upsampling


class Positional(Siren):
    """Networks whose numbers are weights, and after them latents.

    Parameters
    ----------
    widths
        As of `Siren`; the last inputs are the channels of the upsampling network.
    upsampling
        That network, the same for all signals.
    """

    def __init__(self, widths: tuple[int, ...], upsampling: Upsampling) -> None:
        super().__init__(widths)
        self.upsampling, self.weights = upsampling, self.size
        self.size += upsampling.size
        self.parts = [*self.parts, upsampling.size]

    @property
    def shared(self) -> list[Floats]:
        """What is learned beside the prior."""
        return self.upsampling.layers

    def __call__(self, w: Floats, x: Floats) -> Floats:
        """As of `Siren`."""
        return super().__call__(w, self._inputs(x, self.upsampling.forward(w[:, self.weights :])[0]))

    def gradient(self, w: Floats, x: Floats, y: Floats, scale: Floats | None = None) -> Gradient:
        """As of `Siren`; `x` has all places."""
        channels, kept = self.upsampling.forward(w[:, self.weights :])
        found = super().gradient(w, self._inputs(x, channels), y, scale)
        slope = found.error @ np.swapaxes(self.layers(w)[0][:, x.shape[1] : -1], 1, 2)
        found.weights[:, self.weights :], shared = self.upsampling.backward(slope, kept)
        return Gradient(found.squares, found.weights, found.error, shared)

    @staticmethod
    def _inputs(x: Floats, channels: Floats) -> Floats:
        out = np.empty((*channels.shape[:2], x.shape[1] + channels.shape[2]), np.float32)
        out[..., : x.shape[1]], out[..., x.shape[1] :] = x, channels
        return out
