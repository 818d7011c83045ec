"""Families of distributions, as targets and as proposals, and the pairs of them whose density ratio is bounded."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codecs_core.errors import EntropyError
from codecs_rec import quantile, ratios

Floats = NDArray[np.float64]


class Family:
    """A location and a scale, arrays that broadcast; raises `EntropyError` for scales that are not positive and finite."""

    #: The standard proposal it is moved and stretched from.
    standard: ClassVar[int]

    def __init__(self, location: ArrayLike = 0.0, scale: ArrayLike = 1.0) -> None:
        self.location: Floats = np.array(location, np.float64)
        self.scale: Floats = np.array(scale, np.float64)
        name = type(self).__name__
        try:
            self.shape = np.broadcast_shapes(self.location.shape, self.scale.shape)
        except ValueError:
            shapes = f"a location of shape {self.location.shape}, a scale of shape {self.scale.shape}"
            raise EntropyError(f"{name} has {shapes}: they do not broadcast") from None
        finite = np.isfinite(self.location)
        if not finite.all():
            raise EntropyError(f"the location of {name} is finite, not {self.location[~finite].flat[0]}")
        good = np.isfinite(self.scale) & (self.scale > 0)
        if not good.all():
            raise EntropyError(f"the scale of {name} is positive and finite, not {self.scale[~good].flat[0]}")

    def place(self, x: Floats) -> Floats:
        """Points of the standard proposal, moved and stretched: one product, one sum."""
        return np.asarray(self.location + self.scale * x)


class Gaussian(Family):
    """N(location, scale^2)."""

    standard: ClassVar[int] = quantile.NORMAL


class Laplace(Family):
    """Density e^(-|x - location| / scale) / (2 scale)."""

    standard: ClassVar[int] = quantile.LAPLACE


class Uniform(Family):
    """Uniform on [location, location + scale)."""

    standard: ClassVar[int] = quantile.UNIFORM


class Triangular(Family):
    """The triangle with its peak at `location`, on location - scale to location + scale."""

    standard: ClassVar[int] = quantile.TRIANGULAR


PAIRS: dict[tuple[type[Family], type[Family]], int] = {
    (Gaussian, Gaussian): ratios.GAUSSIAN,
    (Laplace, Laplace): ratios.LAPLACE,
    (Uniform, Uniform): ratios.UNIFORM,
    (Triangular, Uniform): ratios.TRIANGULAR_IN_UNIFORM,
    (Triangular, Triangular): ratios.TRIANGULAR,
}


class Pair(NamedTuple):
    """A target relative to the standard proposal: which functions of `ratios`, centres and scales."""

    kind: int
    m: Floats
    s: Floats


def relate(target: Family, proposal: Family) -> Pair:
    """The pair of a target and a proposal, its arrays of one shape.

    Raises
    ------
    EntropyError
        For families that do not go together, shapes that do not broadcast, and a target that is not narrower than its
        proposal: the ratio of their densities is then unbounded, and no sample count suffices.
    """
    kind = PAIRS.get((type(target), type(proposal)))
    if kind is None:
        known = ", ".join(f"{t.__name__} in {p.__name__}" for t, p in PAIRS)
        raise EntropyError(f"no ratio of {type(target).__name__} to {type(proposal).__name__}; there is {known}")
    try:
        t, b, nu, rho = np.broadcast_arrays(target.location, target.scale, proposal.location, proposal.scale)
    except ValueError:
        raise EntropyError("the parameters of a target and its proposal do not broadcast") from None
    m, s = np.array((t - nu) / rho), np.array(b / rho)
    if kind == ratios.UNIFORM:
        s = s / 2
        m = m + s
        inside = (m - s >= -1e-12) & (m + s <= 1 + 1e-12)
    elif kind == ratios.TRIANGULAR_IN_UNIFORM:
        inside = (m - s >= -1e-12) & (m + s <= 1 + 1e-12)
    elif kind == ratios.TRIANGULAR:
        inside = (np.abs(m) + s < 1) | ((s == 1) & (m == 0))
    else:
        inside = (s < 1) | ((s == 1) & (m == 0))
    if not inside.all():
        at = int(np.argmin(inside))
        raise EntropyError(
            f"target {at} is wider than its proposal (location {m.flat[at]:.6g}, scale {s.flat[at]:.6g} in units of it), so the "
            "ratio of their densities has no bound; widen the proposal or narrow the target"
        )
    return Pair(kind, m, s)
