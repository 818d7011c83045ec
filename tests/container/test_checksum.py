import numpy as np
import pytest
import xxhash

from codecs_core.arrays import DTYPES
from codecs_core.container import digest
from codecs_core.container.checksum import crc32c


def test_crc32c_is_castagnoli():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


def test_digest_of_nothing_is_the_published_value():
    assert digest(np.zeros((0, 3))).hex() == "99aa06d3014798d86001c324468d497f"


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_digest_hashes_little_endian_c_order(dtype):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    want = xxhash.xxh3_128_digest(array.astype(array.dtype.newbyteorder("<")).tobytes("C"))
    assert digest(array) == want
    assert digest(array.astype(array.dtype.newbyteorder(">"))) == want
    assert digest(np.asfortranarray(array)) == want
    assert digest(array.T) != want or dtype == "bool"
    assert digest(array[::-1][::-1]) == want
    assert len(want) == 16


def test_digest_of_a_scalar():
    assert digest(np.array(1.5)) == digest(np.array([1.5])) == xxhash.xxh3_128_digest(np.float64(1.5).tobytes())


def test_digest_keeps_signs_and_payloads_of_floats():
    assert digest(np.array(0.0)) != digest(np.array(-0.0))
    quiet = np.array([0x7FC00001], "u4").view("f4")
    assert digest(quiet) == xxhash.xxh3_128_digest(quiet.tobytes())
