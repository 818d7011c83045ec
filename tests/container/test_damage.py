"""Files cut short, with bits flipped, with bytes put before, between or after."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.container import Reader, layout, scan
from codecs_core.container.checksum import crc32c
from codecs_core.errors import (
    CodecsError,
    CorruptDataError,
    FormatError,
    NotAContainerError,
    TruncatedFileError,
)


def test_cut_at_every_length(kit, small):
    whole = 3
    ends = [f.end for f in scan(kit.Memory(small)).frames][1:]  # the first frame is a model
    assert len(ends) == whole
    start = len(small) - layout.TRAILER.size - layout.INDEX.size - 4 * layout.RECORD.size
    assert ends[-1] == start
    header_end = scan(kit.Memory(small)).frames[0].offset
    for n in range(len(small)):
        with pytest.raises(TruncatedFileError) as e:
            Reader(kit.Memory(small[:n]))
        if n >= header_end:
            k = sum(end <= n for end in ends)
            assert f"ends at byte {n}, before its trailer: {k} of {whole} chunks are whole" in str(e.value)
        assert "get the file again" in str(e.value)
        assert n < header_end or "`codecs recover` it" in str(e.value)


def test_every_bit(kit, small):
    """No bit of a file can change without an error on opening it or on reading all of it."""
    kit.read_all(small)
    for i in range(len(small) * 8):
        damaged = bytearray(small)
        damaged[i // 8] ^= 1 << i % 8
        want = NotAContainerError if i < 64 else CorruptDataError
        with pytest.raises(want):
            kit.read_all(bytes(damaged))


def test_every_bit_is_noticed_by_the_walk_too_up_to_the_index(kit, small):
    """The frames alone suffice: heads and payloads vouch for themselves without the index."""
    whole = scan(kit.Memory(small))
    for i in range(whole.end * 8):
        damaged = bytearray(small)
        damaged[i // 8] ^= 1 << i % 8
        source = kit.Memory(bytes(damaged))
        try:
            found = scan(source)
        except FormatError:
            continue
        if found.frames == whole.frames:
            f = next(f for f in found.frames if f.end > i // 8)
            assert f.payload_offset <= i // 8
            assert crc32c(bytes(damaged[f.payload_offset : f.end])) != f.head.crc


@given(st.data())
def test_bytes_overwritten(kit, small, data):
    at = data.draw(st.integers(0, len(small) - 1))
    new = data.draw(st.binary(min_size=1, max_size=40))
    damaged = small[:at] + new + small[at + len(new) :]
    if damaged == small:
        return
    with pytest.raises(FormatError):
        kit.read_all(damaged)


@given(st.data())
def test_bytes_put_in_or_taken_out(kit, small, data):
    at = data.draw(st.integers(0, len(small)))
    drop = data.draw(st.integers(0, 20))
    new = data.draw(st.binary(max_size=20))
    damaged = small[:at] + new + small[at + drop :]
    if damaged == small:
        return
    with pytest.raises(FormatError):
        kit.read_all(damaged)


@given(st.binary(max_size=300))
def test_arbitrary_bytes(kit, data):
    for start in (b"", layout.SIGNATURE):
        with pytest.raises(FormatError):
            Reader(kit.Memory(start + data))


@pytest.mark.parametrize("n", range(8))
def test_a_piece_of_the_signature_is_a_file_cut_short(kit, n):
    with pytest.raises(TruncatedFileError, match="is empty" if n == 0 else f"ends after {n} bytes"):
        Reader(kit.Memory(layout.SIGNATURE[:n]))


@pytest.mark.parametrize("data", [b"abc", b"\x89PNG\r\n\x1a\n" + bytes(100), b"\x89CCF\r\n\x1a\r" + bytes(99), b"\0"])
def test_not_a_container(kit, data):
    with pytest.raises(NotAContainerError, match="is not a codecs container"):
        Reader(kit.Memory(data))


def test_what_cannot_be_opened_is_an_error_with_its_path(tmp_path, small):
    path = tmp_path / "x.ccf"
    for data in (b"abc", small[:-1]):
        path.write_bytes(data)
        with pytest.raises(FormatError) as caught:
            Reader.open(path)
        assert caught.value.path == str(path)


def test_a_transfer_that_converts_line_ends_is_recognised(kit, small):
    for damaged in (small.replace(b"\r\n", b"\n"), small.replace(b"\n", b"\r\n")):
        with pytest.raises(NotAContainerError, match="line ends"):
            Reader(kit.Memory(damaged))


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"PK\x03\x04 something else" * 10, bytes(70000)])
def test_bytes_after_the_trailer(kit, small, extra):
    with pytest.raises(CorruptDataError, match=f"goes on for {len(extra)} bytes after its end at offset {len(small)}"):
        Reader(kit.Memory(small + extra))


def test_a_file_twice_over(kit, small):
    with pytest.raises(CorruptDataError, match="belongs to another file"):
        Reader(kit.Memory(small + small))


def test_a_piece_missing_in_the_middle(kit, small):
    with pytest.raises(TruncatedFileError, match=f"is {len(small) - 9} bytes, and its trailer says {len(small)}"):
        Reader(kit.Memory(small[:-300] + small[-291:]))


def test_the_start_of_one_file_and_the_end_of_another(kit):
    a = kit.build({"": np.arange(5000)}, chunk=5000, attrs={"k": 1})
    b = kit.build({"": np.arange(5000)}, chunk=5000, attrs={"k": 2})
    assert len(a) == len(b)
    with pytest.raises(CorruptDataError, match="belongs to another file"):
        Reader(kit.Memory(a[:1000] + b[1000:]))


def test_a_message_says_what_where_and_what_to_do(kit, small):
    frame = scan(kit.Memory(small)).frames[2]
    damaged = bytearray(small)
    damaged[frame.payload_offset] ^= 1
    r = Reader(kit.Memory(bytes(damaged)))
    assert r.payload("a", 0)
    with pytest.raises(CorruptDataError) as e:
        r.payload("a", 1)
    assert re.fullmatch(
        rf"chunk 1 of entry 'a' in 'memory' at offset {frame.offset} is damaged: the CRC32C of its 4 stored bytes is "
        r"[0-9a-f]{8}, expected [0-9a-f]{8}; get the file again from where it came from",
        str(e.value),
    )


def test_text_of_a_file_is_escaped_in_messages(kit):
    data = kit.build({"\x1b[2J\u202e": np.zeros(3)})
    damaged = bytearray(data)
    damaged[scan(kit.Memory(data)).frames[0].payload_offset] ^= 1
    with pytest.raises(CodecsError) as e:
        Reader(kit.Memory(bytes(damaged))).payload("\x1b[2J\u202e", 0)
    assert "\x1b" not in str(e.value)
    assert "\u202e" not in str(e.value)


def test_one_damaged_chunk_leaves_the_others(kit):
    array = np.arange(100, dtype="u1")
    data = bytearray(kit.build({"": array}, chunk=10))
    data[scan(kit.Memory(bytes(data))).frames[4].payload_offset + 3] ^= 0x10
    r = Reader(kit.Memory(bytes(data)))
    for i in range(10):
        if i == 4:
            with pytest.raises(CorruptDataError):
                r.payload("", i)
        else:
            assert r.payload("", i) == kit.encode(array[i * 10 : i * 10 + 10])
