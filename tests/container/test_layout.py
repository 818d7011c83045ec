"""The tables of the specification and the structures of the code are the same."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from codecs_core.arrays import DTYPES
from codecs_core.container import canonical, layout
from codecs_core.container.index import RECORD
from codecs_core.container.preamble import Preamble
from codecs_core.container.trailer import Trailer
from codecs_core.limits import DEFAULT_LIMITS

SPEC = Path(__file__).parents[2] / "spec" / "container.md"
CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}


@pytest.fixture(scope="module")
def text():
    return SPEC.read_text(encoding="utf-8")


def table(text, heading, number=0):
    """Rows of a table under a heading: offset, size, type, name, meaning."""
    section = re.split(r"^#+ ", text.split(f" {heading}", 1)[1], maxsplit=1, flags=re.M)[0]
    blocks = re.findall(r"(?:^\|.*\n)+", section, flags=re.M)
    return [[cell.strip() for cell in row.strip("|\n").split("|")] for row in blocks[number].splitlines()[2:]]


def format_of(rows):
    """The struct format of a table, whose offsets must follow from its sizes."""
    at, code = int(rows[0][0]), ""
    for offset, size, kind, *_ in rows:
        assert int(offset) == at
        if kind in CODES:
            assert int(size) == int(kind[1:]) // 8
        else:
            assert kind == f"bytes({size})"
        code += CODES.get(kind) or f"{size}s"
        at += int(size)
    return "<" + code, at


@pytest.mark.parametrize(
    ("heading", "number", "rows", "want"),
    [
        ("Preamble: 32 bytes at offset 0", 0, slice(None), layout.PREAMBLE),
        ("Frames\n", 0, slice(0, 6), layout.FRAME),
        ("Chunk: type 1", 0, slice(None), layout.CHUNK_FIELDS),
        ("Model: type 2", 0, slice(None), layout.MODEL_FIELDS),
        ("Index\n", 0, slice(0, 3), layout.INDEX),
        ("Index\n", 1, slice(None), layout.RECORD),
        ("Trailer: the last 44 bytes", 0, slice(None), layout.TRAILER),
    ],
)
def test_tables(text, heading, number, rows, want):
    code, _ = format_of(table(text, heading, number)[rows])
    assert code == want.format


def test_head_lengths(text):
    for heading in ("Chunk: type 1", "Model: type 2"):
        claimed = int(re.search(rf"{heading}.*head of (\d+) bytes", text)[1])
        assert format_of(table(text, heading))[1] + 4 == claimed


def test_feature_bits(text):
    assert f"Bit {layout.INCOMPLETE.bit_length() - 1}, *incomplete*" in text
    assert f"Bit {layout.GRID.bit_length() - 1}, *grid*" in text
    assert layout.INCOMPAT_KNOWN == layout.INCOMPLETE | layout.GRID


def test_magics(text):
    def row(heading, name, number=0):
        (found,) = [r for r in table(text, heading, number) if r[3] == f"`{name}`"]
        return bytes.fromhex(re.search(r"`((?:[0-9A-F]{2} ?)+)`", found[4])[1])

    assert row("Preamble: 32 bytes", "signature") == layout.SIGNATURE
    assert row("Frames\n", "magic") == layout.FRAME_MAGIC
    assert row("Index\n", "magic") == layout.INDEX_MAGIC
    assert row("Trailer: the last", "end") == layout.END
    assert len({layout.SIGNATURE[:4], layout.FRAME_MAGIC, layout.INDEX_MAGIC}) == 3


def test_dtypes_and_limits(text):
    (row,) = [line for line in text.splitlines() if line.startswith("| `dtype`")]
    assert set(re.findall(r"`(\w+)`", row)) - {"dtype"} == DTYPES
    for name, _, default in table(text, "Limits\n"):
        base, power = default.split("^")
        assert getattr(DEFAULT_LIMITS, name.strip("`")) == int(base) ** int(power)


def test_the_two_forms_of_a_record_agree():
    values = (1, 2, 3, 4, 5, 6)
    record = np.frombuffer(layout.RECORD.pack(*values), RECORD)[0]
    assert [int(record[name]) for name in RECORD.names] == list(values)
    assert RECORD.itemsize == layout.RECORD.size == 20


def test_caps_of_a_header(text):
    assert f"at most 2^{canonical.MAX_BYTES.bit_length() - 1} bytes" in text
    assert f"at most 2^{canonical.MAX_VALUES.bit_length() - 1} items" in text
    assert f"nested at most {canonical.MAX_DEPTH} deep" in text
    assert {canonical.MAX_BYTES.bit_count(), canonical.MAX_VALUES.bit_count()} == {1}


def test_golden_bytes():
    """A change of these bytes is a change of the format."""
    preamble = Preamble(header_length=7, header_crc=0x01020304)
    assert preamble.to_bytes().hex() == "894343460d0a1a0a0100000000000000000000000700000004030201" + "ebd1ea8e"
    assert Preamble.from_bytes(preamble.to_bytes(), "x") == preamble
    trailer = Trailer(index_offset=1, index_length=2, file_length=3, index_crc=4, preamble_crc=5)
    assert len(trailer.to_bytes()) == 44
    assert Trailer.from_bytes(trailer.to_bytes()) == trailer


def test_golden_file(small):
    """Likewise: the same input gives the same bytes, on every machine and in every release of this format."""
    assert (len(small), hashlib.sha256(small).hexdigest()) == (
        688,
        "a045c0338edef9c22a86b8b85042786fc6f2480ee751370d4d7b90bd351d9844",
    )
