"""The codec for numerical arrays holds to the Codec contract."""

from pathlib import Path

import numpy as np

from codecs_core.testing import CodecConformance


class TestConformance(CodecConformance):
    codec_id = "ar.array"
    configs = ({}, {"effort": "fast"}, {"effort": "smallest"})
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10

    def samples(self):
        y, x = np.mgrid[:24, :20]
        words = np.asarray(np.random.Philox(7).random_raw(x.size))
        noise = (words % np.uint64(7)).astype(np.int16).reshape(x.shape)
        field = (y * y - 3 * x).astype(np.float32) / 8 + noise.astype(np.float32) / 512
        field[3:9, 2:5] = 1e20
        series = np.cumsum(words.astype(np.int64)[:300] >> 58)
        still = np.tile(field[12:13], (20, 1))
        few = np.zeros((20, 24))
        few[3, 4], few[11, 23] = -13245.72, 289098.81
        return [(30 * y + x * x + noise).astype(np.int16), field, series, series / 100.0, noise > 3, still, few]
