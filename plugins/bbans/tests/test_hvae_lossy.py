"""The latents of a hierarchy alone: what is kept and shown, level by level, damaged payloads, models of the lossless codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.hvae.lossy import REACH, LossyHierarchicalCodec, bucket, deviation
from codecs_bbans.hvae.search import searched, summed
from codecs_bbans.testing import random_hierarchy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.entropy import BucketedGaussian, centres
from codecs_core.errors import CodecsError, ConfigError, CorruptDataError, ModelError
from codecs_core.testing import unstored

MODELS = {c: random_hierarchy(c) for c in (1, 3, 4)}
LEVELS = 2


def pixels(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def codec_of(levels: int = 0, channels: int = 3) -> LossyHierarchicalCodec:
    return unstored(LossyHierarchicalCodec(model=MODELS[channels], levels=levels))


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4])))
def test_any_size(shape: tuple[int, int, int, int]) -> None:
    x, spec = pixels(*shape), ArraySpec(shape, "uint8")
    codec = codec_of(channels=shape[3])
    assert codec.decode(codec.encode(x), spec).shape == shape


def test_levels() -> None:
    """Fewer levels are fewer bytes, and decode to what more of them show as a preview; all of them is the default."""
    x = pixels(2, 32, 29, 3)
    spec, payloads = ArraySpec.of(x), [codec_of(levels).encode(x) for levels in (1, 2, 0)]
    shown = [codec_of(levels).decode(p, spec) for levels, p in zip((1, 2, 0), payloads, strict=True)]
    assert len(payloads[0]) < len(payloads[1])
    assert payloads[1] == payloads[2]
    assert not np.array_equal(shown[0], shown[1])
    previews = [codec_of().preview(payloads[2], spec, levels) for levels in (0, 1, 2, 9)]
    assert np.array_equal(previews[1], shown[0])
    assert np.array_equal(previews[2], shown[1])
    assert np.array_equal(previews[3], shown[1])


def test_without_latents_it_shows_what_the_lossless_codec_shows() -> None:
    x = pixels(7, 6, 3)
    lossless = unstored(HierarchicalCodec(model=MODELS[3]))
    shown = [codec.preview(codec.encode(x), ArraySpec.of(x), 0) for codec in (lossless, codec_of())]
    assert np.array_equal(*shown)


def test_more_levels_than_the_model_has() -> None:
    with pytest.raises(ConfigError, match="has 2 levels of latents, not 3"):
        codec_of(LEVELS + 1).encode(pixels(8, 8, 3))


def test_buckets_are_as_wide_as_the_scale_of_the_prior() -> None:
    scales = np.array([-640, -64, 0, 64, 128])
    means = np.full(5, 300)
    for steps in (-9, -7, -2, 0, 1, 7, 9):
        moved = np.rint(means + 4096 * steps * 2.0 ** (scales / 64)).astype(np.int64)
        assert (bucket(moved, (means, scales)) == np.clip(steps, -REACH, REACH) + REACH).all()
    ends = np.array([BucketedGaussian.MEAN.low, BucketedGaussian.MEAN.high])
    assert bucket(ends, (ends[::-1], np.full(2, -640))).tolist() == [0, 2 * REACH]
    assert deviation(np.array([REACH])) == 0
    assert np.abs(deviation(np.array([0, 2 * REACH]))).max() > np.abs(centres(8)).max()


def test_no_images() -> None:
    x = pixels(0, 5, 4, 3)
    assert codec_of().decode(codec_of().encode(x), ArraySpec.of(x)).shape == x.shape


def test_a_file_takes_the_models_of_the_lossless_codec(tmp_path: Path) -> None:
    """By one model, in one file: an entry as it is, and one that is told to be lossy."""
    x = pixels(24, 20, 3)
    MODELS[3].save(tmp_path / "tree.safetensors")
    arrays = {"a": x, "b": x}
    codecs = {
        "a": HierarchicalCodec(model=MODELS[3]),
        "b": cc.get_codec("bbans.hvae-lossy", model=str(tmp_path / "tree.safetensors"), levels=1),
    }
    assert cc.load_model(str(tmp_path / "tree.safetensors"), codec="bbans.hvae-lossy").codec == "bbans.hvae"
    for name, array in arrays.items():
        cc.save(tmp_path / f"{name}.ccf", array, codec=codecs[name])
        with cc.open(tmp_path / f"{name}.ccf", models=MODELS[3]) as file:
            (entry,) = file.values()
            assert np.array_equal(entry[...], x) == (name == "a")


def test_a_model_of_yet_another_codec() -> None:
    other = cc.Model.create(codec="bbans.vae", config={}, tensors={})
    with pytest.raises(ModelError, match=r"is for codec bbans\.vae, not for bbans\.hvae"):
        cc.get_codec("bbans.hvae-lossy", model=other)


def test_auto_never_takes_it() -> None:
    (found,) = [one for one in cc.list_codecs() if one["id"] == "bbans.hvae-lossy"]
    assert (found["kind"], found["auto"], found["trainable"]) == ("lossy", False, False)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damaged_payloads_are_refused_or_differ(data: Any) -> None:
    codec, x = codec_of(), pixels(6, 5, 3)
    payload = bytearray(codec.encode(x))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(payload), ArraySpec.of(x))
    except CodecsError:
        return
    assert found.shape == x.shape


def test_a_payload_with_more_behind_it() -> None:
    """What a payload of more levels has is not passed over in silence."""
    x = pixels(16, 16, 3)
    with pytest.raises(CorruptDataError):
        codec_of(1).decode(codec_of(2).encode(x), ArraySpec.of(x))


def test_effort_smallest_shows_more_of_an_image_in_no_more_bytes() -> None:
    """And a decoder of the effort standard reads it."""
    y, x = np.mgrid[:32, :32]
    image = np.stack([4 * x + 3 * y, 200 - 5 * x, 7 * y], -1).astype(np.uint8)[None, :16, :24]
    spec, errors, sizes = ArraySpec.of(image), [], []
    codecs = [cc.get_codec("bbans.hvae-lossy", model="cifar10", effort=e, levels=1) for e in ("standard", "smallest")]
    for codec in codecs:
        payload = codec.encode(image)
        shown = codecs[0].decode(payload, spec).astype(np.int64)
        sizes.append(len(payload))
        errors.append(int(((shown - image) ** 2).sum()))
    assert sizes[1] <= sizes[0]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("levels", [0, 1])
def test_effort_smallest_with_weights_that_learnt_nothing(levels: int) -> None:
    x = pixels(2, 9, 7, 3)
    standard, smallest = (
        unstored(LossyHierarchicalCodec(model=MODELS[3], levels=levels, effort=effort))
        for effort in ("standard", "smallest")
    )
    payload, spec = smallest.encode(x), ArraySpec.of(x)
    assert len(payload) <= len(standard.encode(x))
    losses = [((standard.decode(p, spec).astype(int) - x) ** 2).sum() for p in (payload, standard.encode(x))]
    assert losses[0] <= losses[1]


def test_the_search_moves_each_latent_by_itself() -> None:
    """Where a pixel is what its own latent says, all find the bucket that is nearest, unless its bits are worth more."""
    goal = np.random.default_rng(0).integers(4, 11, (1, 6, 9, 1))
    squares = lambda found: (1000 * (found[0] - goal)[..., 0].repeat(4, 1).repeat(4, 2)) ** 2  # noqa: E731
    start = np.clip(goal + np.random.default_rng(1).integers(-1, 2, goal.shape), 0, 14)
    (found,) = searched([start], [4], squares, REACH)
    assert np.array_equal(found, goal)
    still = np.full_like(goal, REACH)
    assert np.array_equal(searched([still], [4], squares, REACH)[0], still)


def test_sums_around_latents() -> None:
    """Every pixel counts once, for the nearest of those that are moved."""
    change = np.arange(7 * 20 * 36).reshape(7, 20, 36)
    for first in ((0, 0), (1, 3), (3, 2)):
        shape = (7, len(range(first[0], 5, 4)), len(range(first[1], 9, 4)))
        found = summed(change, first, 4, shape[1:])
        assert found.shape == shape
        assert found.sum() == change.sum()
