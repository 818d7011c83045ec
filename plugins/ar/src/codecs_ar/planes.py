"""Images as planes with margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.learner import Network
from codecs_ar.neighbours import MARGIN
from codecs_ar.passes import Pass
from codecs_ar.smallest import places
from codecs_ar.workspace import Coded, Predictors, Seen

#: In which order channels are coded: green tells most about the others.
ORDER = {1: (0,), 3: (1, 0, 2), 4: (1, 0, 2, 3)}
#: How many planes before it each of them sees: alpha none.
ROLES = (0, 1, 2, 0)


class Expert(NamedTuple):
    """How the values of one plane are coded.

    Parameters
    ----------
    prior
        The sums that the predictors begin with, as `regression.packed` makes them.
    predictors
        How they forget.
    network
        What will learn.
    components
        Logistics of a mixture.
    wide
        A second opinion, by `smallest.wide`, if there is one.
    """

    prior: NDArray[np.float32]
    predictors: Predictors
    network: Network
    components: int
    wide: Expert | None = None


class Planes:
    """The planes of n images of one size, with margins, and the errors of predictions.

    Parameters
    ----------
    shape
        Planes, images, height and width.
    top
        The largest value, up to 65535.
    roles
        How many planes before it each of them sees.
    """

    def __init__(self, shape: tuple[int, int, int, int], top: int, roles: Sequence[int] = ROLES) -> None:
        self.count, self.images, self.height, self.width = shape
        self.top, self.roles = top, roles
        self._wide_e: NDArray[np.float32] | None = None
        padded = (*shape[:2], self.height + 2 * MARGIN, self.width + 2 * MARGIN)
        self.x, self.e = np.zeros(padded, np.float32), np.zeros(padded, np.float32)

    @classmethod
    def of(cls, images: NDArray[Any]) -> Planes:
        """Of images of shape (n, height, width, channels), uint8 or uint16."""
        n, h, w, channels = images.shape
        planes = cls((channels, n, h, w), int(np.iinfo(images.dtype).max))
        for plane, channel in enumerate(ORDER[channels]):
            planes.values[plane] = images[..., channel]
        return planes

    @property
    def wide_e(self) -> NDArray[np.float32]:
        """The errors of the predictions of the wide description."""
        if self._wide_e is None:
            self._wide_e = np.zeros_like(self.e)
        return self._wide_e

    @property
    def values(self) -> NDArray[np.float32]:
        """Without the margins: a view of shape (planes, images, height, width)."""
        return self.x[:, :, MARGIN : MARGIN + self.height, MARGIN : MARGIN + self.width]

    def images_of(self, dtype: str) -> NDArray[Any]:
        """Inverse of `of`."""
        out = np.empty((*self.values.shape[1:], self.count), dtype)
        for plane, channel in enumerate(ORDER[self.count]):
            out[..., channel] = self.values[plane]
        return out

    def look(self, plane: int, prior: NDArray[np.float32], predictors: Predictors) -> Seen:
        """Predict and describe the values of a plane, and leave the errors for the planes after it."""
        features = neighbours.features(self.roles[plane])
        expert = Expert(prior, predictors, Network.of([], [], features), 1)
        seen = Seen.empty(self.values[0].size, features)
        Pass(self, plane, lambda: expert, seen=seen).finish()
        return seen

    def look_wide(self, plane: int, expert: Expert) -> Seen:
        """The same by the wide description of an expert whose networks have no layers."""
        sizes = neighbours.features(self.roles[plane]), places.features(self.roles[plane])
        seen = [Seen.empty(self.values[0].size, features) for features in sizes]
        Pass(self, plane, lambda: expert, seen=seen[0], wide_seen=seen[1]).finish()
        return seen[1]

    def follow(self, plane: int, expert: Expert) -> Coded:
        """How the values of a plane are coded, once all planes before it were followed."""
        coded = Coded.empty(self.values[0].size)
        Pass(self, plane, lambda: expert, coded=coded).finish()
        return coded
