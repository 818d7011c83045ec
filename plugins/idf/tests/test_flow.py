"""The flow is a bijection, whatever the images, and its priors code what they are given."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_idf.flow import line
from codecs_idf.model import Flow
from codecs_idf.prior import Mixture
from codecs_idf.testing import random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import ModelError
from codecs_core.exact import colour_forward, colour_inverse, extent, squeeze, unsqueeze

FLOWS = {c: Flow(m.config, m.tensors()) for c in (1, 3, 4) for m in [random_model(c)]}
shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))
images = shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape))


def check_round_trip(flow: Flow, z: NDArray[np.int32]) -> Message:
    codec, message = flow.codec(*z.shape[:3]), Message()
    codec.push(message, z)
    copy = Message.from_bytes(message.to_bytes())
    assert np.array_equal(codec.pop(copy), z)
    copy.verify_end()
    return message


@given(images)
def test_colour_is_reversible(x: NDArray[np.uint8]) -> None:
    assert np.array_equal(colour_inverse(colour_forward(x)), x)


def test_colour_of_grey_is_grey() -> None:
    x = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, 2)
    z = colour_forward(x)
    assert not z[..., 1:].any()
    assert np.array_equal(z[:, 0, 0], np.arange(256) - 128)


@given(images)
def test_squeeze_is_reversible(x: NDArray[np.uint8]) -> None:
    size = x.shape[1], x.shape[2]
    phases = squeeze(x)
    assert np.array_equal(unsqueeze(phases, size), x)
    # what is beyond the image is zero, and `extent` says where that is
    real = [p[:, : extent(i, size)[0], : extent(i, size)[1]] for i, p in enumerate(phases)]
    assert sum(p.size for p in real) == x.size
    assert sum(int(p.sum()) for p in real) == sum(int(p.sum()) for p in phases)


@settings(max_examples=40, deadline=None)
@given(images)
def test_levels_are_reversible(x: NDArray[np.uint8]) -> None:
    z = colour_forward(x)
    level = FLOWS[x.shape[-1]].levels[0]
    size = z.shape[1:3]
    assert np.array_equal(level.join(level.split(z, size), size), z)


@settings(max_examples=40, deadline=None)
@given(images)
def test_points_are_those_of_no_other_images(x: NDArray[np.uint8]) -> None:
    z, flow = colour_forward(x), FLOWS[x.shape[-1]]
    points = flow.points(z)
    assert sum(part.size for level in points for part in level) == z.size
    assert np.array_equal(flow.image(points, *z.shape[1:3]), z)


def test_a_line_is_rounded_and_has_its_ends() -> None:
    big = (1 << 31) - 1
    found = line(np.array([[0, 7, -3, -big], [4, 7, 0, big]]), 4)
    assert found.tolist() == [[0, 7, -3, -big], [1, 7, -2, -715827882], [3, 7, -1, 715827882], [4, 7, 0, big]]


@settings(max_examples=40, deadline=None)
@given(images)
def test_round_trip(x: NDArray[np.uint8]) -> None:
    check_round_trip(FLOWS[x.shape[-1]], colour_forward(x))


@pytest.mark.parametrize("value", [-(1 << 40), -70_000, 600, 1 << 40])
def test_values_beyond_the_window_escape(value: int) -> None:
    z = np.zeros((2, 5, 6, 3), np.int64)
    z[1, 3, 3, 1] = z[0, 0, 0, 0] = value
    flow = Flow(*(lambda m: (m.config, m.tensors()))(random_model(couplings=(0, 0))))
    check_round_trip(flow, z)


def test_couplings_change_what_is_coded() -> None:
    z = colour_forward(np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8))
    level = FLOWS[3].levels[0]
    (kept, first), last = level.split(z, (8, 8))
    changed = [not np.array_equal(a, b) for a, b in zip(squeeze(z), (kept, *first, *last), strict=True)]
    assert changed == [True, True, False, False]


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks see images alone, three at a time or all at once: the same integers."""
    z = colour_forward(np.random.default_rng(1).integers(0, 256, (7, 12, 10, 3), np.uint8))
    messages = []
    for pixels in (1, 3 * 30, 1 << 20):
        monkeypatch.setattr("codecs_core.exact.predictor.PIXELS", pixels)
        messages.append(check_round_trip(FLOWS[3], z).to_bytes())
    assert len(set(messages)) == 1


def test_preview_converges() -> None:
    """Each level more changes nothing that a deeper one has settled, and all of them give the image."""
    z = colour_forward(np.random.default_rng(2).integers(0, 256, (2, 9, 8, 3), np.uint8))
    codec, message = FLOWS[3].codec(2, 9, 8), Message()
    codec.push(message, z)
    data = message.to_bytes()
    previews = [FLOWS[3].codec(2, 9, 8, levels).pop(Message.from_bytes(data)) for levels in range(4)]
    assert all(p.shape == z.shape for p in previews)
    assert np.array_equal(previews[2], z)
    assert np.array_equal(previews[3], z)
    assert not np.array_equal(previews[1], z)
    assert not np.array_equal(previews[0], previews[1])


def test_mode_is_the_centre_of_the_heaviest_component() -> None:
    parameters = np.array([[0, 64, 5 << 8, (9 << 8) + 130, 0, 0]], np.int32)
    mixture = Mixture(parameters, np.array([[-256]], np.int32))
    assert mixture.mode().tolist() == [[9]]


def test_mixture_shifts_means_by_channels_before() -> None:
    """With narrow scales, a pixel whose channels follow the coefficients costs next to nothing."""
    each = [[0] * 3, [0] * 3, [-250] * 3, [2 << 8, -(1 << 8), 3 << 8]]
    parameters = np.concatenate(each).astype(np.int32)[None]
    mixture = Mixture(parameters, np.array([[7 << 8, 0, 0]], np.int32))
    expected = np.array([[7, 14, -7 + 42]])
    message = Message()
    before = message.bits
    mixture.push(message, expected)
    assert message.bits - before < 0.1
    assert np.array_equal(mixture.pop(message), expected)


def check_refused(match: str, **changes: object) -> None:
    model = random_model()
    config = model.config | {k: v for k, v in changes.items() if k in model.config}
    tensors = model.tensors() | {k: v for k, v in changes.items() if k not in model.config}
    with pytest.raises(ModelError, match=match):
        Flow(config, {k: v for k, v in tensors.items() if v is not None})


def test_models_that_do_not_fit() -> None:
    check_refused("channels 2; expected 1 or 3 or 4", channels=2)
    check_refused("channels", channels="3")
    check_refused("components", components=0)
    check_refused("to 21 outputs; expected 3 .* to 30", components=3)
    check_refused("couplings", couplings=[])
    check_refused("couplings", couplings=[-1, 1])
    check_refused("lacks the network 'level0.coupling2", couplings=[3, 1])
    check_refused("top", top=None)
    check_refused("top", top=np.zeros(21, np.float32))
    check_refused("range", top=np.full(21, 1 << 25))
    high = random_model().tensors()["level0.prior0.network.3.high"] + 1
    check_refused("parameters outside|probe", **{"level0.prior0.network.3.high": high})
