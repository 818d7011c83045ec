"""A machine that computes something else is found out when a model is loaded."""

from __future__ import annotations

import numpy as np
import pytest

from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, Layer, pairs, probe, step


def make_net(*, low: int = 0, high: int = 255) -> ExactNet:
    rng = np.random.default_rng(0)
    return ExactNet(
        [
            Layer(
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
    monkeypatch.setattr(pairs, "supported", lambda: False)
    tensors = make_net().tensors("net")
    ExactNet.from_tensors(tensors, "net")

    def sloppy(sums, bias, scale, low, high, skip, out):
        # half a unit too much, as where a machine rounds a product to fewer bits
        out[:] = np.clip(np.floor((sums + bias + 0.5) * scale), low, high)
        out[0, 0] += 1

    monkeypatch.setattr(step, "rescale", sloppy)
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


def make_convolution() -> ExactNet:
    rng = np.random.default_rng(1)
    layers = [
        Layer(
            weight=rng.integers(-9, 10, shape),
            bias=rng.integers(-900, 900, shape[0]),
            shift=np.full(shape[0], 4),
            low=np.full(shape[0], -500),
            high=np.full(shape[0], 500),
            skip=skip,
        )
        for shape, skip in (((6, 3, 3, 2), 0), ((6, 3, 5, 6), 1), ((4, 6), 0))
    ]
    return ExactNet(layers, -100, 100)


def test_the_probe_of_a_convolution_is_an_image() -> None:
    network = make_convolution()
    image = probe.inputs(2, -100, 100).reshape(1, 6, 8, 2)
    np.testing.assert_array_equal(probe.outputs(network), network(image).reshape(48, 4))
    assert probe.digest(network).hex() == "b89b428c68f02ff81b82bdc5ccbc3630"


def test_an_image_that_depends_on_its_batch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = make_convolution().tensors("net")
    ExactNet.from_tensors(tensors, "net")
    whole = step.windows

    def sloppy(x, height, width, taps, channels, start, first, columns):
        whole(x, height, width, taps, channels, start, first, columns)
        columns[96:, 0] += 1  # more pixels than terms, whose products are tried before

    monkeypatch.setattr(step, "windows", sloppy)
    with pytest.raises(ModelError, match="alone than in a batch"):
        ExactNet.from_tensors(tensors, "net")
