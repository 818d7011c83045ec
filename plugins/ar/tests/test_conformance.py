"""The codec holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_ar.testing import random_model

from codecs_core.testing import CodecConformance


class TestConformance(CodecConformance):
    codec_id = "ar.image"
    model = random_model(3)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(3 * 6 * 7 * 3)).astype(np.uint8)
        return [bits.reshape(3, 6, 7, 3), bits[: 6 * 7 * 3].reshape(7, 6, 3) // 8]
