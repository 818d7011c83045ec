"""The grid: rounding, range, and Gaussians on it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from codecs_lbb.grid import LIMIT, Grid
from hypothesis import given, settings
from hypothesis import strategies as st

from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, EntropyError

GRID = Grid()


@settings(deadline=None)
@given(st.floats(-1000, 1000), st.integers(8, 32))
def test_rounding_is_to_the_nearest(x: float, bits: int) -> None:
    grid = Grid(bits, 2)
    at = grid.round(np.array([x]))
    assert abs(float(at[0]) - x) <= 2.0 ** -(bits + 1)
    assert np.array_equal(grid.units(grid.values(grid.units(at))), grid.units(at))


def test_halves_go_up() -> None:
    halves = (np.array([-3, -1, 1, 3]) / 2) * 2.0**-GRID.bits
    assert GRID.units(halves).tolist() == [-1, 0, 1, 2]


@pytest.mark.parametrize("value", [LIMIT, -LIMIT, math.inf, -math.inf, math.nan])
def test_values_beyond_the_range(value: float) -> None:
    with pytest.raises(EntropyError, match="leaves the range"):
        GRID.units(np.array([0.0, value]))


@pytest.mark.parametrize(("bits", "noise"), [(7, 2), (33, 2), (21, -1), (21, 20), (21.0, 11), (21, None), (True, 0)])
def test_grids_that_are_refused(bits: Any, noise: Any) -> None:
    with pytest.raises(ConfigError, match="is a number of bits"):
        Grid(bits, noise)


@pytest.mark.parametrize("log_slope", [-3.0, 0.0, 2.5])
def test_gaussian_is_as_wide_as_the_noise_times_the_slope(log_slope: float) -> None:
    mean, slope = np.full(20_000, 1.75), np.full(20_000, log_slope)
    codec, message = GRID.gaussian(mean, slope), Message()
    z = codec.pop(message)
    sample = GRID.values(z)
    scale = 2.0**-GRID.noise * math.exp(log_slope)
    assert abs(sample.mean() - 1.75) < 5 * scale / math.sqrt(20_000)
    # a count for every bin, however far off, widens what is narrow on the grid
    assert 0.97 < sample.std() / scale < 1.05
    codec.push(message, z)
    message.verify_end()


def test_slopes_out_of_range_are_coded() -> None:
    mean, slope = np.zeros(2), np.array([-300.0, 300.0])
    codec, message = GRID.gaussian(mean, slope), Message()
    codec.push(message, codec.pop(message))
    message.verify_end()
