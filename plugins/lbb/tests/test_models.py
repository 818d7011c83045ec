"""Models that ship."""

from __future__ import annotations

import gzip

import numpy as np
from codecs_lbb.testing import random_model
from PIL import Image

import codecs_core as cc
from codecs_core.arrays import ArraySpec


def test_random_models_are_as_ever() -> None:
    """They stand in files of tests, by their hash."""
    assert random_model(3).sha256[:16] == "8d0adc618f8023e1"


def test_mnist() -> None:
    with gzip.open("samples/mnist.idx.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:20]
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
