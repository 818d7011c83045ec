"""Black-box coding of a small smooth flow: round trips, rates, what is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from codecs_lbb import black_box, elementary, local
from codecs_lbb.elementwise import Scale
from codecs_lbb.grid import Grid
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.entropy.compiled import kernel
from codecs_core.errors import ConfigError, EntropyError

GRID = Grid(26, 14)


@kernel
def _couple(x, weights, sign, out):  # type: ignore[no-untyped-def]
    """Scale and shift the second half of each row by smooth functions of the first, or undo it."""
    n, d = x.shape
    half = d // 2
    for item in range(n):
        for i in range(half):
            out[item, i] = x[item, i]
        for i in range(half, d):
            total = 0.0
            for j in range(half):
                total += weights[i, j] * x[item, j]
            s = elementary.logistic(total) - 0.5
            if sign > 0:
                out[item, i] = (x[item, i] + total) * elementary.exp(s)
            else:
                out[item, i] = x[item, i] * elementary.exp(-s) - total


@dataclass(frozen=True, eq=False)
class Couplings:
    """Affine couplings whose halves take turns: exact functions of doubles, with a density known in closed form."""

    weights: NDArray[np.float64]

    def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        for weights in self.weights:
            out = np.empty(x.shape)
            _couple(np.ascontiguousarray(x), weights, 1, out)
            x = out[:, ::-1]
        return x

    def inverse(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        for weights in self.weights[::-1]:
            out = np.empty(z.shape)
            _couple(np.ascontiguousarray(z[:, ::-1]), weights, -1, out)
            z = out
        return z

    def log_determinant(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(len(x))
        for weights in self.weights:
            half = x.shape[1] // 2
            at = x[:, :half] @ weights[half:, :half].T
            total += (1 / (1 + np.exp(-at)) - 0.5).sum(1)
            out = np.empty(x.shape)
            _couple(np.ascontiguousarray(x), weights, 1, out)
            x = out[:, ::-1]
        return total

    def layers(self, message: Message, grid: Grid, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same flow by compositional coding, layer by layer; what it leaves."""
        half = x.shape[1] // 2
        for weights in self.weights:
            at = grid.values(x[:, :half]) @ weights[half:, :half].T
            s = 1 / (1 + np.exp(-at)) - 0.5
            shifted = x[:, half:] + grid.units(at)
            z = np.concatenate([x[:, :half], local.push(message, grid, shifted, Scale(s))], 1)
            x = np.ascontiguousarray(z[:, ::-1])
        return x


def couplings(seed: int, d: int, layers: int = 3) -> Couplings:
    return Couplings(np.random.default_rng(seed).normal(0, 1 / math.sqrt(d), (layers, d, d)))


def values(seed: int, n: int, d: int) -> NDArray[np.int64]:
    return GRID.units(np.random.default_rng(seed).normal(0, 1, (n, d)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 20), n=st.integers(1, 4), d=st.integers(2, 12))
def test_round_trip(seed: int, n: int, d: int) -> None:
    x, flow, message = values(seed, n, d), couplings(seed, d), Message()
    z = black_box.push(message, GRID, x, flow)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(black_box.pop(copy, GRID, z, flow), x)
    copy.verify_end()


def test_items_do_not_depend_on_their_neighbours() -> None:
    x, flow = values(0, 5, 8), couplings(0, 8)
    _, lower = black_box._local(GRID, x, flow)
    for i in range(5):
        assert np.array_equal(black_box._local(GRID, x[i : i + 1], flow)[1], lower[i : i + 1])


def test_determinant_is_that_of_the_flow() -> None:
    x, flow = values(1, 6, 16), couplings(1, 16)
    np.testing.assert_allclose(
        black_box.log_determinant(GRID, x, flow), flow.log_determinant(GRID.values(x)), atol=1e-4
    )


def test_rate_is_that_of_the_flow_and_of_its_layers() -> None:
    x, flow = values(2, 800, 24), couplings(2, 24)  # an empty message ends with some 50 bits more
    theory = -flow.log_determinant(GRID.values(x)).sum() / math.log(2)
    for code in (lambda m: black_box.push(m, GRID, x, flow), lambda m: flow.layers(m, GRID, x)):
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
