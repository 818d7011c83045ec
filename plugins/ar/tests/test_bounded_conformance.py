"""The codec with a bound of the error holds to the Codec contract; so does the lossless one at its other levels."""

from pathlib import Path

import numpy as np

from codecs_core.testing import CodecConformance


def field():
    y, x = np.mgrid[:20, :26]
    words = np.asarray(np.random.Philox(7).random_raw(x.size)).reshape(x.shape)
    noise = (words % np.uint64(512)).astype(np.float32) / 4096
    made = (y * y - 3 * x).astype(np.float32) / 8 + noise
    made[3:9, 2:5] = 1e20
    made[15, :4] = [np.nan, -np.inf, -0.0, 1e-42]
    return made


class TestConformance(CodecConformance):
    codec_id = "ar.bounded"
    configs = (
        {"max_error": 0.05},
        {"max_error": 0.001, "relative": True},
        {"max_error": 2.5},
        {"max_error": 0.05, "effort": "fast"},
    )
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 5

    def samples(self):
        y, x = np.mgrid[:30, :24]
        waves = (x * (24 - x) * (y + 40) % 97 + 300) / 128  # of fractions that are exact everywhere
        stack = np.stack([waves, waves * 1.25, waves + x / 64])[:, :12, :16]
        return [field(), stack, (waves * 400).astype(np.float16), (waves * 300).astype(np.int16)]


class TestLevels(CodecConformance):
    codec_id = "ar.array"
    configs = ({"effort": "fast"}, {"effort": "smallest"})
    environments = ()
    examples = 3

    def samples(self):
        return [field(), np.cumsum(field().view(np.uint32) % 9, axis=1).astype(np.int32)]
