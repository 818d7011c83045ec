"""The codecs hold to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_rec.testing import random_lossy, random_model, random_photograph, random_picture

from codecs_core.testing import CodecConformance


class Conformance(CodecConformance):
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10
    largest = 255

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(20 * 12)).astype(np.uint8) & self.largest
        return [bits.reshape(20, 4, 3), bits[:12].reshape(1, 4, 3)]


class TestLossy(Conformance):
    codec_id = "rec.vae"
    model = random_lossy((4, 3))
    configs = ({}, {"quality": 1})


class TestPicture(CodecConformance):
    codec_id = "rec.vae"
    model = random_picture()
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10
    configs = ({}, {"quality": 1})

    def samples(self):
        bits = np.asarray(np.random.Philox(7).random_raw(3000)).astype(np.uint8)
        return [bits.reshape(2, 20, 25, 3), bits[:510].reshape(17, 10, 3)]


class TestPhotograph(TestPicture):
    model = random_photograph()
    configs = ({}, {"quality": 1}, {"search": False})


class TestGrey(Conformance):
    codec_id = "rec.vae-lossless"
    model = random_model("mixture", (4, 3))
    configs = ({}, {"search": False})


class TestBinary(Conformance):
    codec_id = "rec.vae-lossless"
    model = random_model("bernoulli", (4, 3))
    largest = 1


class TestLatents(Conformance):
    codec_id = "rec.vae-latents"
    model = random_model("mixture", (4, 3))
    configs = ({}, {"levels": 1})


class TestWeights(CodecConformance):
    codec_id = "rec.weights"
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 4  # each a long search
    configs = ({}, {"deviation": 0.5})

    def samples(self):
        x = np.asarray(np.random.Philox(6).random_raw(20)).astype(np.int64) % 2001 - 1000
        return [(x.reshape(5, 4) / 256).astype(np.float32), (x[:1] / 8).astype(np.float32)]
