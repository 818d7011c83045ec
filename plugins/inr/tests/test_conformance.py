"""The codec holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_inr.testing import random_model

from codecs_core.testing import CodecConformance, Draw


class Conformance(CodecConformance):
    codec_id = "inr.image"
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 8
    configs = ({"effort": "fast"}, {})


class TestColour(Conformance):
    model = random_model(linear=True)

    def samples(self):
        x = Draw(5)(0, 255, 2, 9, 7, 3).astype(np.uint8)
        return [x, x[0], x[:1, :4, :5], x[:0]]


class TestLatents(Conformance):
    model = random_model((4, 4, 1), hidden=(2,), latents=(2, 1), linear=True, index_bits=2, window=5)
    configs = ({"effort": "fast"},)

    def samples(self):
        x = Draw(5)(0, 255, 2, 5, 4).astype(np.uint8)
        return [x, x[0], x[:0]]


class TestShared(Conformance):
    model = random_model((3, 2, 1), hidden=(2,), shared=(2, 1), linear=True)
    configs = ({"effort": "fast"},)

    def samples(self):
        x = Draw(5)(0, 255, 2, 10, 5).astype(np.uint8)
        return [x, x[0], x[0, :3, :2], x[:0]]


class TestCoin(Conformance):
    codec_id = "inr.coin"
    configs = ({"steps": 4, "width": 3, "depth": 1}, {"steps": 3, "digits": 3, "frequencies": 2, "width": 2})

    def samples(self):
        x = Draw(7)(0, 255, 2, 9, 7, 3).astype(np.uint8)
        return [x, x[0], x[..., 0], x[:0]]


class TestGrey(Conformance):
    model = random_model((3, 4, 1), index_bits=9, hidden=(5,), groups=3)

    def samples(self):
        x = Draw(6)(0, 255, 3, 7, 8).astype(np.uint8)
        return [x, x[0], x[..., None]]


class TestSound(Conformance):
    codec_id = "inr.sound"
    model = random_model((9, 1), index_bits=7, linear=True)

    def samples(self):
        x = Draw(8)(-(1 << 15), (1 << 15) - 1, 20, 2).astype(np.int16)
        return [x, x[:, 0], x[:5, :1], x[:0], x[:9].repeat(2, 1)]
