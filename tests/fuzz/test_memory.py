"""Refusing a hostile file takes little memory, whatever it claims and whatever its payloads would become."""

import bz2
import json
import lzma
import subprocess
import sys
import zlib
from pathlib import Path

import imagecodecs
import msgpack
import numpy as np
import pytest
import zstandard
from PIL import Image

import codecs_core as cc
from codecs_core.container import Entry, Writer, digest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")

VECTORS = Path(__file__).parents[2] / "spec/vectors"
MEGABYTES = 200

#: Reads files, and says with which code each ends and how much memory the process took at most.
CHILD = """
import json, re, sys, warnings
import codecs_core as cc
warnings.simplefilter("ignore")
codes = {}
for path in sys.argv[1:]:
    try:
        cc.load(path)
        codes[path] = "ok"
    except cc.CodecsError as error:
        codes[path] = error.code
# not getrusage: that begins with what the parent took
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps({"codes": codes, "peak": peak / 1024}))
"""


def refuse(*paths):
    """Codes by path; fails if the process took more than it should, everything that it imports included."""
    command = [sys.executable, "-c", CHILD, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["peak"] < MEGABYTES, told
    return [told["codes"][str(path)] for path in paths]


def container(path, codec, payload, shape=(64, 64), dtype="uint8"):
    """A file of one chunk with this payload."""
    entry = Entry(name="", spec=cc.ArraySpec(shape, dtype), chunk=max(1, shape[0]), codec=codec)
    with path.open("wb") as file:
        writer = Writer(file, [entry])
        writer.write_chunk("", 0, payload, digest(np.zeros(shape, dtype)))
        writer.close()
    return path


def bomb(codec):
    """A payload of few bytes that becomes many, or says so: 2^30 zeros, or an image of 2^28 pixels and more."""
    block = bytes(1 << 20)
    if codec in ("zlib", "bz2", "lzma"):
        packer = {
            "zlib": zlib.compressobj,
            "bz2": bz2.BZ2Compressor,
            "lzma": lambda: lzma.LZMACompressor(lzma.FORMAT_XZ, preset=1),
        }
        stream = packer[codec]()
        return b"".join(stream.compress(block) for _ in range(1 << 7)) + stream.flush()
    if codec == "zstd":
        stream = zstandard.ZstdCompressor(level=1).compressobj(size=1 << 30)
        return b"".join(stream.compress(block) for _ in range(1 << 10)) + stream.flush()
    if codec == "zstd-false":  # a frame that says the right size, and holds more
        frame = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 24))
        sized = zstandard.ZstdCompressor(level=1).compress(bytes(4096))
        head = zstandard.frame_header_size(frame)
        return sized[: zstandard.frame_header_size(sized)] + frame[head:]
    small = cc.get_codec(f"classic.{codec}").encode(np.zeros((64, 64), np.uint8))
    if codec == "png":
        header = b"IHDR" + (1 << 15).to_bytes(4, "big") * 2 + small[24:29]
        return small[:12] + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]
    if codec == "webp":
        bits = (16382 << 14 | 16382) | int.from_bytes(small[21:25], "little") >> 28 << 28
        return small[:21] + bits.to_bytes(4, "little") + small[25:]
    large = imagecodecs.jpegxl_encode(np.zeros((8192, 8192), np.uint8), lossless=True, effort=1, usecontainer=False)
    return len(large).to_bytes(1, "little") + large if len(large) < 128 else _leb128(len(large)) + bytes(large)


def _leb128(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def png_bomb():
    """A PNG of the right size whose data goes on for long."""
    import io
    import struct

    file = io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(file, "PNG")
    small = file.getvalue()
    data = zlib.compress(bytes(1 << 27), 9)
    chunk = b"IDAT" + data
    return small[:33] + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + small[-12:]


def test_bombs(tmp_path):
    names = ("zlib", "bz2", "lzma", "zstd", "zstd-false", "png", "webp", "jxl")
    paths = []
    for name in names:
        payload = bomb(name)
        assert len(payload) < 1 << 19, name
        paths.append(container(tmp_path / f"{name}.ccf", f"classic.{name.partition('-')[0]}", payload))
    codes = refuse(*paths)
    assert codes == ["corrupt"] * len(paths), dict(zip(names, codes, strict=True))


def test_a_png_that_goes_on(tmp_path):
    """Pillow stops where the image is full; whether the rest is an error is up to it."""
    assert refuse(container(tmp_path / "png.ccf", "classic.png", png_bomb())) in (["ok"], ["corrupt"])


def test_every_invalid_vector():
    listed = [v for v in json.loads((VECTORS / "manifest.json").read_text())["vectors"] if v["expect"] == "error"]
    plain = [v for v in listed if "bbans" not in v["feature"]]
    found = refuse(*(VECTORS / v["file"] for v in plain))
    assert found == [v["code"] for v in plain]


def header(path, **changes):
    """A file that ends after this header; what is bytes already is taken as packed."""
    from codecs_core.container import layout
    from codecs_core.container.checksum import crc32c

    codec = {"config": {}, "id": "classic.raw", "model": None, "package": "", "version": 1}
    fields = {"attrs": {}, "codecs": [codec], "entries": [], "models": []} | changes
    packed = b"\x84" + b"".join(
        msgpack.packb(key) + (value if type(value) is bytes else msgpack.packb(value)) for key, value in fields.items()
    )
    assert len(packed) < 1 << 26
    preamble = layout.PREAMBLE.pack(layout.SIGNATURE, layout.MAJOR, 0, 0, 0, len(packed), crc32c(packed), 0)[:-4]
    path.write_bytes(b"".join([preamble, layout.CRC.pack(crc32c(preamble)), packed, bytes(100)]))
    return path


def many(item, n):
    """A packed list of `n` times the same, which as a list of Python would take eight times the memory and more."""
    return msgpack.Packer().pack_array_header(n) + msgpack.packb(item) * n


def wide(n):
    """Packed text whose letters take four bytes of memory each."""
    text = "\N{GRINNING FACE}".encode() + b"a" * n
    return b"\xdb" + len(text).to_bytes(4, "big") + text


def attribute(packed):
    """Packed attributes of this sole value."""
    return b"\x81\xa1a" + packed


def entry(i, attrs):
    return [f"{i:06}", "uint8", [3], 3, 0, attrs]


@pytest.mark.parametrize(
    "attrs",
    [
        lambda: {"a": [{}] * 120_000},
        lambda: {"a": ["ab"] * 250_000},
        lambda: {"a": [1.5] * 250_000},
        lambda: {f"{i:06}": None for i in range(120_000)},
        lambda: {"a": "\N{GRINNING FACE}" + "a" * 4_000_000},
    ],
    ids=["maps", "texts", "floats", "keys", "wide"],
)
def test_headers_that_grow(tmp_path, attrs):
    """Of what a header may hold, as much as possible, refused in its last byte: when all of it is parsed."""
    full = header(tmp_path / "header.ccf", attrs=attrs(), models=[0])
    large = header(tmp_path / "entries.ccf", entries=[*(entry(i, attrs()) for i in range(8)), 0])
    assert refuse(full, large) == ["format", "format"]


def test_the_longest_header(tmp_path):
    """All that it may have: entries as large as they can be."""
    attrs = {"a": ["ab"] * 100_000, "b": "\N{GRINNING FACE}" + "a" * 3_800_000}
    entries = [entry(i, attrs) for i in range(14)]
    good = header(tmp_path / "good.ccf", attrs=attrs, entries=entries)
    bad = header(tmp_path / "bad.ccf", attrs=attrs, entries=[*entries, 0])
    assert refuse(good) == ["truncated"]
    assert refuse(bad) == ["format"]


@pytest.mark.parametrize(
    "changes",
    [
        lambda: {"attrs": attribute(many({}, 60 << 20))},
        lambda: {"attrs": attribute(many("ab", 20 << 20))},
        lambda: {"attrs": attribute(wide(60 << 20))},
        lambda: {"codecs": many({"config": {}, "id": "a"}, 3 << 20)},
        lambda: {"models": many({"name": "", "sha256": bytes(32)}, 1 << 20)},
        lambda: {"entries": many(0, 1 << 20)},
    ],
    ids=["maps", "texts", "wide", "codecs", "models", "entries"],
)
def test_headers_that_are_too_large(tmp_path, changes):
    """Tens of megabytes of header, all of one kind."""
    assert refuse(header(tmp_path / "header.ccf", **changes())) == ["format"]


def test_many_entries(tmp_path):
    """A header of many entries, each as it should be, in a file that is cut short behind it."""
    path = header(tmp_path / "many.ccf", entries=[entry(i, {}) for i in range(100_000)])
    assert refuse(path) == ["truncated"]
