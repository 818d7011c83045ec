"""What cannot be coded is refused when it is encoded, before there is a file; and what flows of any slope encode, they decode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_lbb import local
from codecs_lbb.codec import FlowCodec
from codecs_lbb.conditioner import LOG_BITS, SHIFT_BITS
from codecs_lbb.elementwise import LogitMixture, Scale
from codecs_lbb.grid import Grid
from codecs_lbb.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.entropy import Message
from codecs_core.errors import EntropyError, ExhaustedMessageError
from codecs_core.models import Model
from codecs_core.testing import unstored

GRID = Grid()
X = GRID.units(np.linspace(-3, 3, 50))


def stretched(scale: int) -> Model:
    """A model whose flow is nothing but normalisations, each by this number of nats."""
    tensors: dict[str, NDArray[Any]] = {}
    for i in range(2):
        tensors[f"layer{i}.shift"] = np.zeros(1, np.int32)
        tensors[f"layer{i}.log_scale"] = np.full(1, scale << SHIFT_BITS, np.int32)
    config = {"channels": 1, "centre": 128, "components": 1, "grid": [20, 11], "learned": False}
    return Model.create(codec="lbb.flow", config=config | {"layers": [["actnorm"]] * 2}, tensors=tensors)


def test_a_value_that_leaves_the_grid(tmp_path: Path) -> None:
    x = np.full((3, 4, 4), 255, np.uint8)
    with pytest.raises(
        EntropyError, match=r"leaves the range of the grid, less than 1048576 .*found 3552.*another model"
    ):
        cc.save(tmp_path / "a.ccf", x, codec=FlowCodec(model=stretched(8)))
    assert not list(tmp_path.iterdir())
    cc.save(tmp_path / "a.ccf", x, codec=FlowCodec(model=stretched(5)))
    assert np.array_equal(cc.load(tmp_path / "a.ccf", models=stretched(5)), x)


@pytest.mark.parametrize("log_scale", [-np.inf, np.inf, np.nan])
def test_a_singular_jacobian(log_scale: float) -> None:
    class Broken(Scale):
        def forward(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            return x, np.full(x.shape, log_scale)

    with pytest.raises(EntropyError, match="Jacobian of a flow is singular"):
        local.push(Message(), GRID, X, Broken(np.zeros(1)))


def test_an_exhausted_message() -> None:
    with pytest.raises(ExhaustedMessageError, match="the message ends before symbol"):
        local.push(Message(seeds=False), GRID, X, Scale(np.zeros(1)))


def test_an_inverse_that_does_not_invert() -> None:
    class Wrong(Scale):
        def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
            return 1.5 * super().inverse(y)

    with pytest.raises(
        EntropyError, match=r"the inverse of a flow does not invert: of .* it makes what the flow maps to"
    ):
        local.push(Message(), GRID, X, Wrong(np.zeros(1)))

    class Nowhere(Scale):
        def inverse(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.full(y.shape, np.nan)

    with pytest.raises(EntropyError, match=r"leaves the range of the grid.*found nan"):
        local.push(Message(), GRID, X, Nowhere(np.zeros(1)))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1 << 32), bits=st.integers(17, 28), less=st.integers(2, 12))
def test_steps_and_plateaus(seed: int, bits: int, less: int) -> None:
    """Where a map jumps, an inverse is far off; that costs bits and is no error."""
    grid, rng = Grid(bits, bits - less), np.random.default_rng(seed)
    means = np.rint(rng.uniform(-2, 2, (200, 3)) * 2**SHIFT_BITS)
    scales = np.rint(rng.choice([-7.0, -6.0, 2.0], (200, 3)) * 2**LOG_BITS)
    function = LogitMixture(np.concatenate([np.zeros((200, 3)), means, scales], -1).astype(np.int32), 0, 3)
    near = means[:, 0] * 2.0**-SHIFT_BITS + rng.normal(0, 0.01, 200)
    x, message = grid.units(np.where(rng.random(200) < 0.5, near, rng.uniform(-4, 4, 200))), Message()
    y = local.push(message, grid, x, function)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(local.pop(copy, grid, y, function), x)
    copy.verify_end()


def test_a_scale_that_loses_the_noise() -> None:
    """Slopes so small that nothing of a value is left on the grid."""
    x, message, function = X, Message(), Scale(np.full(X.shape, -9.0))
    y = local.push(message, GRID, x, function)
    assert np.array_equal(local.pop(message, GRID, y, function), x)


def test_models_of_any_weights_take_extreme_images() -> None:
    x = np.zeros((3, 8, 8, 3), np.uint8)
    x[1], x[2, ::2, ::3] = 255, 255
    for seed in range(3):
        codec = unstored(FlowCodec(model=random_model(3, seed=seed)))
        assert np.array_equal(codec.decode(codec.encode(x), cc.ArraySpec.of(x)), x)
