"""The generator is Philox 4x32-10, whose relatives are numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codecs_rec.philox import words
from hypothesis import given
from hypothesis import strategies as st

from codecs_core.errors import EntropyError

#: Multipliers and key increments by the width of a word (Salmon et al. 2011, table 2).
CONSTANTS = {
    32: ((0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)),
    64: ((0xD2E7470EE14C6C93, 0xCA5A826395121157), (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)),
}
WORDS = st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4)


def check_philox(bits: int, counter: list[int], key: list[int]) -> list[int]:
    """Philox 4 x `bits`, 10 rounds, in integers without bounds."""
    (m0, m1), weyl = CONSTANTS[bits]
    mask = (1 << bits) - 1
    for _ in range(10):
        p, q = m0 * counter[0], m1 * counter[2]
        counter = [(q >> bits) ^ counter[1] ^ key[0], q & mask, (p >> bits) ^ counter[3] ^ key[1], p & mask]
        key = [(k + w) & mask for k, w in zip(key, weyl, strict=True)]
    return counter


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            0x299F31D0A4093822,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers_of_its_authors(counter: list[int], key: int, expected: str) -> None:
    """Those of Random123, kat_vectors."""
    assert " ".join(f"{int(w):08x}" for w in words([counter], key)[0]) == expected


@given(counter=WORDS, key=st.integers(0, 2**64 - 1))
def test_it_is_the_algorithm(counter: list[int], key: int) -> None:
    assert words([counter], key)[0].tolist() == check_philox(32, counter, [key & 0xFFFFFFFF, key >> 32])


@given(counter=st.integers(0, 2**256 - 2), key=st.integers(0, 2**128 - 1))
def test_the_algorithm_is_numpys(counter: int, key: int) -> None:
    """Numpy's has words of 64 bits, and counts before it draws."""
    split = lambda value, n: [value >> 64 * i & (1 << 64) - 1 for i in range(n)]  # noqa: E731
    drawn = np.random.Philox(key=key, counter=counter).random_raw(4)
    assert np.asarray(drawn).tolist() == check_philox(64, split(counter + 1, 4), split(key, 2))


@pytest.mark.parametrize("key", [-1, 2**64, 1.0, "1", None])
def test_keys_have_64_bits(key: Any) -> None:
    with pytest.raises(EntropyError, match="key"):
        words([[0] * 4], key)
