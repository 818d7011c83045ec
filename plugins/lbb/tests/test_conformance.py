"""The codec holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_lbb.testing import random_model

from codecs_core.testing import CodecConformance


class TestConformance(CodecConformance):
    codec_id = "lbb.flow"
    model = random_model(3)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 15

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(5 * 4 * 8 * 3)).astype(np.uint8)
        return [bits.reshape(5, 4, 8, 3), bits[:96].reshape(1, 8, 4, 3) // 8]
