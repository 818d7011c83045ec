"""Frozen networks are near the ones they come from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from codecs_core.entropy import QFormat
from codecs_core.errors import ModelError

torch = pytest.importorskip("torch")
nn = torch.nn

from codecs_core.exact.freezing import fold, freeze  # noqa: E402
from codecs_core.exact.modules import Residual  # noqa: E402

PIXELS = QFormat(bits=8, low=0, high=255)
OUT = QFormat(bits=8, low=-(1 << 15), high=1 << 15)


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
    targets = [QFormat(bits=b, low=-(1 << 20), high=1 << 20) for b in (4, 6, 10, 12)]
    net = freeze(module, x, PIXELS, targets, gain=np.array([1.0, 2.0, 1.0, 3.0]))
    scaled = net(x) / 2.0 ** np.array([4, 6, 10, 12])
    expected = evaluate(module, x) * [1, 2, 1, 3]
    assert (np.abs(scaled - expected).max(0) < [0.06, 0.03, 0.02, 0.06]).all()


def test_outputs_are_clamped() -> None:
    module = make_module(3, 20, 5)
    net = freeze(module, make_examples(0, 100, 20), PIXELS, QFormat(bits=8, low=-10, high=20))
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
    target = QFormat(bits=12, low=-(1 << 23), high=1 << 23)
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
            freeze(module, x, PIXELS, QFormat(bits=12, low=-1000, high=1000))


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
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3)),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 2, padding="same")),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, stride=2)),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding="same", dilation=2)),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2)),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")),
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 4, 3, padding=1)),
        lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)),
        lambda: nn.Sequential(Residual(nn.Sequential(nn.Conv2d(4, 4, 1))), nn.BatchNorm2d(4)),
        lambda: nn.Sequential(Residual(nn.Sequential(nn.Tanh()))),
    ],
)
def test_unsupported_modules_are_named(make: Any) -> None:
    module = make()
    with pytest.raises(ModelError, match="cannot be frozen here; a Linear can"):
        fold(module)


def test_nothing_to_freeze() -> None:
    with pytest.raises(ModelError, match="without layers"):
        freeze(nn.Sequential(), make_examples(0, 10, 4), PIXELS, OUT)


def make_resnet(seed: int, width: int = 16, blocks: int = 2, outputs: int = 5, norm: bool = True) -> Any:
    """With statistics to fold."""
    torch.manual_seed(seed)

    def conv(inputs: int, size: int) -> list[Any]:
        return [nn.Conv2d(inputs, width, size, padding="same"), *([nn.BatchNorm2d(width)] if norm else [])]

    residuals = [Residual(nn.Sequential(*conv(width, 3), nn.ReLU(), *conv(width, 3))) for _ in range(blocks)]
    module = nn.Sequential(*conv(3, 3), nn.ReLU(), *residuals, nn.Conv2d(width, outputs, 1))
    with torch.no_grad():
        for _ in range(30):
            module(torch.rand(16, 3, 6, 7))
    return module.eval()


def make_images(seed: int, n: int, height: int = 6, width: int = 7) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (n, height, width, 3)).astype(np.uint8)


def evaluate_images(module: Any, x: Any) -> Any:
    return np.moveaxis(evaluate(module, np.moveaxis(x, -1, 1)), 1, -1)


@pytest.mark.parametrize("norm", [True, False])
def test_frozen_residual_network_is_near_floating_point(norm: bool) -> None:
    module = make_resnet(1, norm=norm)
    net = freeze(module, make_images(0, 100), PIXELS, OUT)
    assert [layer.skip for layer in net.layers] == [0, 0, 2, 0, 2, 0]
    assert all(layer.weight.dtype == np.int8 for layer in net.layers)
    x = make_images(1, 50, 5, 9)
    exact, frozen = evaluate_images(module, x), net(x) / 256
    assert np.abs(frozen - exact).max() < 0.05 * max(1.0, exact.std())
    assert abs((frozen - exact).mean()) < 0.01 * max(1.0, exact.std())


@pytest.mark.parametrize("kernel", [(1, 1), (3, 1), (1, 5), (5, 3)])
def test_kernels_keep_their_orientation(kernel: tuple[int, int]) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, kernel, padding=(kernel[0] // 2, kernel[1] // 2)))
    x = make_images(0, 20, 4, 9)
    np.testing.assert_allclose(freeze(module, x, PIXELS, OUT)(x) / 256, evaluate_images(module, x), atol=0.04)


def test_residual_of_linear_layers() -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(10, 10), nn.ReLU(), Residual(nn.Sequential(nn.Linear(10, 10))), nn.Linear(10, 10))
    module = nn.Sequential(nn.Linear(6, 10), Residual(body), nn.ReLU(), nn.Linear(10, 3))
    x = make_examples(0, 300, 6)
    net = freeze(module, x, PIXELS, OUT)
    assert [layer.skip for layer in net.layers] == [0, 0, 1, 3, 0]
    np.testing.assert_allclose(net(x) / 256, evaluate(module, x), atol=0.03)


def test_a_residual_has_the_format_of_its_input() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(Residual(nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 4))))
    x = make_examples(0, 300, 4)
    net = freeze(module, x, PIXELS, OUT)
    np.testing.assert_allclose(net(x) / 256, evaluate(module, x), atol=0.03)
    with pytest.raises(ModelError, match="as many fractional bits as its inputs, 8"):
        freeze(module, x, PIXELS, QFormat(bits=7, low=-100, high=100))
    with pytest.raises(ModelError, match="gain"):
        freeze(module, x, PIXELS, OUT, gain=2.0)


def test_sums_are_wide_rather_than_weights_of_few_bits() -> None:
    """With 1152 inputs as large as 2^12, four bits of weights would be left below 2^24."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(128, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 2, 1))
    x = np.random.default_rng(0).integers(0, 4096, (3, 5, 5, 128))
    with torch.no_grad():
        expected = module(torch.from_numpy(np.moveaxis(x, -1, 1) / 1024).float()).double().numpy()
    for bits, error in ((8, 0.03), (12, 0.01)):
        net = freeze(module, x, QFormat(bits=10, low=0, high=4095), OUT, weight_bits=bits)
        assert [step.bias.dtype.name for step in net._plan.steps] == ["float64", "float32"]
        largest = np.abs(net.layers[0].weight).max((1, 2, 3))
        assert (1 << (bits - 2)) <= largest.min() <= largest.max() < 1 << (bits - 1)
        np.testing.assert_allclose(net(x) / 256, np.moveaxis(expected, 1, -1), atol=error)


def test_a_row_of_nothing_does_not_make_sums_wide() -> None:
    module = make_module(5, 20, 8, norm=False)
    with torch.no_grad():
        module[0].weight[3] = 0
        module[0].bias[3] = 100
    x = make_examples(0, 300, 20)
    net = freeze(module, x, PIXELS, OUT)
    assert [step.bias.dtype.name for step in net._plan.steps] == ["float32"]
    assert set(net(x)[:, 3]) == {25600}


@pytest.mark.parametrize(
    "body",
    [
        lambda: nn.Sequential(),
        lambda: nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()),
        lambda: nn.Sequential(Residual(nn.Sequential(nn.Conv2d(3, 3, 1)))),
    ],
)
def test_bodies_that_cannot_be_frozen(body: Any) -> None:
    with pytest.raises(ModelError, match="body of a Residual"):
        fold(nn.Sequential(Residual(body())))


def test_linear_and_convolution_do_not_mix() -> None:
    with pytest.raises(ModelError, match="of Linear and of Conv2d"):
        fold(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Linear(3, 3)))


@pytest.mark.parametrize("shape", [(9, 3), (9, 4, 4, 2), (0, 4, 4, 3), (4, 4, 3)])
def test_examples_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="examples"):
        freeze(make_resnet(0), np.zeros(shape, int), PIXELS, OUT)
