"""The counted symbols of the fast level: shares that add up, in a payload and back, and what is damaged."""

from __future__ import annotations

import numpy as np
import pytest
from codecs_ar.array import shares
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.shares import CONTEXTS, SYMBOLS, TOTAL
from numpy.typing import NDArray

from codecs_core.errors import CorruptDataError


def counted(seed: int) -> NDArray[np.int64]:
    """Counts: most are zero, some large."""
    raw = np.asarray(np.random.Philox(seed).random_raw(CONTEXTS * SYMBOLS))
    counts = np.where(raw % np.uint64(5) == 0, raw >> np.uint64(40) + raw % np.uint64(24), 0).astype(np.int64)
    counts.reshape(CONTEXTS, SYMBOLS)[3::7] = 0
    return counts


@pytest.mark.parametrize("seed", range(4))
def test_shares_come_back(seed: int) -> None:
    counts = counted(seed)
    freqs, writer = shares.shared(counts), Writer()
    assert np.array_equal(freqs > 0, counts > 0)
    totals = freqs.reshape(CONTEXTS, SYMBOLS).sum(axis=1)
    assert np.array_equal(totals, np.where(counts.reshape(CONTEXTS, SYMBOLS).any(axis=1), TOTAL, 0))
    shares.write(writer, freqs)
    reader = Reader(writer.to_bytes())
    found = shares.read(reader)
    reader.finish()
    assert np.array_equal(found.freqs, freqs)
    for context in np.flatnonzero(totals):
        places = slice(context * SYMBOLS, (context + 1) * SYMBOLS)
        slots = found.slots[context * TOTAL : (context + 1) * TOTAL]
        assert np.array_equal(np.bincount(slots, minlength=SYMBOLS), freqs[places])
        assert np.array_equal(found.starts[places], np.cumsum(freqs[places]) - freqs[places])


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x01\x00\x10", "add up to 16"),
        (b"\x01\x80\x02\x01", "impossible"),
        (b"\x01\x00\x00", "impossible"),
        (b"\x01\x00\x81\x20", "impossible"),
        (b"\x01" + b"\xff" * 9 + b"\x00\x01", "impossible"),
        (b"\x02\x00\x10\x00", "ends among"),
    ],
)
def test_damaged_shares_are_refused(start: bytes, message: str) -> None:
    padding = bytes(CONTEXTS) if message != "ends among" else b""
    with pytest.raises(CorruptDataError, match=message):
        shares.read(Reader(start + padding))
