"""The codec of stacks holds to the Codec contract."""

import numpy as np
from codecs_ar.stack.testing import random_model

from codecs_core.testing import CodecConformance
from codecs_core.testing.random import Draw


class TestGrey(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((7, 6, 1))
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10

    def samples(self):
        draw = Draw(1)
        x = draw(0, 255, 5, 7, 6).astype(np.uint8)
        return [x, x[:1, :, :, None], np.zeros((3, 7, 6), np.uint8), x[:0]]


class TestColour(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((5, 9, 3))
    environments = ("plainest",)
    examples = 10

    def samples(self):
        return [Draw(2)(0, 255, 4, 5, 9, 3).astype(np.uint8) // 16]


class TestBinary(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((6, 6, 1), symbols=2)
    environments = ("plainest",)
    examples = 10

    def samples(self):
        x = Draw(3)(0, 1, 9, 6, 6).astype(np.uint8)
        return [x, x.astype(bool)]
