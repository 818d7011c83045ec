"""WAV: samples as arrays, and the same file back."""

import struct
import wave

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from .conftest import check_identical, check_kept, same

rng = np.random.Generator(np.random.Philox(8))
EXTENSIBLE = b"\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"  # of a sub-format, which a number goes before


def chunk(name, body, order="<"):
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def wav(samples, tag=1, bits=16, channels=1, order="<", start=b"RIFF", before=b"", after=b"", fmt=b""):
    width = -(-bits // 8)
    form = struct.pack(order + "HHIIHH", tag, channels, 8000, 8000 * channels * width, channels * width, bits) + fmt
    body = b"WAVE" + chunk(b"fmt ", form, order) + before + chunk(b"data", samples, order) + after
    return chunk(start, body, order)


def check_wav(tmp_path, data, expected):
    (tmp_path / "a.wav").write_bytes(data)
    returned = check_identical(tmp_path / "a.wav", tmp_path / "there")
    assert same(returned.array, expected)
    return returned


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_what_wave_writes(tmp_path, width, channels):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, width, 44100, 0, "NONE", ""))
        file.writeframes(rng.bytes(101 * channels * width))
    returned = check_identical(tmp_path / "a.wav", tmp_path / "there")
    rate, expected = wavfile.read(tmp_path / "a.wav")
    if width == 3:
        expected = expected >> 8  # scipy puts them into the upper bytes
    assert same(returned.array, expected)
    assert (returned.media["rate"], returned.media["bits"]) == (rate, 8 * width)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_floats(tmp_path, dtype):
    samples = rng.normal(size=(77, 2)).astype(dtype)
    samples[3, 1] = np.nan
    wavfile.write(tmp_path / "a.wav", 48000, samples)
    assert same(check_identical(tmp_path / "a.wav", tmp_path / "there").array, samples)


@pytest.mark.parametrize(("bits", "dtype"), [(8, "u1"), (16, "i2"), (24, None), (32, "i4")])
def test_the_other_order_of_bytes(tmp_path, bits, dtype):
    raw = rng.bytes(bits // 8 * 50)
    if dtype is None:
        expected = np.array([int.from_bytes(raw[k : k + 3], "big", signed=True) for k in range(0, 150, 3)], np.int32)
    else:
        expected = np.frombuffer(raw, f">{dtype}").astype(dtype)
    check_wav(tmp_path, wav(raw, bits=bits, order=">", start=b"RIFX"), expected)


def test_chunks_around_it_odd_sizes_and_a_frame_that_is_cut(tmp_path):
    info = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf\0")
    data = wav(b"\1\2\3\4\5\6\7", channels=2, before=chunk(b"bext", b"abc"), after=info)
    check_wav(tmp_path, data + b"trailing", np.array([[0x0201, 0x0403]], np.int16))


def test_extensible(tmp_path):
    more = struct.pack("<HHI", 22, 20, 3) + b"\1\0" + EXTENSIBLE[2:]
    check_wav(tmp_path, wav(b"\0\0\x80", tag=0xFFFE, bits=24, fmt=more), np.array([-(1 << 23)], np.int32))


def test_rf64(tmp_path):
    data = bytearray(wav(b"\1\0\2\0", start=b"RF64"))
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff" * 4
    data[12:12] = chunk(b"ds64", struct.pack("<QQQI", len(data) + 28, 4, 2, 0))
    check_wav(tmp_path, bytes(data), np.array([1, 2], np.int16))


def test_no_samples(tmp_path):
    check_wav(tmp_path, wav(b"", channels=2), np.zeros((0, 2), np.int16))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (wav(b"\0" * 8, tag=6, bits=8), "samples of 8 bits in WAV format 6"),
        (wav(b"\0" * 8, tag=3, bits=16), "samples of 16 bits in WAV format 3"),
        (wav(b"\0" * 8, channels=0), "0 channels"),
        (wav(b"\0" * 8)[:-2], "cut short"),
        (wav(b"\0" * 8)[:36], "without samples"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"abcd"), "in front of what says their format"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"abcd") + chunk(b"data", b""), "a format of 4 bytes"),
        (wav(b"\0" * 8, tag=0xFFFE), "extensible format that does not say which"),
        (wav(b"\0" * 8, after=chunk(b"huge", b"\0" * 5_000_000)), "5000008 bytes|beside its values"),
    ],
)
def test_what_is_kept_whole(tmp_path, data, match):
    (tmp_path / "a.wav").write_bytes(data)
    check_kept(tmp_path / "a.wav", tmp_path / "there", match)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=60), bits=st.sampled_from([8, 16, 24, 32]), channels=st.integers(1, 3))
def test_any_samples(tmp_path_factory, raw, bits, channels):
    folder = tmp_path_factory.mktemp("wav")
    (folder / "a.wav").write_bytes(wav(raw, bits=bits, channels=channels))
    check_identical(folder / "a.wav", folder / "there")
