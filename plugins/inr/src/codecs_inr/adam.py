"""Adam (Kingma, Ba 2015): steps of about one size along an averaged gradient."""

from __future__ import annotations

import numpy as np

from codecs_inr.network import Floats

_FIRST, _SECOND, _TINY = np.float32(0.9), np.float32(0.99), np.float32(1e-8)


class Adam:
    """The averages that belong to an array of this shape.

    Parameters
    ----------
    shape
        Of the array and its gradients.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.first, self.second = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.steps = 0

    def step(self, value: Floats, gradient: Floats, rate: float) -> None:
        """Move an array, in place, down along its gradient."""
        self.steps += 1
        self.first += (1 - _FIRST) * (gradient - self.first)
        self.second += (1 - _SECOND) * (np.square(gradient) - self.second)
        scale = rate * np.sqrt(1 - _SECOND**self.steps) / (1 - _FIRST**self.steps)
        value -= np.float32(scale) * self.first / (np.sqrt(self.second) + _TINY)
