"""Every codec holds to the Codec contract."""

from pathlib import Path

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
