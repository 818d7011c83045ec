"""Codec ``ar.bounded``: numerical arrays, each value within a bound of the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from codecs_ar import BOUNDED_INFO
from codecs_ar.array.bounds import lattice, rounded, usual, within
from codecs_ar.array.choosing import Plan, cost, sample
from codecs_ar.array.coding import FAST, LEVELS, encode, encode_near, encode_plan, squeezed
from codecs_ar.array.coding import plan as plan_of
from codecs_ar.array.numeric import NumericCodec
from codecs_ar.array.steps import Steps, fitted
from codecs_core import CodecInfo
from codecs_core.fields import flag, number


@dataclass(frozen=True, kw_only=True)
class BoundedCodec(NumericCodec):
    """Floats and integers, each decoded to within a bound of the original; the encoder checks every value.

    NaN and infinities come back as they are, bit by bit, and so does every value that the bound would be broken for.

    Parameters
    ----------
    max_error
        The bound, 0 or more: no decoded value differs from the original by more.
    relative
        Whether the bound is a fraction of the original's magnitude.
    effort
        As in ``ar.array``.
    """

    id: ClassVar[str] = "ar.bounded"
    format_version: ClassVar[int] = 3
    stores_from: ClassVar[int | None] = 1
    same_since: ClassVar[int | None] = 1
    info: ClassVar[CodecInfo] = BOUNDED_INFO

    max_error: float = number(0.0)
    relative: bool = flag(False)

    def _encode(self, chunk: NDArray[Any]) -> bytes:
        if not chunk.size:
            return b""
        array, bound, relative = chunk.reshape(squeezed(chunk.shape)), float(self.max_error), self.relative
        multiples = lattice(array, bound, relative=relative)
        near = rounded(array, multiples, bound, relative=relative)
        if self.effort == FAST or (near.reshape(-1)[0] == near).all():
            return encode(near, self.effort, multiples)
        plan = plan_of(near, self.effort, multiples)
        found = fitted(array, usual(near), bound, relative=relative) if bound else None
        if found and self._smaller(array, near, plan, *found):
            steps, taken = found
            payload, decoded = encode_near(array, taken, steps, plan.about.layout, self.effort)
            if np.all(~taken | within(array, decoded, bound, relative=relative)):
                return payload
        return encode_plan(near, plan, self.effort)

    def _smaller(
        self, array: NDArray[Any], near: NDArray[Any], plan: Plan, steps: Steps, taken: NDArray[np.bool_]
    ) -> bool:
        """Whether steps from predictions take fewer bytes than multiples, by a part of the array."""
        level, layout = LEVELS[self.effort], plan.about.layout
        look = (lambda whole: whole) if level.thorough else sample
        part, chosen = look(near), look(taken)
        if not chosen.any():
            return False
        around, _ = encode_near(look(array), chosen, steps, layout, self.effort)
        return len(around) < cost(part, plan.map, layout, part.size / array.size, level, repeats=plan.about.repeats)
