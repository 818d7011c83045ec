"""A machine that computes something else is found out when a model is loaded."""

from __future__ import annotations

import numpy as np
import pytest

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Linear, net, probe


def make_net(*, low: int = 0, high: int = 255) -> ExactNet:
    rng = np.random.default_rng(0)
    return ExactNet(
        [
            Linear(
                weight=rng.integers(-9, 10, (40, 30)),
                bias=rng.integers(-900, 900, 40),
                shift=np.full(40, 3),
                low=np.full(40, -5000),
                high=np.full(40, 5000),
            )
        ],
        low,
        high,
    )


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 255), (-700, 650), (3, 9), (-9, -3), (4, 4), (1 - (1 << 24), (1 << 24) - 1)]
)
def test_inputs_span_the_range(low: int, high: int) -> None:
    x = probe.inputs(30, low, high)
    assert x.shape == (48, 30)
    assert (x.min(), x.max()) == (low, high)
    assert np.unique(x).size >= min(high - low + 1, 200)


def test_inputs_are_as_specified() -> None:
    assert probe.inputs(3, 0, 255)[[0, 20, 45]].tolist() == [[4, 2, 0], [103, 37, 27], [121, 53, 183]]


def test_digest_is_as_ever() -> None:
    """Another digest would refuse every model there is."""
    assert probe.digest(make_net()).hex() == "9b5a866d494a6a86377b31cb7dbc6985"


def test_another_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = make_net().tensors("net")
    ExactNet.from_tensors(tensors, "net")

    def sloppy(y, bias, scale, low, high):  # type: ignore[no-untyped-def]
        # half a unit too much, as where a machine rounds a product to fewer bits
        y[:] = np.clip(np.floor((y + bias + 0.5) * scale), low, high)
        y[0, 0] += 1

    monkeypatch.setattr(net, "rescale", sloppy)
    with pytest.raises(ModelError, match="probe"):
        ExactNet.from_tensors(tensors, "net")


def test_one_wrong_weight_is_refused() -> None:
    tensors = make_net().tensors("net")
    weight = tensors["net.0.weight"].copy()
    weight[39, 29] += 1
    with pytest.raises(ModelError, match="probe"):
        ExactNet.from_tensors(tensors | {"net.0.weight": weight}, "net")


def test_a_network_without_probe_is_refused() -> None:
    tensors = make_net().tensors("net")
    del tensors["net.probe"]
    with pytest.raises(ModelError, match="lacks the probe"):
        ExactNet.from_tensors(tensors, "net")
    assert ExactNet.from_tensors(tensors, "net", probed=False).outputs == 40
