"""Every codec holds to the Codec contract."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from codecs_core.testing import CodecConformance


class Conformance(CodecConformance):
    vectors = Path(__file__).with_name("vectors")
    environments = ("numpy-baseline",)
    examples = 15


class TestRaw(Conformance):
    codec_id = "classic.raw"


class TestZlib(Conformance):
    codec_id = "classic.zlib"
    configs = ({}, {"level": 1})


class TestBz2(Conformance):
    codec_id = "classic.bz2"


class TestLzma(Conformance):
    codec_id = "classic.lzma"


class TestZstd(Conformance):
    codec_id = "classic.zstd"


class TestPng(Conformance):
    codec_id = "classic.png"
    configs = ({}, {"layout": "items"})


class TestWebP(Conformance):
    codec_id = "classic.webp"
    configs = ({}, {"layout": "items"})


class TestJpegXL(Conformance):
    codec_id = "classic.jxl"
    configs = ({}, {"layout": "items"})


class TestJpeg(Conformance):
    codec_id = "classic.jpeg"

    def samples(self):
        """A JPEG file, one that JPEG XL does not take, and bytes that are none."""
        y, x = np.mgrid[:72, :96]
        colours = np.stack([128 + 90 * np.sin(x / 9), 128 + 80 * np.cos(y / 7), (x * y) % 256], 2).astype(np.uint8)
        return [jpeg(colours), jpeg(colours, "CMYK"), np.arange(200, dtype=np.uint8)]


def jpeg(pixels, mode="RGB"):
    """The bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", quality=90)
    return np.frombuffer(file.getvalue(), np.uint8)


class TestFiltered(Conformance):
    codec_id = "classic.filtered"
    configs = ({}, {"method": "zstd"})


class TestPcodec(Conformance):
    codec_id = "classic.pcodec"
    configs = ({}, {"level": 8})
