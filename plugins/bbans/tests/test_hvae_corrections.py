"""Corrections of pixels: what they change, that payloads are no longer with them, what is told, earlier versions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_bbans.hvae import corrections, phases
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.corrections import LEAST, REACH, Corrected, fitted
from codecs_bbans.hvae.phases import Mixture, kinds_of
from codecs_bbans.testing import random_hierarchy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import Message
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError
from codecs_core.exact import colour_forward
from codecs_core.testing import unstored

MODELS = {c: random_hierarchy(c) for c in (1, 3, 4)}


def codec_of(channels: int = 3, effort: str = "smallest") -> HierarchicalCodec:
    return unstored(HierarchicalCodec(model=MODELS[channels], effort=effort))


def even(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    """Pixels around middle grey, which models of random weights hold for likelier than others."""
    return np.random.default_rng(seed).integers(120, 136, shape, np.uint8)


def mixture(n: int, channels: int, components: int, seed: int = 0) -> Mixture:
    rng, pairs = np.random.default_rng(seed), channels * (channels - 1) // 2
    return Mixture(
        rng.integers(-500, 500, (n, 4, 5, components)),
        rng.integers(-2000, 2000, (n, 4, 5, channels, components)),
        rng.integers(-200, 600, (n, 4, 5, channels, components)),
        rng.integers(-300, 300, (n, 4, 5, pairs, components)),
    )


def reference(mix: Mixture, numbers: NDArray[np.int64], i: int, c: int, k: int) -> tuple[list[int], list[int]]:
    """The logit and the log-scale of component k of channel c of image i, at each pixel, as the specification says."""
    channels, a = mix.means.shape[-2], numbers[i]
    shift, stretch, tilt = int(a[c]), int(a[channels + c]), int(a[2 * channels + k])
    low, high = phases.SCALE_RANGE
    scales = [
        min(max(t + (stretch * t >> 4) + 12 * shift, low), high) for t in mix.log_scales[i, ..., c, k].ravel().tolist()
    ]
    return [v + 16 * tilt for v in mix.logits[i, ..., k].ravel().tolist()], scales


@pytest.mark.parametrize(("channels", "components"), [(1, 1), (1, 3), (3, 2), (4, 4)])
def test_what_corrections_change(channels: int, components: int) -> None:
    kinds = kinds_of(channels, components)
    numbers = np.random.default_rng(1).integers(-REACH, REACH + 1, (3, kinds.size))
    mix = mixture(3, channels, components)
    found = mix.corrected(numbers)
    for i, c, k in np.ndindex(3, channels, components):
        logits, scales = reference(mix, numbers, i, c, k)
        assert found.logits[i, ..., k].ravel().tolist() == logits
        assert found.log_scales[i, ..., c, k].ravel().tolist() == scales
    turned = numbers[:, kinds == 3].reshape(3, 1, 1, -1, components)
    assert np.array_equal(found.coefficients - mix.coefficients, np.broadcast_to(turned, mix.coefficients.shape))
    assert np.array_equal(found.means, mix.means)
    still = mix.corrected(np.zeros_like(numbers))
    x = even(3, 4, 5, channels).astype(np.int64) - 128
    assert np.array_equal(still.lengths(x), mix.lengths(x))


@pytest.mark.parametrize("n", [1, 3])
def test_lengths_are_what_coding_takes(n: int) -> None:
    mix, x = mixture(n, 3, 2), even(n, 4, 5, 3).astype(np.int64) - 128
    mix.push(message := Message(), x)
    assert mix.lengths(x).sum() / 65536 == pytest.approx(message.bits, abs=0.1)


def test_the_corrections_of_an_image_are_its_own() -> None:
    """And they find how the pixels of each were drawn, as far as pixels tell: one image is by a wider mixture, one by a narrower."""
    base = mixture(2, 1, 1)
    wide = Mixture(base.logits, base.means, base.log_scales * 0 + 200, base.coefficients)
    told = np.array([[6, 0, 0], [-6, 0, 0]])
    x = np.asarray(wide.corrected(told).pop(Message.random(3)))
    numbers = fitted([(wide, x)], kinds_of(1, 1))
    assert numbers[0, 0, 0] > 1
    assert numbers[1, 0, 0] < -1
    alone = [Mixture(*(part[i : i + 1] for part in parts_of(wide))) for i in (0, 1)]
    assert [one.lengths(x[i : i + 1])[0] for i, one in enumerate(alone)] == wide.lengths(x).tolist()


def parts_of(mix: Mixture) -> tuple[NDArray[np.int64], ...]:
    return mix.logits, mix.means, mix.log_scales, mix.coefficients


@settings(max_examples=12, deadline=None)
@given(st.tuples(st.integers(1, 2), st.integers(14, 19), st.integers(14, 19), st.sampled_from([1, 3, 4])))
def test_round_trip(shape: tuple[int, ...]) -> None:
    """With corrections, and with images that are too small for them."""
    codec, x = codec_of(shape[3]), even(*shape)
    payload, spec = codec.encode(x), ArraySpec.of(x)
    assert np.array_equal(codec.decode(payload, spec), x)
    if shape[1] * shape[2] < LEAST:
        assert payload == codec_of(shape[3], "standard").encode(x)
    else:
        assert len(payload) < len(codec_of(shape[3], "standard").encode(x))


@pytest.mark.parametrize("shape", [(0, 20, 20, 3), (0, 20, 3)])
def test_no_pixels(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.uint8)
    assert codec_of().decode(codec_of().encode(x), ArraySpec.of(x)).shape == shape


def test_no_corrections_where_they_save_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload is then that of the effort standard, and a tenth of a bit."""
    monkeypatch.setattr(corrections, "fitted", lambda pairs, kinds: np.full((1, 7, kinds.size), REACH))
    x = even(20, 17, 3)
    payload, standard = codec_of().encode(x), codec_of(effort="standard").encode(x)
    assert len(payload) - len(standard) in (0, 1)
    assert np.array_equal(codec_of().decode(payload, ArraySpec.of(x)), x)


def test_a_model_that_ships() -> None:
    """A photograph-like image that is softer than most takes fewer bytes, and decodes."""
    y, x = np.mgrid[:48, :40]
    image = np.stack([4 * x + 3 * y, 200 - 3 * x, 2 * y], -1) % 256
    standard, smallest = (cc.get_codec("bbans.hvae", model="photo", effort=e) for e in ("standard", "smallest"))
    array = image.astype(np.uint8)
    assert len(smallest.encode(array)) < len(standard.encode(array))
    assert np.array_equal(smallest.decode(smallest.encode(array), ArraySpec.of(array)), array)


def test_previews() -> None:
    """Those of latents are not corrected; with more than there are levels, the images themselves."""
    x = even(2, 18, 16, 3)
    spec, codec = ArraySpec.of(x), codec_of()
    payload = codec.encode(x)
    shown = [codec.preview(payload, spec, levels) for levels in (0, 1, 2, 3)]
    assert np.array_equal(shown[0], codec_of(effort="standard").preview(codec_of(effort="standard").encode(x), spec, 0))
    assert not np.array_equal(shown[1], shown[2])
    assert np.array_equal(shown[3], x)


@pytest.mark.parametrize("shape", [(2, 18, 17, 3), (33, 20, 1)])
def test_information_has_the_corrections(shape: tuple[int, ...]) -> None:
    codec, x = codec_of(shape[-1]), even(*shape)
    codec._stack_codec(ArraySpec.of(x)).push(message := Message(), codec._arranged(x))
    bits = codec.information(x)
    assert bits.shape == x.shape
    assert bits.sum() == pytest.approx(message.bits, abs=0.5)


def test_earlier_versions_had_no_effort() -> None:
    x = even(16, 16, 3)
    spec, standard = ArraySpec.of(x), codec_of(effort="standard")
    payload = standard.encode(x)
    assert np.array_equal(standard.decode(payload, spec, version=2), x)
    for levels in (0, 1, 3):
        shown = [standard.preview(payload, spec, levels, version=version) for version in (2, 3)]
        assert np.array_equal(*shown)
    for version in (1, 2):
        with pytest.raises(CorruptDataError, match="had no effort 'smallest'"):
            codec_of().decode(payload, spec, version=version)
        with pytest.raises(CorruptDataError, match="had no effort 'smallest'"):
            codec_of().preview(payload, spec, 1, version=version)


def test_another_effort() -> None:
    with pytest.raises(ConfigError, match="effort must be one of standard, smallest, got 'best'"):
        codec_of(effort="best")


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_damaged_payloads_are_refused_or_differ(data: Any) -> None:
    codec, x = codec_of(1), even(16, 16, 1)
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert found.shape == x.shape


@pytest.mark.parametrize("end", [-REACH, REACH])
def test_corrections_at_their_bounds(monkeypatch: pytest.MonkeyPatch, end: int) -> None:
    """No sum of what networks may say and of corrections leaves its range."""
    monkeypatch.setattr(corrections, "fitted", lambda pairs, kinds: np.full((1, 7, kinds.size), end))
    monkeypatch.setattr(Corrected, "best", lambda self, message, x: self._fitted(x))
    x = even(16, 16, 4)
    assert np.array_equal(codec_of(4).decode(codec_of(4).encode(x), ArraySpec.of(x)), x)
    low, high = (limits.reshape(-1, 2) for limits in phases.limits_of(4, 2))
    for said in (low, high):
        parameters = np.broadcast_to(said.ravel(), (1, 2, 2, said.size))
        offset = np.full((1, 2, 2, 4), np.sign(said[1, 0]) * phases.MEAN_LIMIT)
        mix = Mixture.of(parameters, offset, 2).corrected(np.full((1, kinds_of(4, 2).size), end))
        z = np.broadcast_to([[255, -255, 255, -255]], (1, 2, 2, 4))
        mix.push(message := Message(), z)
        assert np.array_equal(np.asarray(mix.pop(message)), z)


def test_corrections_are_for_each_image_and_phase() -> None:
    x = colour_forward(even(2, 16, 18, 3))
    named = codec_of()._named(ArraySpec((2, 16, 18, 3), "uint8"))
    assert isinstance(named, Corrected)
    numbers = named._fitted(x)
    assert numbers.shape == (2, 7, kinds_of(3, 2).size)
    assert numbers.any()
    assert np.abs(numbers).max() <= REACH
