"""Compressed models: what was packed comes back, and nothing else is taken, in bounded memory."""

import hashlib
import io
import lzma
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import codecs_core as cc
from codecs_core.container import Entry, Reader, Writer, digest
from codecs_core.container.packing import WINDOW, pack, unpack
from codecs_core.container.recovery import rescue, survey
from codecs_core.errors import FormatError
from codecs_core.limits import Limits

WEIGHTS = np.random.default_rng(0).integers(0, 8, 5000).astype("<i4").tobytes()
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 200))
def test_what_was_packed_comes_back(data, times):
    model = data * times
    packed = pack(model)
    if packed is not None:
        assert len(packed) < len(model)
        assert unpack(packed, len(model)) == model


def test_what_is_no_shorter_is_not_packed():
    assert pack(np.random.default_rng(0).bytes(1000)) is None
    assert pack(b"") is None


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 1000))
def test_anything_else_is_a_format_error(payload, length):
    with pytest.raises(FormatError):
        unpack(payload, length)


@settings(deadline=None)
@given(st.data())
def test_damaged_streams_are_refused_or_are_of_their_length(data):
    payload = bytearray(pack(WEIGHTS))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert len(unpack(bytes(payload), len(WEIGHTS))) == len(WEIGHTS)
    except FormatError:
        return


def test_a_bomb_takes_no_memory():
    compressor = lzma.LZMACompressor(preset=0)
    bomb = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(256)) + compressor.flush()
    tracemalloc.start()
    with pytest.raises(FormatError, match="not one whole"):
        unpack(bomb, 1 << 17)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_window_above_the_bound_is_refused():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 4 * WINDOW}]
    wide = lzma.compress(bytes(1000), check=lzma.CHECK_NONE, filters=filters)
    with pytest.raises(FormatError, match=r"no \.xz file"):
        unpack(wide, 1000)


class Memory:
    def __init__(self, data):
        self.data, self.size, self.path, self.stamp = data, len(data), None, ""

    def read_at(self, offset, n):
        return self.data[offset : offset + n]

    def close(self):
        pass


def file_with_model(packed):
    x = np.arange(6, dtype="u1")
    entry = Entry(
        name="", spec=cc.ArraySpec.of(x), chunk=3, codec="test.raw", codec_version=1, config={}, model=SHA256,
        package="", attrs={},
    )  # fmt: skip
    file = io.BytesIO()
    writer = Writer(file, [entry], models={SHA256: "m"})
    writer.write_model(SHA256, WEIGHTS, packed)
    for i in range(2):
        writer.write_chunk("", i, x[3 * i : 3 * i + 3].tobytes(), digest(x[3 * i : 3 * i + 3]))
    writer.close()
    return file.getvalue()


def test_a_file_with_a_compressed_model():
    packed = pack(WEIGHTS)
    plain, data = file_with_model(None), file_with_model(packed)
    assert len(plain) - len(data) == len(WEIGHTS) - len(packed) - 8
    with Reader(Memory(data)) as reader:
        assert reader.model(SHA256) == WEIGHTS
        assert reader.models[SHA256].embedded_bytes == len(packed)
        assert reader.sizes["models"] == len(packed) + 68


@pytest.mark.parametrize("cut", [0, 44, 60])
def test_recovering_keeps_a_compressed_model_as_it_is(cut):
    """With the index, and by walking the frames without it."""
    data = file_with_model(pack(WEIGHTS))
    source = Memory(data[: len(data) - cut])
    found = survey(source)
    assert list(found.models) == [0]
    file = io.BytesIO()
    rescue(source, found, file)
    assert file.getvalue() == data


def test_recovering_finds_what_is_wrong_with_a_compressed_model():
    packed = pack(WEIGHTS)
    data = bytearray(file_with_model(packed))
    at = bytes(data).index(packed)
    data[at + 40] ^= 1
    found = survey(Memory(bytes(data)))
    assert "CRC32C" in found.damaged_models[0][1]
    limited = survey(Memory(file_with_model(packed)), limits=Limits(model_bytes=len(WEIGHTS) - 1))
    assert "over the limit" in limited.damaged_models[0][1]
    other = survey(Memory(file_with_model(pack(WEIGHTS[::-1]))))
    assert "SHA-256" in other.damaged_models[0][1]
    noise = survey(Memory(file_with_model(bytes(99))))
    assert ".xz" in noise.damaged_models[0][1]
