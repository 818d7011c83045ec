"""The codec of stacks holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_ar.stack.testing import fitted_model, random_model

from codecs_core.testing import CodecConformance
from codecs_core.testing.random import Draw


class TestGrey(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((7, 6, 1))
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10

    def samples(self):
        draw = Draw(1)
        x = draw(0, 255, 5, 7, 6).astype(np.uint8)
        sparse = np.where(draw(0, 9, *x.shape) == 0, x, 0).astype(np.uint8)
        return [x, sparse, sparse[1:2, :, :, None], x[:0]]


class TestColour(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((5, 9, 3))
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10

    def samples(self):
        draw = Draw(2)
        x = draw(0, 255, 4, 5, 9, 3).astype(np.uint8)
        return [x // 16, np.where(draw(0, 9, *x.shape) == 0, x, 0).astype(np.uint8)]


class TestReferred(TestColour):
    """Values less what their neighbours let expect."""

    trials = 24
    model = random_model((5, 9, 3), referred=True)


class TestFitted(TestColour):
    """With the predictors of `ar.image`."""

    trials = 24
    model = fitted_model((5, 9, 3))


class TestBinary(CodecConformance):
    codec_id = "ar.stack"
    model = random_model((6, 6, 1), symbols=2)
    trials = 24
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10

    def samples(self):
        x = (Draw(3)(0, 7, 9, 6, 6) == 0).astype(np.uint8)
        return [x, x.astype(bool)]
