"""Frozen networks are near the ones they come from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from codecs_core.errors import ModelError

torch = pytest.importorskip("torch")
nn = torch.nn

from codecs_core.exact.freeze import Fixed, fold, freeze  # noqa: E402

PIXELS = Fixed(bits=8, low=0, high=255)
OUT = Fixed(bits=8, low=-(1 << 15), high=1 << 15)


def make_module(seed: int, *widths: int, norm: bool = True, bias: bool = True) -> Any:
    torch.manual_seed(seed)
    parts: list[Any] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        parts.append(nn.Linear(a, b, bias=bias))
        if i < len(widths) - 2:
            if norm:
                parts.append(nn.BatchNorm1d(b))
            parts.append(nn.ReLU())
    module = nn.Sequential(*parts)
    with torch.no_grad():
        for _ in range(30):  # so that the normalisation has statistics to fold
            module(torch.rand(64, widths[0]))
    return module.eval()


def make_examples(seed: int, n: int, width: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (n, width)).astype(np.uint8)


def evaluate(module: Any, x: Any) -> Any:
    with torch.no_grad():
        return module(torch.from_numpy(x / 256).float()).double().numpy()


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [(20, 3), (30, 40, 8), (50, 64, 64, 10)])
def test_frozen_is_near_floating_point(widths: tuple[int, ...], norm: bool, bias: bool) -> None:
    module = make_module(1, *widths, norm=norm, bias=bias)
    net = freeze(module, make_examples(0, 500, widths[0]), PIXELS, OUT)
    assert net.dtypes == ["float32"] * (len(widths) - 1)
    assert all(layer.weight.dtype == np.int8 for layer in net.layers)
    x = make_examples(1, 300, widths[0])
    exact, frozen = evaluate(module, x), net(x) / 256
    assert np.abs(frozen - exact).max() < 0.03 * max(1.0, exact.std())
    assert abs((frozen - exact).mean()) < 0.01 * max(1.0, exact.std())


def test_gain_and_formats_of_each_output() -> None:
    module = make_module(2, 20, 30, 4)
    x = make_examples(0, 400, 20)
    targets = [Fixed(bits=b, low=-(1 << 20), high=1 << 20) for b in (4, 6, 10, 12)]
    net = freeze(module, x, PIXELS, targets, gain=np.array([1.0, 2.0, 1.0, 3.0]))
    scaled = net(x) / 2.0 ** np.array([4, 6, 10, 12])
    expected = evaluate(module, x) * [1, 2, 1, 3]
    assert (np.abs(scaled - expected).max(0) < [0.06, 0.03, 0.02, 0.06]).all()


def test_outputs_are_clamped() -> None:
    module = make_module(3, 20, 5)
    net = freeze(module, make_examples(0, 100, 20), PIXELS, Fixed(bits=8, low=-10, high=20))
    y = net(make_examples(1, 400, 20))
    assert (y.min(), y.max()) == (-10, 20)


@pytest.mark.parametrize("scale", [1e-3, 30.0, 1e3])
def test_weights_of_any_size(scale: float) -> None:
    """Large ones no longer fit eight bits where a shift cannot be negative; they may not wrap."""
    module = make_module(4, 10, 6, 4, norm=False)
    with torch.no_grad():
        module[0].weight /= scale
        module[0].bias /= scale
        module[2].weight *= scale
        module[2].bias *= scale
    x = make_examples(0, 400, 10)
    target = Fixed(bits=12, low=-(1 << 23), high=1 << 23)
    expected = evaluate(module, x)
    frozen = freeze(module, x, PIXELS, target)(x) / 4096
    # hidden activations have 8 fractional bits, which is all that is lost
    assert np.abs(frozen - expected).max() < 0.05 + 0.02 * scale


def test_weights_that_cannot_be_frozen_are_refused() -> None:
    module = make_module(4, 10, 6, 4, norm=False)
    x = make_examples(0, 400, 10)
    for value in (1e30, float("nan"), float("inf")):
        with torch.no_grad():
            module[2].weight[0, 0] = value
        with pytest.raises(ModelError):
            freeze(module, x, PIXELS, Fixed(bits=12, low=-1000, high=1000))


def test_activations_that_cannot_be_frozen_are_refused() -> None:
    module = make_module(4, 10, 6, 4, norm=False)
    with torch.no_grad():
        module[0].weight *= 1e9
    with pytest.raises(ModelError, match="activations up to"):
        freeze(module, make_examples(0, 400, 10), PIXELS, OUT)


def test_normalisation_without_parameters() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(20, 8), nn.BatchNorm1d(8, affine=False), nn.ReLU(), nn.Linear(8, 2))
    with torch.no_grad():
        module(torch.rand(200, 20))
    module.eval()
    x = make_examples(0, 300, 20)
    np.testing.assert_allclose(freeze(module, x, PIXELS, OUT)(x) / 256, evaluate(module, x), atol=0.05)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Sequential(nn.Linear(4, 4), nn.Tanh()),
        lambda: nn.Sequential(nn.ReLU(), nn.Linear(4, 4)),
        lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)),
        lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.BatchNorm1d(4)),
        lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        lambda: nn.Sequential(nn.Linear(4, 4), nn.Dropout()),
        lambda: nn.Sequential(nn.Sequential(nn.Linear(4, 4))),
    ],
)
def test_unsupported_modules_are_named(make: Any) -> None:
    module = make()
    with pytest.raises(ModelError, match="cannot be frozen here; a Linear can"):
        fold(module)


def test_nothing_to_freeze() -> None:
    with pytest.raises(ModelError, match="without layers"):
        freeze(nn.Sequential(), make_examples(0, 10, 4), PIXELS, OUT)
