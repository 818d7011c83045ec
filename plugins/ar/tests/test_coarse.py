"""Models of fewer bits: they code, at about the same rate, and take a fraction of the place in a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_ar.coarse import coarse, coarser
from codecs_ar.codec import ImageCodec
from codecs_ar.learner import WEIGHT_BITS

import codecs_core as cc
from codecs_core import Model
from codecs_core.api.choosing.embedding import packed
from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError


@pytest.fixture(scope="module")
def photo() -> Model:
    return cc.load_model("photo", codec="ar.image")


def waves() -> Any:
    """A smooth image in colour with a little noise."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:48, :40]
    clean = 120 + 80 * np.sin(0.2 * x[..., None] + 0.1 * y[..., None] + np.arange(3))
    return (clean + rng.normal(0, 2, clean.shape)).clip(0, 255).astype(np.uint8)


def test_a_fraction_of_the_place_at_the_same_rate(photo: Model) -> None:
    """Less than a quarter; an image of 5,760 values, which is hardly time to learn, takes not a percent more than with `photo`."""
    small, image = coarser(photo, 5), waves()
    place = packed(small)
    assert place is not None
    assert len(place) < len(photo.data) / 4
    assert small.sha256 != photo.sha256
    assert small.attrs["made_of"] == photo.sha256
    sizes = []
    for model in (photo, small):
        codec = ImageCodec(model=model)
        payload = codec.encode(image)
        np.testing.assert_array_equal(codec.decode(payload, ArraySpec.of(image)), image)
        sizes.append(len(payload))
    assert sizes[1] < 1.01 * sizes[0]


def test_what_is_rounded(photo: Model) -> None:
    tensors, of = coarser(photo, 6).tensors(), photo.tensors()
    for name, tensor in tensors.items():
        if name.endswith(".weight"):
            assert not (tensor & ((1 << (WEIGHT_BITS - 6)) - 1)).any()
            assert np.abs(tensor.astype(np.int64) - of[name]).max() <= 1 << (WEIGHT_BITS - 7)
        elif name.endswith(".prior"):
            np.testing.assert_allclose(tensor, of[name], rtol=2.0**-14)
    for name, tensor in coarser(photo, WEIGHT_BITS).tensors().items():
        if name.endswith("weight"):
            np.testing.assert_array_equal(tensor, of[name])


def test_weights_near_the_end_of_their_range() -> None:
    """None is rounded beyond what 32 bits hold."""
    tensors = {"plane0.0.weight": np.array([[2**31 - 1, -(2**31)]], np.int32)}
    rounded = coarse(tensors, 4)["plane0.0.weight"]
    assert rounded.tolist() == [[2**31 - 2**16, -(2**31)]]


@pytest.mark.parametrize("bits", [2, 21])
def test_bits_out_of_range(photo: Model, bits: int) -> None:
    with pytest.raises(ConfigError, match="3 to 20"):
        coarser(photo, bits)
