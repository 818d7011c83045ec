"""Recovery: nothing whole is lost, nothing else is taken for data."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.container import Reader, layout, scan
from codecs_core.container.recovery import rescue, survey
from codecs_core.errors import CodecsError, CorruptDataError, FormatError, MissingChunkError
from codecs_core.limits import Limits


def recover(kit, data, **kwargs):
    """The survey, and an open reader of the recovered file."""
    source = kit.Memory(data)
    found = survey(source, **kwargs)
    file = io.BytesIO()
    rescue(source, found, file)
    return found, file.getvalue()


def held(kit, data):
    """Every chunk of a file that is there, by entry and number."""
    reader = Reader(kit.Memory(data))
    return {(name, i): reader.chunk(name, i) for name in reader.entries for i in reader.chunks(name)}


def gaps(found):
    return [[(lost.first, lost.last) for lost in entry] for entry in found.lost()]


def test_a_whole_file_is_copied(kit, small):
    found, out = recover(kit, small)
    assert out == small
    assert found.ending is None
    assert gaps(found) == [[], []]


@pytest.fixture(scope="module")
def thousand(kit):
    """A thousand chunks of random sizes, and what they hold."""
    rng = np.random.default_rng(3)
    data = kit.build({"a": rng.integers(0, 256, (1000, 70), np.uint8)}, chunk=1)
    return data, held(kit, data), scan(kit.Memory(data)).frames


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("part", ["head", "payload", "anywhere"])
def test_ten_chunks_damaged_and_the_tail_cut(kit, thousand, seed, part):
    data, chunks, frames = thousand
    rng = np.random.default_rng(seed)
    cut = len(data) * 9 // 10
    damaged = bytearray(data[:cut])
    hit = set(rng.choice(880, 10, replace=False).tolist())
    for i in hit:
        f = frames[i]
        low, high = {"head": (f.offset, f.payload_offset), "payload": (f.payload_offset, f.end)}.get(
            part, (f.offset, f.end)
        )
        damaged[rng.integers(low, high)] ^= 1 << rng.integers(8)
    found, out = recover(kit, bytes(damaged))
    whole = {("a", i) for i, f in enumerate(frames) if f.end <= cut and i not in hit}
    got = held(kit, out)
    assert got.keys() == whole
    assert all(got[key] == chunks[key] for key in whole)
    assert "no trailer" in found.ending
    lost = {i for lost in found.lost()[0] for i in range(lost.first, lost.last + 1)}
    assert lost == {i for i in range(1000) if ("a", i) not in whole}


def test_ten_chunks_damaged_with_an_index(kit, thousand):
    """With the index, a damaged head is no loss as long as its checksum and its digest are whole."""
    data, chunks, frames = thousand
    damaged = bytearray(data)
    for i in range(28):
        damaged[frames[10 * i].offset + i] ^= 64
    damaged[frames[500].payload_offset] ^= 1
    damaged[frames[600].offset + 30] ^= 1
    found, out = recover(kit, bytes(damaged))
    assert gaps(found) == [[(500, 500), (600, 600)]]
    assert [lost.offset for lost in found.lost()[0]] == [frames[500].offset, frames[600].offset]
    got = held(kit, out)
    assert all(got[key] == chunks[key] for key in got)


@pytest.mark.parametrize("part", ["index", "trailer"])
def test_index_or_trailer_damaged(kit, small, part):
    whole = scan(kit.Memory(small))
    at = {"index": whole.end + 30, "trailer": len(small) - 20}[part]
    damaged = bytearray(small)
    damaged[at] ^= 1
    with pytest.raises(CorruptDataError):
        Reader(kit.Memory(bytes(damaged)))
    found, out = recover(kit, bytes(damaged))
    assert out == small
    assert "damaged" in found.ending


@given(st.data())
def test_whatever_happens_to_a_file(kit, small, data):
    """Frames that are whole where they were are recovered; what is recovered is what was stored."""
    frames = scan(kit.Memory(small)).frames
    expected = held(kit, small)
    start = frames[0].offset
    at = data.draw(st.integers(start, len(small)))
    drop = data.draw(st.integers(0, 300))
    new = data.draw(st.binary(max_size=30))
    damaged = small[:at] + new + small[at + drop :]
    try:
        out = recover(kit, damaged)[1]
    except CorruptDataError:
        assert not [f for f in frames[1:] if f.end <= at]
        return
    got = held(kit, out)
    assert all(got[key] == expected[key] for key in got)
    names = list(Reader(kit.Memory(out)).entries)
    whole = [f for f in frames[1:] if f.end <= at or f.offset >= at + drop]
    assert {(names[f.head.entry], f.head.chunk) for f in whole} <= got.keys()


def test_a_block_in_the_middle_is_gone(kit, thousand):
    data, chunks, frames = thousand
    cut = data[: frames[300].payload_offset + 5] + data[frames[310].payload_offset + 5 :]
    found, out = recover(kit, cut)
    assert gaps(found) == [[(300, 300), (301, 310)]]
    assert all(chunks[key] == value for key, value in held(kit, out).items())


def test_missing_chunks_are_errors_and_stay_known(kit, small):
    frames = scan(kit.Memory(small)).frames
    damaged = bytearray(small)
    damaged[frames[1].payload_offset] ^= 1
    _, out = recover(kit, bytes(damaged))
    reader = Reader(kit.Memory(out))
    assert reader.incomplete
    assert reader.chunks("a") == [1]
    assert not reader.has("a", 0)
    assert reader.stored("a", 0) == 0
    with pytest.raises(MissingChunkError, match="chunk 0 of entry 'a' is missing"):
        reader.payload("a", 0)
    assert reader.payload("a", 1)
    assert reader.model(kit.SHA) == kit.MODEL
    found, again = recover(kit, out)
    assert again == out
    assert gaps(found) == [[(0, 0)], []]


def test_the_bit_alone_allows_what_is_missing(kit):
    forge = kit.Forge(embed=False)
    forge.frames.pop()
    with pytest.raises(FormatError, match="lists 1 chunks"):
        Reader(kit.Memory(forge.join()))
    forge.bits = (layout.INCOMPLETE, 0)
    assert Reader(kit.Memory(forge.join())).chunks("") == [0]
    forge.frames.append(forge.frames[0])
    with pytest.raises(FormatError, match="twice"):
        Reader(kit.Memory(forge.join()))


def test_a_damaged_model(kit, small):
    frames = scan(kit.Memory(small)).frames
    damaged = bytearray(small)
    damaged[frames[0].payload_offset] ^= 1
    found, out = recover(kit, bytes(damaged))
    assert found.damaged_models.keys() == {1}
    reader = Reader(kit.Memory(out))
    assert not reader.incomplete
    assert reader.models[kit.SHA].embedded_bytes is None


def test_frames_of_a_stored_container_are_not_taken_for_ours(kit):
    inner = kit.build({"": np.arange(600, dtype="u1")}, chunk=100)
    outer = kit.build({"": np.frombuffer(inner[::-1], "u1").copy()}, chunk=len(inner))
    # the codec of these tests reverses, so that the payload is the inner file as it is
    frame = scan(kit.Memory(outer)).frames[0]
    assert outer[frame.payload_offset : frame.end] == inner
    for end in (len(outer), frame.end, frame.end - 50):
        damaged = bytearray(outer[:end])
        damaged[frame.offset + 40] ^= 1
        if end == len(outer):
            damaged[-1] ^= 1  # no index to go by
        assert survey(kit.Memory(bytes(damaged))).chunks == {}


def test_without_a_header_there_is_nothing(kit, small):
    damaged = bytearray(small)
    damaged[40] ^= 1
    with pytest.raises(CorruptDataError, match="header"):
        survey(kit.Memory(bytes(damaged)))


def test_with_no_whole_chunk_there_is_no_file(kit, small):
    start = scan(kit.Memory(small)).frames[1].offset
    with pytest.raises(CorruptDataError, match="not one chunk"):
        recover(kit, small[:start])


def test_claims_cost_nothing(kit):
    """A file of few bytes may claim many chunks; what is recovered of it is small, and so is the report."""
    forge = kit.Forge(embed=False)
    forge.header["models"] = []
    forge.header["codecs"][0]["model"] = None
    forge.header["entries"][0][2:4] = [[1 << 26], 1]
    forge.frames = [forge.chunk(5, b"a"), forge.chunk(1 << 25, b"b")]
    found, out = recover(kit, forge.join())
    assert len(out) < 1000
    assert gaps(found) == [[(0, 4), (6, (1 << 25) - 1), ((1 << 25) + 1, (1 << 26) - 1)]]
    assert Reader(kit.Memory(out)).chunks("") == [5, 1 << 25]


def test_limits_hold(kit, small):
    found = survey(kit.Memory(small), limits=Limits(model_bytes=5))
    assert "over the limit" in found.damaged_models[1][1]


@pytest.mark.parametrize("mark", [layout.FRAME_MAGIC, layout.SIGNATURE, layout.END])
def test_many_marks_take_no_longer(kit, small, monkeypatch, mark):
    """Bytes read stay within a multiple of the file, whatever is in it."""
    monkeypatch.setattr("codecs_core.container.recovery._WINDOW", 1 << 12)
    frames = scan(kit.Memory(small)).frames
    head = small[frames[1].offset : frames[1].payload_offset]
    for filling in (mark * 3000, (mark + head) * 500, head * 500):
        source = kit.Memory(small[: frames[1].offset] + b"?" + filling)
        try:
            survey(source)
        except CodecsError:
            pytest.fail("the header is whole")
        assert sum(min(n, source.size - at) for at, n in source.reads) < 400 * source.size
