"""The hierarchical codec: images it takes, previews, its first bits, damaged payloads."""

from __future__ import annotations

import dataclasses
import hashlib
import tracemalloc
from typing import Any

import numpy as np
import pytest
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.model import Hierarchy
from codecs_bbans.hvae.naming import shared
from codecs_bbans.hvae.phases import FEATURE, GROUPS, MEAN_LIMIT, join, limits_of, split
from codecs_bbans.testing import EveryNameCodec, OlderHierarchicalCodec, random_hierarchy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core import Model
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import BucketedGaussian, Message
from codecs_core.errors import CodecsError, CorruptDataError, ModelError, UnsupportedArrayError
from codecs_core.exact import ExactNet, colour_forward
from codecs_core.testing import unstored

CODECS = {c: HierarchicalCodec(model=random_hierarchy(c)) for c in (1, 3, 4)}
shapes = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))
images = shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape))


def pixels(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def check_round_trip(codec: HierarchicalCodec, x: NDArray[np.uint8]) -> bytes:
    payload = unstored(codec).encode(x)
    assert np.array_equal(unstored(codec).decode(payload, ArraySpec.of(x)), x)
    return payload


@given(images)
def test_phases_are_those_of_the_image(x: NDArray[np.uint8]) -> None:
    groups = split(x)
    assert [len(group) for group in groups] == [len(group) for group in GROUPS]
    assert sum(phase.size for group in groups for phase in group) == x.size
    assert np.array_equal(join(groups, x.shape[1:3]), x)


@settings(max_examples=40, deadline=None)
@given(images)
def test_round_trip(x: NDArray[np.uint8]) -> None:
    check_round_trip(CODECS[x.shape[3]], x)


@pytest.mark.parametrize("shape", [(7, 5), (6, 7, 1), (3, 8, 8), (1, 40), (1, 1), (0, 0), (0, 8, 8), (8, 0)])
def test_grey(shape: tuple[int, ...]) -> None:
    check_round_trip(CODECS[1], pixels(*shape))


@pytest.mark.parametrize(("shape", "dtype"), [((8, 8), "uint8"), ((8, 8, 4), "uint8"), ((8, 8, 3), "int8")])
def test_what_it_does_not_take(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedArrayError):
        CODECS[3].encode(np.zeros(shape, dtype))


def test_previews() -> None:
    """Level by level, and with more than there are levels the image itself; the finer levels are not looked at."""
    codec, x = unstored(CODECS[3]), pixels(2, 13, 10, 3)
    payload, spec = codec.encode(x), ArraySpec.of(x)
    shown = [codec.preview(payload, spec, levels) for levels in (0, 1, 2, 3, 1000)]
    assert all((y.shape, y.dtype) == (x.shape, x.dtype) for y in shown)
    assert not np.array_equal(shown[0], shown[1])
    assert not np.array_equal(shown[1], shown[2])
    assert np.array_equal(shown[3], x)
    assert np.array_equal(shown[4], x)


def test_a_preview_of_no_levels_is_the_same_for_all_images() -> None:
    """Nothing is read from the payload: all latents are at the means of their priors."""
    codec, arrays = unstored(CODECS[3]), [pixels(7, 6, 3, seed=seed) for seed in (1, 2)]
    shown = [codec.preview(codec.encode(x), ArraySpec.of(x), 0) for x in arrays]
    assert np.array_equal(*shown)


def test_previews_of_no_images() -> None:
    x = pixels(0, 5, 4, 3)
    assert all(CODECS[3].preview(CODECS[3].encode(x), ArraySpec.of(x), n).shape == x.shape for n in (0, 1, 9))


@settings(max_examples=30, deadline=None)
@given(images)
def test_latents_named_by_any_number_of_bits(x: NDArray[np.uint8]) -> None:
    """Round trips, and previews level by level, whatever the number is."""
    codec, spec = unstored(EveryNameCodec(model=CODECS[x.shape[3]].learnt)), ArraySpec.of(x)
    payload = check_round_trip(codec, x)
    shown = [codec.preview(payload, spec, levels) for levels in (0, 1, 2, 3)]
    assert np.array_equal(shown[3], x)


@pytest.mark.parametrize("name", ["photo", "cifar10"])
def test_an_even_image_names_its_latents_by_fewer_bits(name: str) -> None:
    """It draws them with fewer bits than there would be names for, and pays nothing that it lacks."""
    x = np.full((40, 48, 3), 90, np.uint8)
    x[8:24, 8:30] = pixels(16, 22, 3) // 8 + 60
    codec, spec = cc.get_codec("bbans.hvae", model=name), ArraySpec.of(x)
    older = OlderHierarchicalCodec(model=codec.model)
    assert len(codec.encode(x)) < 0.8 * len(older.encode(x))
    assert np.array_equal(codec.decode(codec.encode(x), spec), x)


def test_a_rough_image_names_its_latents_by_eight_bits() -> None:
    """Its payload is what version 1 made of it, and the number; and the number of another is not taken for it."""
    x = pixels(16, 16, 3)
    codec, older = (unstored(cls(model=CODECS[3].learnt)) for cls in (HierarchicalCodec, OlderHierarchicalCodec))
    payloads = [one.encode(x) for one in (codec, older)]
    assert 0 <= len(payloads[0]) - len(payloads[1]) <= 4
    assert np.array_equal(codec.decode(payloads[1], ArraySpec.of(x), version=1), x)
    for levels in (0, 1, 2, 3):
        shown = [codec.preview(p, ArraySpec.of(x), levels, version=v) for p, v in zip(payloads, (2, 1), strict=True)]
        assert np.array_equal(*shown)


def test_an_image_draws_its_latents_with_its_own_bits() -> None:
    """What a message takes beyond the evidence bound is its end, since no bits have to be there before the image."""
    hierarchy = Hierarchy(CODECS[3].learnt.config, CODECS[3].learnt.tensors())
    z = colour_forward(pixels(1, 32, 32, 3))
    message, codec = Message(), hierarchy.codec(1, 32, 32)
    bound = codec.push_counted(message, z)
    assert 8 * len(message.to_bytes()) <= bound + 48


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("ends", [("low", "low"), ("high", "high"), ("low", "high"), ("high", "low")])
def test_parameters_at_their_bounds(channels: int, ends: tuple[str, str]) -> None:
    """Networks that say nothing but the lowest, or the highest, of everything, those of priors and all others: no sum leaves its range."""
    model = random_hierarchy(channels)
    mean, scale = BucketedGaussian.MEAN, BucketedGaussian.LOG_SCALE
    ranges = np.array([[mean.low, scale.low], [mean.high, scale.high]])
    tensors = dict[str, NDArray[Any]]()
    for name in {key.rsplit(".", 2)[0] for key in model.tensors() if key.endswith(".weight")}:
        net = ExactNet.from_tensors(model.tensors(), name)
        last, normal = net.layers[-1], ranges.repeat(net.outputs // 2, axis=1)
        limits = {
            "network": np.stack(limits_of(channels, 2)),
            "linear": np.full((2, 1), MEAN_LIMIT) * [[-1], [1]],
            "prior": normal,
            "posterior": normal,
        }.get(name.rpartition(".")[2], np.array([[FEATURE.low], [FEATURE.high]]))
        limits = np.tile(limits, last.outputs // limits.shape[1])
        said = limits[int(ends[not name.endswith(".prior")] == "high")].astype(last.low.dtype)
        layers = [*net.layers[:-1], dataclasses.replace(last, low=said, high=said)]
        tensors |= ExactNet(layers, net.low, net.high).tensors(name)
    model = Model.create(codec="bbans.hvae", config=model.config, tensors=tensors, attrs={}, name="bounds")
    codec = HierarchicalCodec(model=model)
    check_round_trip(codec, pixels(2, 5, 7, channels))
    assert codec.sample(2, (3, 4)).shape == (2, 3, 4, channels)


@pytest.mark.parametrize("shape", [(2, 13, 10, 3), (20, 33, 3), (6, 7, 1), (1, 1, 1, 4)])
def test_information_says_where_the_bits_of_a_payload_are(shape: tuple[int, ...]) -> None:
    codec, x = CODECS[shape[-1]], pixels(*shape)
    bits, message = codec.information(x), Message()
    empty = message.bits
    codec._stack_codec(ArraySpec.of(x)).push(message, codec._arranged(x))
    assert bits.shape == x.shape
    assert bits.sum() == pytest.approx(message.bits - empty, abs=0.5)
    assert codec.information(x[:0]).shape == x[:0].shape


def test_latents_are_paid_by_the_pixels_that_they_stand_over() -> None:
    """Of each square alike, also of those that the image cuts."""
    bits = np.random.default_rng(0).random((2, 2, 3))
    found = shared(bits, 4, (7, 9))
    assert found.shape == (2, 7, 9)
    assert found.sum() == pytest.approx(bits.sum())
    assert np.ptp(found[0, 4:, 8:]) == 0
    assert found[0, 4:, 8:].sum() == pytest.approx(bits[0, 1, 2])


def test_samples_are_what_random_bits_decode_to() -> None:
    found = CODECS[3].sample(2, (8, 4), seed=1)
    assert (found.shape, found.dtype) == ((2, 8, 4, 3), np.uint8)
    assert np.array_equal(found, CODECS[3].sample(2, (8, 4), seed=1))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damaged_payloads_are_refused_or_differ(data: Any) -> None:
    codec, x = unstored(CODECS[3]), pixels(6, 5, 3)
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert found.shape == x.shape


@pytest.mark.parametrize("verb", ["decode", "preview"])
def test_a_small_payload_that_claims_a_large_image(verb: str) -> None:
    """It ends with the first latent that is not there, before anything of the size of the image is made."""
    codec, spec = CODECS[3], ArraySpec((1 << 14, 1 << 13, 3), "uint8")
    tracemalloc.start()
    with pytest.raises(CorruptDataError):
        codec.decode(bytes([1] * 64), spec) if verb == "decode" else codec.preview(bytes([1] * 64), spec, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < spec.size / 4  # the coarsest latents alone


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 2},
        {"channels": 1},
        {"channels": True},
        {"latents": [2]},
        {"latents": [3, 2]},
        {"latents": [2, 3, 3]},
        {"latents": []},
        {"latents": [2] * 9},
        {"latents": 2},
        {"features": 4},
        {"features": 1 << 70},
        {"components": 3},
        {"components": None},
    ],
)
def test_models_that_do_not_fit(change: dict[str, Any]) -> None:
    model = random_hierarchy(3)
    with pytest.raises(ModelError):
        Hierarchy({**model.config, **change}, model.tensors())


@pytest.mark.parametrize(
    "part",
    ["level0.up", "level0.prior", "level1.posterior", "level0.down", "inner.prior2.linear", "rest.prior1.network"],
)
def test_networks_that_can_say_too_much(part: str) -> None:
    """A last layer with wider limits than the codec has, with a probe that is right."""
    model = random_hierarchy(3)
    net = ExactNet.from_tensors(model.tensors(), part)
    wider = dataclasses.replace(net.layers[-1], high=np.full(net.outputs, (1 << 24) - 1, np.int32))
    tensors = model.tensors() | ExactNet([*net.layers[:-1], wider], net.low, net.high).tensors(part)
    with pytest.raises(ModelError, match="outside their range"):
        Hierarchy(model.config, tensors)


@pytest.mark.parametrize(
    ("model", "payload_digest", "older_digest", "shown_digest"),
    [
        (
            "cifar10",
            "e3ad603b77d7afb04b4e626ee40d5c85",
            "130fb2c644684e862cecada2c8dd70c6",
            "132fbae8ccfb479d64cb22bb4a6d308a",
        ),
        (
            "photo",
            "cb0fd991bd56e88f7642a48d7d91e49d",
            "642c2b46fca6a4183b35a8f6c8202921",
            "84e49e5398a52ee8c38dafb7a0f03242",
        ),
    ],
)
def test_the_models_that_ship_make_the_payloads_that_they_made(
    model: str, payload_digest: str, older_digest: str, shown_digest: str
) -> None:
    """Golden vectors: any change of their networks, or of what codes with them, is a change of these bytes."""
    y, x = np.mgrid[:32, :32]
    image = np.stack([4 * x + 3 * y, 200 - 5 * x, 7 * y], -1).astype(np.uint8)
    codec, spec = cc.get_codec("bbans.hvae", model=model), ArraySpec.of(image)
    payload, older = codec.encode(image), OlderHierarchicalCodec(model=codec.model).encode(image)
    assert hashlib.sha256(payload).hexdigest()[:32] == payload_digest
    assert hashlib.sha256(older).hexdigest()[:32] == older_digest
    assert np.array_equal(codec.decode(payload, spec), image)
    assert np.array_equal(codec.decode(older, spec, version=1), image)
    coarse = cc.get_codec("bbans.hvae-lossy", model=model)
    shown = coarse.decode(coarse.encode(image), spec)
    assert hashlib.sha256(shown.tobytes()).hexdigest()[:32] == shown_digest
