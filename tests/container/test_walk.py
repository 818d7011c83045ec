import numpy as np
import pytest

from codecs_core.container import scan
from codecs_core.container.frame import ChunkHead, ModelHead, OtherHead
from codecs_core.errors import FormatError, LimitExceededError, NotAContainerError
from codecs_core.limits import Limits


def test_finds_what_the_index_lists(kit, small):
    found = scan(kit.Memory(small))
    kinds = [type(f.head) for f in found.frames]
    assert kinds == [ModelHead, ChunkHead, ChunkHead, ChunkHead]
    assert [(f.head.entry, f.head.chunk) for f in found.frames[1:]] == [(0, 0), (0, 1), (1, 0)]
    assert found.chunks == 3
    assert [e.name for e in found.header.entries] == ["a", "β"]
    assert small[found.end :].startswith(b"\x89CIx")
    first = found.frames[0]
    assert small[first.payload_offset : first.end] == kit.MODEL
    assert [a.end for a in found.frames[:-1]] == [b.offset for b in found.frames[1:]]


def test_needs_no_index(kit, small):
    whole = scan(kit.Memory(small))
    assert scan(kit.Memory(small[: whole.end])) == whole


@pytest.mark.parametrize("window", [20, 57, 1 << 14])
@pytest.mark.parametrize("size", [0, 1, 300, 40000])
def test_frames_larger_and_smaller_than_the_window(kit, monkeypatch, window, size):
    monkeypatch.setattr("codecs_core.container.walk._WINDOW", window)
    data = kit.build({"": np.zeros((20, size), "u1")}, chunk=1)
    assert scan(kit.Memory(data)).chunks == 20


def test_reads_few_bytes_of_large_frames(kit):
    data = kit.build({"": np.zeros((20, 100000), "u1")}, chunk=1)
    source = kit.Memory(data)
    assert scan(source).chunks == 20
    assert sum(n for _, n in source.reads) < len(data) / 4


def test_tiny_frames_share_reads(kit):
    data = kit.build({"": np.zeros(2000, "u1")}, chunk=1)
    source = kit.Memory(data)
    assert scan(source).chunks == 2000
    assert len(source.reads) < 20


def test_stops_at_a_damaged_head(kit, small):
    whole = scan(kit.Memory(small))
    damaged = bytearray(small)
    damaged[whole.frames[2].offset + 30] ^= 1
    found = scan(kit.Memory(bytes(damaged)))
    assert found.frames == whole.frames[:2]
    assert found.end == whole.frames[2].offset


def test_skips_unknown_frames_and_stops_at_chunks_that_cannot_be(kit):
    forge = kit.Forge()
    forge.frames.insert(1, forge.other(99, 0))
    forge.frames.append(forge.chunk(1, b"again"))
    forge.frames.append(forge.chunk(2, b"no such chunk"))
    forge.frames.append(forge.chunk(0, b""))
    found = scan(kit.Memory(forge.join()))
    assert [type(f.head) for f in found.frames] == [ModelHead, OtherHead, ChunkHead, ChunkHead, ChunkHead]
    assert found.chunks == 2


def test_needs_a_header(kit, small):
    with pytest.raises(NotAContainerError):
        scan(kit.Memory(b"hello"))
    with pytest.raises(FormatError):
        scan(kit.Memory(small[:60]))
    with pytest.raises(LimitExceededError):
        scan(kit.Memory(small), limits=Limits(header_bytes=5))
