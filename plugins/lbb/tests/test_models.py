"""Models that ship."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from codecs_lbb.codec import FlowCodec
from codecs_lbb.testing import random_model
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.errors import ConfigError, UnsupportedArrayError


def digits(n: int) -> NDArray[np.uint8]:
    with gzip.open("samples/mnist.idx.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:n]


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert random_model(3).sha256[:16] == "8d0adc618f8023e1"


def test_mnist() -> None:
    x = digits(20)
    codec = cc.get_codec("lbb.flow", model="mnist")
    assert codec.model is not None
    assert codec.model.attrs["command"]
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    # of 36 bits a value of the first image's seed, each has its share
    assert 8 * len(payload) / x.size < 1.5 + 36 / len(x)


def test_cifar10() -> None:
    with Image.open("samples/photos/parrots.png") as image:
        pixels = np.asarray(image)[:160, :224]
    x = pixels.reshape(5, 32, 7, 32, 3).swapaxes(1, 2).reshape(35, 32, 32, 3)
    codec = cc.get_codec("lbb.flow", model="cifar10")
    payload = codec.encode(x)
    assert np.array_equal(codec.decode(payload, ArraySpec.of(x)), x)
    assert len(payload) < len(cc.get_codec("classic.png").encode(pixels))


def test_a_way_from_one_digit_to_another() -> None:
    """Its ends are the digits themselves."""
    x = digits(2)
    codec = cc.get_codec("lbb.flow", model="mnist")
    found = codec.between(x[0], x[1], 5)
    assert found.shape == (5, 28, 28)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[[0, -1]], x)
    np.testing.assert_array_equal(found, codec.between(x[0], x[1], 5))
    # steps go one way: each is nearer to the end than the one before
    distances = np.abs(found.astype(int) - x[1]).mean((1, 2))
    assert (np.diff(distances) < 0).all()


def test_points_of_digits_are_those_of_no_others() -> None:
    x = digits(20)[..., None]
    flow = FlowCodec(model=cc.get_codec("lbb.flow", model="mnist").model)._flow.codec(20, 28, 28)
    points = flow.points(x)
    assert sum(z.size for z in points) == x.size
    np.testing.assert_array_equal(flow.image(points), x)


@pytest.mark.parametrize(
    ("first", "last", "items", "error", "text"),
    [
        ((28, 28), (28, 28), 1, ConfigError, "items must be an integer from 2"),
        ((28, 28), (32, 28), 3, UnsupportedArrayError, "must have one shape and dtype"),
        ((27, 28), (27, 28), 3, UnsupportedArrayError, "multiples of"),
    ],
)
def test_ways_that_are_none(first: tuple[int, ...], last: tuple[int, ...], items: int, error: type, text: str) -> None:
    codec = cc.get_codec("lbb.flow", model="mnist")
    with pytest.raises(error, match=text):
        codec.between(np.zeros(first, np.uint8), np.zeros(last, np.uint8), items)


def test_a_codec_that_knows_no_way() -> None:
    with pytest.raises(ConfigError, match="knows no way"):
        cc.get_codec("classic.raw").between(np.zeros(3), np.ones(3), 4)
