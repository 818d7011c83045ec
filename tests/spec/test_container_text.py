"""Every number in the tables of `spec/container.md` is what the code writes and reads."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import struct
from pathlib import Path

import numpy as np
import pytest

import codecs_core as cc
from codecs_core import errors
from codecs_core.arrays import DTYPES
from codecs_core.container import canonical, folding, frame, layout
from codecs_core.container.index import RECORD

TEXT = (Path(__file__).parents[2] / "spec" / "container.md").read_text()
CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}


def section(heading: str) -> str:
    """What stands between the heading that begins like this and the next one."""
    (found,) = re.findall(rf"^(#+ {re.escape(heading)}.*?)(?=^#|\Z)", TEXT, re.M | re.S)
    return found


def tables(text: str) -> list[list[list[str]]]:
    """Cells of each table, without heads."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.M)
    return [
        [[cell.strip(" `") for cell in row.strip("|\n").split("|")] for row in block.splitlines()[2:]]
        for block in blocks
    ]


def structure(rows: list[list[str]]) -> str:
    """The rows as a struct, which they must be without a gap."""
    at, code = int(rows[0][0]), "<"
    for offset, size, kind, *_ in rows:
        assert int(offset) == at, rows
        width = re.fullmatch(r"bytes\((\d+)\)", kind)
        part = f"{width[1]}s" if width else CODES[kind]
        assert struct.calcsize("<" + part) == int(size), (offset, kind)
        at, code = at + int(size), code + part
    return code


def value(rows: list[list[str]], name: str) -> str:
    (found,) = [row[4] for row in rows if row[3] == name]
    return found.replace("`", "").split(";")[0].split(",")[0].strip()


def test_the_preamble():
    (rows,) = tables(section("Preamble"))
    assert structure(rows) == layout.PREAMBLE.format
    assert bytes.fromhex(value(rows, "signature")) == layout.SIGNATURE
    assert (int(value(rows, "major")), int(value(rows, "minor"))) == (layout.MAJOR, layout.MINOR)
    assert f"Preamble: {layout.PREAMBLE.size} bytes at offset 0" in TEXT
    assert f"`header_length` bytes at offset {layout.PREAMBLE.size}" in TEXT
    assert "Bit 0, *incomplete*" in value(rows, "incompat") + rows[3][4]
    assert "Bit 2, *grid*" in rows[3][4]
    assert f"in a file with a grid {layout.GRID_MINOR}." in rows[2][4]
    assert (layout.INCOMPLETE, layout.GRID) == (1 << 0, 1 << 2)
    assert layout.INCOMPAT_KNOWN == layout.INCOMPLETE | layout.GRID
    assert f"CRC of bytes 0 to {layout.PREAMBLE.size - layout.CRC.size - 1}" in rows[-1][4]


def test_a_frame():
    (rows,) = tables(section("Frames"))
    assert structure(rows[:6]) == layout.FRAME.format
    assert bytes.fromhex(value(rows, "magic")) == layout.FRAME_MAGIC
    assert value(rows, "type") == f"{layout.CHUNK}: chunk"
    assert f"{layout.MODEL}: model" in rows[1][4]
    assert rows[2][4].startswith("bit 0, *critical*")
    assert "Bit 1, *safe to copy*" in rows[2][4]
    assert (layout.CRITICAL, layout.SAFE_TO_COPY) == (1 << 0, 1 << 1)
    # a head of no fields is the beginning and its CRC
    assert f"at least {layout.FRAME.size + layout.CRC.size}" in rows[3][4]
    assert rows[6][:2] == [str(layout.FRAME.size), f"n - {layout.FRAME.size + layout.CRC.size}"]


@pytest.mark.parametrize(
    ("heading", "kind", "fields"),
    [("Chunk: type", layout.CHUNK, layout.CHUNK_FIELDS), ("Model: type", layout.MODEL, layout.MODEL_FIELDS)],
)
def test_the_kinds_of_frames(heading, kind, fields):
    text = section(heading)
    said = re.search(r"type (\d+), flags `(\w\w)`, head of (\d+) bytes", text)
    assert said is not None
    assert (int(said[1]), int(said[2], 16), int(said[3])) == (kind, frame.FLAGS[kind], frame.HEAD_LENGTHS[kind])
    (rows,) = tables(text)
    assert int(rows[0][0]) == layout.FRAME.size
    assert structure(rows) == fields.format


def test_the_index():
    head, record = tables(section("Index"))
    assert structure(head[:3]) == layout.INDEX.format
    assert bytes.fromhex(value(head, "magic")) == layout.INDEX_MAGIC
    assert int(value(head, "record_length")) == layout.RECORD.size == RECORD.itemsize
    assert head[3][1].startswith(f"{layout.RECORD.size} *")
    assert structure(record) == layout.RECORD.format


def test_the_trailer():
    (rows,) = tables(section("Trailer"))
    assert structure(rows) == layout.TRAILER.format
    assert bytes.fromhex(value(rows, "end")) == layout.END
    assert f"the last {layout.TRAILER.size} bytes" in TEXT
    assert f"`index_offset + index_length + {layout.TRAILER.size}`" in TEXT
    assert f"CRC of bytes 0 to {layout.TRAILER_COVERED - 1}" in rows[5][4]


def test_folded_files():
    text = section("Folded files")
    (rows,) = tables(text)
    assert rows[0][:2] == ["signature", str(len(layout.FOLDED))]
    assert bytes.fromhex(rows[0][2]) == layout.FOLDED
    assert "bit 2, *grid*" in rows[1][2]
    assert re.findall(r"\| `(\w+)`", text) == [
        *("signature", "features", "header", "kinds", "digests", "lengths", "payloads", "crc")
    ]
    assert f"of at most {folding.LARGEST} bytes" in text
    assert f"Version {layout.MAJOR}.{layout.FOLDED_MINOR}, frozen" in TEXT
    dictionary = Path(folding.__file__).with_suffix(".dict").read_bytes()
    assert f"{len(dictionary)} bytes with the SHA-256 `{hashlib.sha256(dictionary).hexdigest()}`" in text


def test_dtypes_and_bounds():
    (row,) = [row for table in tables(section("Keys")) for row in table if row[0] == "dtype"]
    assert set(re.findall(r"[a-z]+\d*", row[2].removeprefix("one of"))) == set(DTYPES)
    said = section("Canonical MessagePack")
    depth = re.search(r"at most (\d+) deep", said)
    sizes = re.search(r"at most 2\^(\d+) bytes, and at most 2\^(\d+) items", said)
    assert depth is not None
    assert sizes is not None
    assert int(depth[1]) == canonical.MAX_DEPTH
    assert (1 << int(sizes[1]), 1 << int(sizes[2])) == (canonical.MAX_BYTES, canonical.MAX_VALUES)


def test_errors_have_the_codes_of_the_text():
    rows = [row for table in tables(section("Errors")) for row in table]
    assert len(rows) > 5
    for _, name, code in rows:
        assert getattr(errors, name.split(",")[0]).code == code


def test_limits_have_the_defaults_of_the_text():
    (rows,) = tables(section("Limits"))
    said = {row[0]: row[-1] for row in rows}
    assert said == {field.name: f"2^{field.default.bit_length() - 1}" for field in dataclasses.fields(cc.Limits)}
    assert all(field.default & (field.default - 1) == 0 for field in dataclasses.fields(cc.Limits))


def test_a_file_has_every_value_where_the_tables_say(tmp_path):
    path = tmp_path / "a.ccf"
    cc.save(path, np.arange(10000, dtype="<u2"), codec="classic.raw", chunk=6000)
    data = path.read_bytes()

    def read(heading, at, name, which=0):
        for offset, size, kind, called, _ in tables(section(heading))[which]:
            if called == name:
                raw = data[at + int(offset) :][: int(size)]
                return raw if kind.startswith("bytes") else int.from_bytes(raw, "little")
        raise AssertionError(name)

    assert read("Preamble", 0, "signature") == data[:8] == layout.SIGNATURE
    assert (read("Preamble", 0, "major"), read("Preamble", 0, "minor")) == (1, 0)
    end = len(data) - layout.TRAILER.size
    assert read("Trailer", end, "file_length") == len(data)
    assert read("Trailer", end, "preamble_crc") == read("Preamble", 0, "preamble_crc")
    index = read("Trailer", end, "index_offset")
    assert index + read("Trailer", end, "index_length") == end
    assert read("Index", index, "count") == 2
    first = layout.PREAMBLE.size + read("Preamble", 0, "header_length")
    assert read("Frames", first, "magic") == layout.FRAME_MAGIC
    assert read("Frames", first, "stored") == 12000
    assert read("Index", index + layout.INDEX.size, "stored", which=1) == 12000
    second = first + read("Frames", first, "head_length") + 12000
    assert (read("Chunk: type", second, "entry"), read("Chunk: type", second, "chunk")) == (0, 1)
