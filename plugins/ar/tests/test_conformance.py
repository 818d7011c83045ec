"""The codec holds to the Codec contract."""

from pathlib import Path

import numpy as np
from codecs_ar.testing import random_model

from codecs_core.testing import CodecConformance


class TestConformance(CodecConformance):
    codec_id = "ar.image"
    configs = ({}, {"effort": "fast"}, {"effort": "smallest"})
    model = random_model(3)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)  # tests/exactness has the others
    examples = 10

    def samples(self):
        bits = np.asarray(np.random.Philox(5).random_raw(3 * 6 * 7 * 3)).astype(np.uint8)
        alpha = (bits[: 2 * 5 * 9 * 4] // 64 * 85).reshape(2, 5, 9, 4)
        return [bits.reshape(3, 6, 7, 3), bits[: 6 * 7 * 3].reshape(7, 6, 3) // 8, alpha]


class TestGrey(CodecConformance):
    """Of up to 16 bits, with layers of more than 16 outputs."""

    codec_id = "ar.image"
    configs = ({}, {"effort": "smallest"})
    model = random_model(1, width=24, components=6)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10

    def samples(self):
        y, x = np.mgrid[:40, :36].astype(np.uint16)
        noise = (np.asarray(np.random.Philox(6).random_raw(x.size)) % 7).astype(np.uint16).reshape(x.shape)
        flat = np.full((24, 50), 40_000, np.uint16)
        flat[20:, 30:] = 3
        return [300 * y + x * x + noise, flat, noise[:1].astype(np.uint8), noise[:, :1, None]]


class TestBands(CodecConformance):
    """Two channels and five, of signed and of wide integers; steps, and few values far apart."""

    codec_id = "ar.image"
    configs = ({"effort": "fast"}, {})
    model = random_model(3)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10
    trials = 24

    def samples(self):
        y, x = np.mgrid[:30, :36]
        noise = (np.asarray(np.random.Philox(8).random_raw(30 * 36 * 5)) % 9).astype(np.int64).reshape(30, 36, 5)
        steps = noise + 200 * (x > y)[..., None]
        few = 2000 * (noise[..., 0] + (x + y) // 8)
        return [
            steps[..., :2].astype(np.int16) - 90,
            steps[:9, :20] * 70_001,
            few[..., None].repeat(3, 2).astype(np.uint16),
        ]


class TestSecond(CodecConformance):
    """A model with a second opinion, at the level that hears it."""

    codec_id = "ar.image"
    configs = ({"effort": "smallest"},)
    model = random_model(3, width=7, second=True)
    vectors = Path(__file__).with_name("vectors")
    environments = ("plainest",)
    examples = 10

    def samples(self):
        y, x = np.mgrid[:18, :20].astype(np.uint8)
        noise = (np.asarray(np.random.Philox(9).random_raw(18 * 20 * 3)) % 9).astype(np.uint8).reshape(18, 20, 3)
        return [(5 * y + 3 * x)[..., None] + noise, noise[:5, :7] * np.int64(70_001), noise[:1, :, :2]]
