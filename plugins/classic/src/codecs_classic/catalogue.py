"""What each codec is for, and where it lives: known without importing a compressor."""

from __future__ import annotations

from codecs_core import CodecInfo

_IMAGES = (2, 3, 4)
_VOLUMES = (2, 3, 4, 5, 6)
_WORDS = ("bool", "int8", "uint8", "int16", "uint16", "float16")
_NUMBERS = (
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64", "complex64", "complex128"),
)

INFO: dict[str, CodecInfo] = {
    "classic.raw": CodecInfo(summary="the values as they are, little endian", speed=1000, files=True),
    "classic.zlib": CodecInfo(summary="DEFLATE, the method of gzip", speed=8),
    "classic.bz2": CodecInfo(summary="bzip2: block sorting", speed=8, files=True),
    "classic.lzma": CodecInfo(summary="xz: LZ77 with a large window and an adaptive coder", speed=2, files=True),
    "classic.zstd": CodecInfo(summary="Zstandard: fast to decode", speed=4, files=True),
    "classic.filtered": CodecInfo(summary="xz or Zstandard behind differences, and bytes or bits in planes", speed=2),
    "classic.pcodec": CodecInfo(summary="Pcodec: numerical columns, fast to decode", speed=10, dtypes=_NUMBERS),
    "classic.png": CodecInfo(
        summary="PNG images and stacks of them; 16 bits in grey", speed=3, dtypes=_WORDS, ndim=_VOLUMES
    ),
    "classic.webp": CodecInfo(
        summary="lossless WebP images and stacks of them", speed=0.5, dtypes=("uint8",), ndim=_IMAGES
    ),
    "classic.jxl": CodecInfo(
        summary="lossless JPEG XL images and stacks of them", speed=3, dtypes=_WORDS, ndim=_VOLUMES
    ),
    "classic.jpeg": CodecInfo(
        summary="JPEG files, byte for byte, as JPEG XL has them", speed=10, dtypes=("uint8",), ndim=(1,), auto=False
    ),
}

IMPLEMENTATIONS: dict[str, str] = {
    "classic.raw": "codecs_classic.stdlib:Raw",
    "classic.zlib": "codecs_classic.stdlib:Zlib",
    "classic.bz2": "codecs_classic.stdlib:Bz2",
    "classic.lzma": "codecs_classic.stdlib:Lzma",
    "classic.zstd": "codecs_classic.zstd:Zstd",
    "classic.filtered": "codecs_classic.filtered:Filtered",
    "classic.pcodec": "codecs_classic.pcodec:Pcodec",
    "classic.png": "codecs_classic.png:Png",
    "classic.webp": "codecs_classic.webp:WebP",
    "classic.jxl": "codecs_classic.jxl:JpegXL",
    "classic.jpeg": "codecs_classic.jpeg:Jpeg",
}
