"""What was frozen and thawed is near what it was."""

from __future__ import annotations

import numpy as np
import pytest

from codecs_core.entropy import QFormat
from codecs_core.errors import ModelError

torch = pytest.importorskip("torch")
nn = torch.nn

from codecs_core.exact.freezing import freeze  # noqa: E402
from codecs_core.exact.modules import Residual  # noqa: E402
from codecs_core.exact.thawing import thaw  # noqa: E402

SOURCE = QFormat(bits=5, low=-128, high=127)
OUT = QFormat(bits=3, low=-(1 << 12), high=1 << 12)


def make_linear(seed: int, width: int = 24) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width, bias=False), nn.ReLU(), nn.Linear(width, 4)
    )


def make_residual(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), Residual(body), nn.Conv2d(8, 4, 1))


@pytest.mark.parametrize("activation_bits", [4, 7])
@pytest.mark.parametrize(("make", "shape"), [(make_linear, (400, 10)), (make_residual, (20, 6, 6, 3))])
def test_thawed_is_near(make, shape, activation_bits):
    module, thawed, gain = make(0), make(1), np.array([1.0, 64.0, 1.44, 3.0])
    x = np.random.default_rng(0).integers(SOURCE.low, SOURCE.high + 1, shape)
    net = freeze(module, x, SOURCE, OUT, activation_bits=activation_bits, weight_bits=12, gain=gain)
    thaw(net, thawed, SOURCE.bits, OUT.bits, gain=gain)
    given = torch.from_numpy(np.moveaxis(x / 2.0**SOURCE.bits, -1, 1)).float()
    with torch.no_grad():
        before, after = module(given), thawed(given)
    assert (before - after).abs().max() < 0.02 * before.abs().max()
    assert before.abs().max() > 0.3


def test_frozen_again_is_almost_the_same():
    module, thawed = make_linear(0), make_linear(1)
    x = np.random.default_rng(0).integers(SOURCE.low, SOURCE.high + 1, (400, 10))
    net = freeze(module, x, SOURCE, OUT, weight_bits=12)
    thaw(net, thawed, SOURCE.bits, OUT.bits)
    assert np.abs(freeze(thawed, x, SOURCE, OUT, weight_bits=12)(x) - net(x)).max() <= 1


def test_other_layers_are_refused():
    net = freeze(make_linear(0), np.zeros((1, 10), np.int64), SOURCE, OUT)
    for other in (make_linear(0, width=25), make_residual(0)):
        with pytest.raises(ModelError, match="layers of"):
            thaw(net, other, SOURCE.bits, OUT.bits)
