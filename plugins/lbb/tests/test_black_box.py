"""Black-box coding of a small smooth flow: round trips, rates, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from codecs_lbb import black_box
from codecs_lbb.grid import Grid
from codecs_lbb.testing import Couplings
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import ConfigError, EntropyError

GRID = Grid(26, 14)


def values(seed: int, n: int, d: int) -> NDArray[np.int64]:
    return GRID.units(np.random.default_rng(seed).normal(0, 1, (n, d)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 20), n=st.integers(1, 4), d=st.integers(1, 6))
def test_round_trip(seed: int, n: int, d: int) -> None:
    x, flow, message = values(seed, n, 2 * d), Couplings.random(seed, 2 * d), Message()
    z = black_box.push(message, GRID, x, flow)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(black_box.pop(copy, GRID, z, flow), x)
    copy.verify_end()


def test_round_trip_layer_by_layer() -> None:
    x, flow, message = values(3, 5, 10), Couplings.random(3, 10), Message()
    z = flow.push(message, GRID, x)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(flow.pop(copy, GRID, z), x)
    copy.verify_end()
    np.testing.assert_allclose(GRID.values(z), flow.forward(GRID.values(x)), atol=0.01)
    np.testing.assert_allclose(flow.inverse(flow.forward(GRID.values(x))), GRID.values(x), atol=1e-9)


def test_items_do_not_depend_on_their_neighbours() -> None:
    x, flow = values(0, 5, 8), Couplings.random(0, 8)
    _, lower = black_box._local(GRID, x, flow)
    for i in range(5):
        assert np.array_equal(black_box._local(GRID, x[i : i + 1], flow)[1], lower[i : i + 1])


def test_determinant_is_that_of_the_flow() -> None:
    x, flow = values(1, 6, 16), Couplings.random(1, 16)
    np.testing.assert_allclose(
        black_box.log_determinant(GRID, x, flow), flow.log_determinant(GRID.values(x)), atol=1e-4
    )


def test_rate_is_that_of_the_flow_and_of_its_layers() -> None:
    x, flow = values(2, 800, 24), Couplings.random(2, 24)  # an empty message ends with some 50 bits more
    theory = -flow.log_determinant(GRID.values(x)).sum() / math.log(2)
    for code in (lambda m: black_box.push(m, GRID, x, flow), lambda m: flow.push(m, GRID, x)):
        message = Message()
        before = message.bits
        code(message)
        assert abs(message.bits - before - theory) / x.size < 0.01


def test_what_is_refused() -> None:
    class Singular:
        def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.repeat(x[:, :1], x.shape[1], 1)

        def inverse(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
            return z

    class Wrong(Singular):
        def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
            return x * 2

    with pytest.raises(EntropyError, match="singular"):
        black_box.push(Message(), GRID, values(0, 1, 3), Singular())
    with pytest.raises(EntropyError, match="does not invert"):
        black_box.push(Message(), GRID, values(0, 1, 3), Wrong())
    with pytest.raises(ConfigError, match="1024 at most"):
        black_box.push(Message(), GRID, values(0, 1, 1025), Wrong())
