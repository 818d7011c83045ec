"""The codec holds to the Codec contract, with models of either kind."""

from pathlib import Path

import numpy as np
from codecs_bbans.testing import random_model

from codecs_core.entropy import Message
from codecs_core.testing import CodecConformance


class Conformance(CodecConformance):
    codec_id = "bbans.vae"
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 15
    largest = 255
    configs = ({}, {"effort": "smallest"})

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(70 * 12)).astype(np.uint8) & self.largest
        return [bits.reshape(70, 4, 3), bits[:12].reshape(1, 4, 3)]


class TestGrey(Conformance):
    model = random_model("mixture", (4, 3))

    def samples(self):
        likely = self.codec()._vae.codec(70).pop(Message())  # of the model, so that it is not stored
        return [*super().samples(), likely.astype(np.uint8).reshape(70, 4, 3)]


class TestBinary(Conformance):
    model = random_model("bernoulli", (4, 3))
    largest = 1
