"""A chunk outside a container is checked as much as one inside."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from codecs_core import ArraySpec, Codec, CodecInfo, get_codec
from codecs_core.adapters.sealed import SIZE, seal, unseal
from codecs_core.arrays import DTYPES
from codecs_core.errors import CorruptDataError, DecodeMismatchError, UnsupportedFeatureError

ZLIB = get_codec("classic.zlib")
ARRAY = np.arange(60, dtype="i4").reshape(3, 4, 5)
SPEC = ArraySpec.of(ARRAY)


@dataclass(frozen=True, kw_only=True)
class Unfaithful(Codec):
    """Decodes to something else than was encoded."""

    id = "test.unfaithful"
    format_version = 3
    info = CodecInfo(summary="for tests")

    off: int = 0

    def _encode(self, chunk):
        return chunk.tobytes()

    def _decode(self, payload, spec):
        return np.frombuffer(payload, spec.numpy).reshape(spec.shape) + np.array(self.off, spec.dtype)

    def _decode_older(self, payload, spec, version):
        return self._decode(payload, spec)


@given(npst.arrays(st.sampled_from(sorted(DTYPES)), npst.array_shapes(min_dims=0, min_side=0, max_side=4)))
def test_what_goes_in_comes_out(array):
    spec = ArraySpec.of(array)
    sealed = seal(ZLIB, array, spec)
    assert len(sealed) == SIZE + len(ZLIB.encode(array))
    assert unseal(ZLIB, sealed, spec, "x").tobytes() == array.tobytes()


@given(st.data())
def test_damage_is_seen(data):
    sealed = bytearray(seal(ZLIB, ARRAY, SPEC))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptDataError, match=r"^chunk 7 is "):
        unseal(ZLIB, bytes(sealed), SPEC, "chunk 7")


@given(st.integers(0, len(seal(ZLIB, ARRAY, SPEC)) - 1))
def test_truncation_is_seen(length):
    with pytest.raises(CorruptDataError):
        unseal(ZLIB, seal(ZLIB, ARRAY, SPEC)[:length], SPEC, "x")


@given(st.binary(max_size=100))
def test_noise_is_no_chunk(data):
    with pytest.raises(CorruptDataError, match="no chunk of codecs_core"):
        unseal(ZLIB, data, SPEC, "x")


def test_a_decoder_that_differs_is_no_damage():
    sealed = seal(Unfaithful(), ARRAY, SPEC)
    assert np.array_equal(unseal(Unfaithful(), sealed, SPEC, "x"), ARRAY)
    with pytest.raises(DecodeMismatchError, match=r"^chunk 7: the stored bytes are intact"):
        unseal(Unfaithful(off=1), sealed, SPEC, "chunk 7")


def test_a_payload_that_is_no_stream_says_which_chunk():
    sealed = seal(Unfaithful(), ARRAY, SPEC)
    with pytest.raises(CorruptDataError, match=r"^chunk 7: "):
        unseal(Unfaithful(), sealed, ArraySpec((3, 4, 6), "int32"), "chunk 7")


def test_versions(monkeypatch):
    sealed = seal(Unfaithful(), ARRAY, SPEC)
    monkeypatch.setattr(Unfaithful, "format_version", 4)
    assert np.array_equal(unseal(Unfaithful(), sealed, SPEC, "x"), ARRAY)
    monkeypatch.setattr(Unfaithful, "format_version", 2)
    with pytest.raises(UnsupportedFeatureError, match=r"written by version 3 of codec test\.unfaithful"):
        unseal(Unfaithful(), sealed, SPEC, "x")
