"""Images as planes with margins, and one pass over a plane."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.kernels import code
from codecs_ar.learner import Network
from codecs_ar.neighbours import MARGIN
from codecs_ar.smallest.walk import Walker
from codecs_ar.workspace import PRECISION, Bias, Coded, Family, Fit, Given, Places, Predictors, Room, Seen
from codecs_core.entropy import OK, Message, mixture_tables, table

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
    """

    prior: NDArray[np.float32]
    predictors: Predictors
    network: Network
    components: int


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
        count = neighbours.features(self.roles[plane])
        seen = Seen.empty(self.values[0].size, count)
        self._follow(plane, Expert(prior, predictors, Network.of([], [], count), 1), seen, Coded.empty(0))
        return seen

    def follow(self, plane: int, expert: Expert) -> Coded:
        """How the values of a plane are coded, once all planes before it were followed."""
        coded = Coded.empty(self.values[0].size)
        self._follow(plane, expert, Seen.empty(0, 0), coded)
        return coded

    def decide(self, plane: int, expert: Expert, walker: Walker) -> bool:
        """Note the decisions of a plane, once all planes before it were followed so; False if there was no room for them all."""
        return self._follow(plane, expert, Seen.empty(0, 0), Coded.empty(0), walker)

    def _follow(self, plane: int, expert: Expert, seen: Seen, coded: Coded, walker: Walker | None = None) -> bool:
        params = self._params(plane, expert, seen, coded, walker, decoding=False)
        state, words, out = np.zeros(3, np.uint64), np.zeros(8, np.uint32), np.zeros(0, np.int32)
        status, _ = code(state, words, out, 0, PRECISION, params)
        return bool(status == OK)

    def pop(self, message: Message, plane: int, expert: Expert, walker: Walker | None = None) -> None:
        """Decode the values of a plane, by one head throughout; by decisions, if there is a walker."""
        params = self._params(plane, expert, Seen.empty(0, 0), Coded.empty(0), walker, decoding=True)
        message.pop_symbols(code, np.empty(self.values[0].size, np.int32), PRECISION, params, thin=True)

    def _params(
        self, plane: int, expert: Expert, seen: Seen, coded: Coded, walker: Walker | None, *, decoding: bool
    ) -> tuple[Given, Seen, Coded, Fit, Bias, Room, Walker | None]:
        role = self.roles[plane]
        x, e = (a[plane - role : plane + 1].reshape(-1) for a in (self.x, self.e))
        size = (role, self.images, self.height, self.width, self.top)
        where, mantissas = places(role, self.width + 2 * MARGIN), table("log2_mantissa")
        tables = table("exp2_negative"), *mixture_tables(), inverses()
        family = Family(np.int64(self.top + 1), expert.components, *tables)
        given = Given(decoding, size, x, e, where, expert.prior, expert.predictors, mantissas, expert.network, family)
        fit = Fit.empty(neighbours.regressors(role), self.height, self.width)
        room = Room.empty(int(expert.network.sizes[0]), expert.components)
        return given, seen, coded, fit, Bias.empty(self.width), room, walker


def places(role: int, stride: int) -> Places:
    """Neighbours of the values of a plane that sees `role` planes before it."""

    def at(where: Sequence[tuple[int, int]], least: int = 0) -> NDArray[np.int64]:
        return neighbours.offsets(where if role >= least else [], stride)

    return Places(
        at(neighbours.OWN[role]),
        at(neighbours.BEFORE, 1),
        at(neighbours.EARLIER, 2),
        at(neighbours.NEAR),
        np.array(neighbours.WEIGHTS, np.float32) / np.float32(16),
        at(neighbours.ERRORS),
        at(neighbours.VALUES),
        at(neighbours.AROUND, 1),
        at(neighbours.CROSS, 2),
    )


@cache
def inverses() -> NDArray[np.float64]:
    """1 / scale for each log-scale: the multiplier of `mixture_tables` as the double it stands for."""
    both = mixture_tables()[1]
    result: NDArray[np.float64] = np.ldexp((both >> 8) / 1.0, -16 - (both & 255))
    return result
