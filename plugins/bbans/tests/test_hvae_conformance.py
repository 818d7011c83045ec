"""The hierarchical codec holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_bbans.testing import random_hierarchy

from codecs_core.testing import CodecConformance


class TestConformance(CodecConformance):
    codec_id = "bbans.hvae"
    model = random_hierarchy(3)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 15

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(5 * 6 * 7 * 3)).astype(np.uint8)
        return [bits.reshape(5, 6, 7, 3), bits[: 6 * 7 * 3].reshape(7, 6, 3) // 8]
