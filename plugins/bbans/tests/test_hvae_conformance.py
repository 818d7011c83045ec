"""The hierarchical codec holds to the Codec contract, with models of grey images and of colours."""

from pathlib import Path

import numpy as np
from codecs_bbans.testing import random_hierarchy

from codecs_core.testing import CodecConformance


class Conformance(CodecConformance):
    codec_id = "bbans.hvae"
    configs = ({}, {"effort": "smallest"})
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 15
    channels = 3

    def samples(self):
        """A stack and an image around middle grey, both of odd size, and noise, which is stored."""
        bits = np.asarray(np.random.Philox(5).random_raw(3 * 15 * 18 * self.channels)).astype(np.uint8)
        stack = bits.reshape(3, 15, 18, self.channels)
        return [120 + stack % 16, 120 + stack[0, :, 1:] % 16, stack[0, :4, :5]]


class TestColour(Conformance):
    model = random_hierarchy(3)


class TestGrey(Conformance):
    channels = 1
    model = random_hierarchy(1, latents=(2, 1, 2))


class Lossy(Conformance):
    codec_id = "bbans.hvae-lossy"
    configs = ({}, {"levels": 1})


class TestLossyColour(Lossy):
    model = random_hierarchy(3)


class TestLossyGrey(Lossy):
    channels = 1
    model = random_hierarchy(1, latents=(2, 1, 2))
