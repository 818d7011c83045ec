"""One pass over a plane: predicting, describing, and coding its values, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.kernels import code
from codecs_ar.neighbours import MARGIN
from codecs_ar.smallest.places import regressors as wide_regressors
from codecs_ar.smallest.places import wide_places
from codecs_ar.smallest.walk import LONGEST, Walker
from codecs_ar.smallest.wide import CLASSES, Wide
from codecs_ar.workspace import PRECISION, Bias, Coded, Family, Fit, Given, Places, Room, Seen
from codecs_core.entropy import Message, mixture_tables, table

if TYPE_CHECKING:
    from codecs_ar.planes import Expert, Planes


#: A message for all planes, or one for each.
Messages = Message | list[Message]


class Pass:
    """A pass over one plane, in order from row to row and from image to image.

    Parameters
    ----------
    planes, plane
        Which.
    expert
        Makes the expert. It is asked when the pass begins, and all that it works with is let go of at the end: so passes one after
        the other need the memory of one.
    before
        The pass over the plane before, if this one sees that.
    message
        To decode from, by one head throughout; otherwise the values are there.
    seen, coded
        What is written if the values are there: of the whole plane, `seen` if the network has no layers, else `coded`.
    wide_seen
        What is written of the wide description if its network has no layers.
    walker
        Makes what has values coded by decisions, which are noted in `records`.

    Attributes
    ----------
    rows, done
        How many there are in all images together, and up to which the pass has come.
    notes
        Whether it notes decisions: the room for them is large, so it should go on by few rows at a time.
    """

    def __init__(
        self,
        planes: Planes,
        plane: int,
        expert: Callable[[], Expert],
        *,
        before: Pass | None = None,
        message: Message | None = None,
        seen: Seen | None = None,
        coded: Coded | None = None,
        wide_seen: Seen | None = None,
        walker: Callable[[], Walker] | None = None,
    ) -> None:
        self.rows, self.done = planes.images * planes.height, 0
        self.width, self.notes = planes.width, walker is not None and message is None
        self.records: list[NDArray[np.uint32]] = []
        self._planes, self._plane, self._expert, self._walker = planes, plane, expert, walker
        self._before, self._message = before, message
        self._wide_seen = wide_seen or Seen.empty(0, 0)
        self._written = seen or Seen.empty(0, 0), coded or Coded.empty(0)
        self._at_work: tuple[Given, Fit, Bias, Room, Wide | None, Walker | None] | None = None

    @property
    def reach(self) -> int:
        """The row it may come to now: of each image it needs `MARGIN` rows more of the plane before, or all of them."""
        if self._before is None:
            return self.rows
        done = self._before.done
        return done - min(done % self._planes.height, MARGIN)

    def finish(self) -> None:
        """Go on to the end."""
        self.go_on(self.rows)

    def go_on(self, until: int) -> None:
        """Go on up to the row `until`, not included, which is within `reach`."""
        self._at_work = self._at_work or self._begin()
        given, fit, bias, room, wide, walker = self._at_work
        size = (until - self.done) * self.width
        if walker is not None and self.notes:
            walker.state[2] = 0
            walker = walker._replace(records=np.empty(LONGEST * (size + 1), np.uint32))
        params = given._replace(rows=(self.done, until)), *self._written, fit, bias, room, wide, walker
        if self._message is not None:
            self._message.pop_symbols(code, np.empty(size, np.int32), PRECISION, params, thin=True)
        else:
            code(np.zeros(3, np.uint64), np.zeros(8, np.uint32), np.zeros(0, np.int32), 0, PRECISION, params)
            if walker is not None and self.notes:
                self.records.append(walker.records[: int(walker.state[2])].copy())
        self.done = until
        if until == self.rows:
            self._at_work = None

    def _begin(self) -> tuple[Given, Fit, Bias, Room, Wide | None, Walker | None]:
        planes, role, expert = self._planes, self._planes.roles[self._plane], self._expert()
        x, e = (a[self._plane - role : self._plane + 1].reshape(-1) for a in (planes.x, planes.e))
        tables = table("exp2_negative"), *mixture_tables(), inverses()
        given = Given(
            self._message is not None,
            (0, 0),
            (role, planes.images, planes.height, planes.width, planes.top),
            x,
            e,
            places(role, planes.width + 2 * MARGIN),
            expert.prior,
            expert.predictors,
            table("log2_mantissa"),
            expert.network,
            Family(np.int64(planes.top + 1), expert.components, *tables),
        )
        fit = Fit.empty(neighbours.regressors(role), planes.height, planes.width)
        room = Room.empty(int(expert.network.sizes[0]), expert.components)
        wide = None if expert.wide is None else self._wide(expert.wide, given.family)
        return given, fit, Bias.empty(planes.width), room, wide, None if self._walker is None else self._walker()

    def _wide(self, expert: Expert, family: Family) -> Wide:
        """The same for the wide description."""
        planes, role, inputs = self._planes, self._planes.roles[self._plane], int(expert.network.sizes[0])
        return Wide(
            wide_places(role, planes.width + 2 * MARGIN),
            planes.wide_e[self._plane - role : self._plane + 1].reshape(-1),
            expert.prior,
            expert.predictors,
            expert.network,
            family._replace(components=expert.components),
            Fit.empty(wide_regressors(role), planes.height, planes.width),
            Bias.empty(planes.width),
            Room.empty(inputs, expert.components),
            np.zeros(2 * CLASSES, np.float32),
            self._wide_seen,
        )


def each(message: Messages, planes: int) -> list[Message]:
    """The message of each plane."""
    return [message] * planes if isinstance(message, Message) else message


def over(
    planes: Planes,
    expert: Callable[[int], Expert],
    *,
    message: Messages | None = None,
    coded: Sequence[Coded] = (),
    walker: Callable[[int], Walker] | None = None,
) -> list[Pass]:
    """Passes over all planes: `expert` makes one for the number of planes that are seen, `walker` one for a plane."""
    found: list[Pass] = []
    messages = None if message is None else each(message, planes.count)
    for plane, role in enumerate(planes.roles[: planes.count]):
        one = Pass(
            planes,
            plane,
            partial(expert, role),
            before=found[-1] if role else None,
            message=messages[plane] if messages else None,
            coded=coded[plane] if coded else None,
            walker=partial(walker, plane) if walker else None,
        )
        found.append(one)
    return found


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
