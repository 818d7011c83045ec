"""Places at another resolution: where they are, and that parts side by side have each of them once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.errors import ConfigError
from codecs_core.scale import MOST, Grid, Places, ratio

SCALES = st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=60)


@pytest.mark.parametrize(
    ("scale", "found"),
    [
        (2, 2),
        (0.5, Fraction(1, 2)),
        ("2/3", Fraction(2, 3)),
        ("0.25", Fraction(1, 4)),
        (Fraction(7, 5), Fraction(7, 5)),
    ],
)
def test_ratios(scale: object, found: Fraction) -> None:
    assert ratio(scale) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "scale", [0, -1, "0", "1/0", "x", "", "1e3", "nan", float("inf"), None, "4097", "1/4097", " 2"]
)
def test_what_is_no_ratio(scale: object) -> None:
    with pytest.raises(ConfigError, match="a scale must be a number such as 2"):
        ratio(scale)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), SCALES)
def test_parts_side_by_side_have_each_place_once(lengths: list[int], scale: Fraction) -> None:
    ends = np.cumsum([0, *lengths]).tolist()
    whole = Places(0, ends[-1], scale)
    found = []
    for start, stop in pairwise(ends):
        part = whole.part(start, stop)
        assert part.within(whole) == slice(len(found), len(found) + part.count)
        above, below = part.centres()
        assert ((above >= 0) & (above <= below * (stop - start))).all()
        found += [Fraction(int(one), below) + start for one in above]
    assert found == [(j + Fraction(1, 2)) / scale for j in range(whole.count)]
    assert abs(whole.count - ends[-1] * scale) <= Fraction(1, 2)


def test_places_of_the_largest_scales_are_exact() -> None:
    part = Places(1 << 31, (1 << 31) + 2, Fraction(MOST - 1, MOST))
    above, below = part.centres()
    expected = [(part.first + j + Fraction(1, 2)) / part.scale - (1 << 31) for j in range(part.count)]
    assert [Fraction(int(one), below) for one in above] == expected


def test_grids_take_the_values_that_their_places_lie_in() -> None:
    x = np.arange(12).reshape(2, 6)
    grid = Grid.of((2, 6), (1,), Fraction(1, 2))
    assert grid.shape == (2, 3)
    assert grid.nearest(x).tolist() == [[1, 3, 5], [7, 9, 11]]
    grid = Grid.of((2, 6), (0, 1), Fraction(2))
    np.testing.assert_array_equal(grid.nearest(x), x.repeat(2, 0).repeat(2, 1))
    assert Grid.of((2, 6), (), Fraction(2)).shape == (2, 6)
