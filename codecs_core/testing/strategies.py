"""Hypothesis strategies: arrays that a codec takes, and the ways an array can lie in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from codecs_core.arrays import ArraySpec

if TYPE_CHECKING:
    from codecs_core.testing.domain import Domain

#: Up to this number of values each value is drawn by itself; larger arrays are patterns.
SMALL = 48


def specs(domain: Domain) -> st.SearchStrategy[ArraySpec]:
    """Shapes and dtypes of a domain: numbers of dimensions alike often, and empty and tiny arrays as often as others."""
    groups: dict[tuple[int, int], list[ArraySpec]] = {}
    for spec in domain.specs:
        groups.setdefault((len(spec.shape), min(spec.size, 2)), []).append(spec)
    return st.sampled_from(list(groups.values())).flatmap(st.sampled_from)


def arrays(domain: Domain) -> st.SearchStrategy[NDArray[Any]]:
    """Arrays of a domain in C order: 0-d, empty, of one element, of odd sizes, of the most extreme values there are."""
    return specs(domain).flatmap(lambda spec: contents(domain, spec))


def contents(domain: Domain, spec: ArraySpec) -> st.SearchStrategy[NDArray[Any]]:
    """Arrays of one spec."""
    seeds = st.integers(0, 2**32 - 1)
    patterns = [
        st.booleans().map(lambda high: domain.constant(spec, high=high)),
        st.just(_alternating(domain, spec)),
        seeds.map(lambda seed: domain.noise(spec, seed)),
        seeds.map(lambda seed: domain.smooth(spec, seed)),
    ]
    if 0 < spec.size <= SMALL:
        ends = domain.ranges.get(spec.dtype)
        limits: dict[str, Any] = {} if ends is None else {"min_value": ends[0], "max_value": ends[1]}
        elements = hnp.from_dtype(np.dtype(spec.dtype), **limits)
        patterns.append(hnp.arrays(spec.dtype, spec.shape, elements=elements))
    return st.one_of(patterns)


def _alternating(domain: Domain, spec: ArraySpec) -> NDArray[Any]:
    array = domain.constant(spec, high=False)
    array.reshape(-1)[::2] = domain.ends(spec.dtype)[1]
    return array


def _fortran(array: NDArray[Any]) -> NDArray[Any]:
    return np.array(array, order="F")  # not np.asfortranarray, which gives 0-d arrays an axis


def _negative(array: NDArray[Any]) -> NDArray[Any]:
    if not array.ndim:
        return array
    back = (slice(None, None, -1),) * array.ndim
    return array[back].copy()[back]


def _strided(array: NDArray[Any]) -> NDArray[Any]:
    if not array.ndim:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _big_endian(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder(">"))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


def _unaligned(array: NDArray[Any]) -> NDArray[Any]:
    held = np.zeros(array.nbytes + 1, np.uint8)
    view = held[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


#: Name of a layout -> what lays an array out so; values, dtype (but for the byte order) and shape stay.
LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "Fortran order": _fortran,
    "negative strides": _negative,
    "strides": _strided,
    "big endian": _big_endian,
    "read-only": _read_only,
    "unaligned": _unaligned,
}
