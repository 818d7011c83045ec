"""Codes of working values: those of binary16 by their bits are those by a table."""

from __future__ import annotations

import numpy as np
from codecs_ar.array.grid import HALF, TABLE, Grid, code_of
from codecs_ar.array.maps import halves

from codecs_core.jit import kernel


@kernel
def _codes(values, grid, out):
    for i in range(values.size):
        out[i] = code_of(values[i], grid)


def test_halves_by_bits_and_by_table() -> None:
    table = halves()
    edges = np.array(
        [0.0, 65504, 65504.5, 65520, 131008.5, 131009, 131009.5, 1e18, 2.0**-14, 2.0**-24, 2.0**-25, 1e-30]
    )
    values = np.concatenate([table, table * 0.999999, table * 1.000001, table + 1e-9, edges, -edges])
    for least, most in ((-32768, 32767), (-20000, 15000)):
        part = table[least + 32768 : most + 32769]
        found = []
        for kind in TABLE, HALF:
            out = np.zeros(values.size, np.int64)
            _codes(values, Grid(kind, 0, least, most, 0.0, 1.0, 1.0, part), out)
            found.append(out)
        np.testing.assert_array_equal(found[0], found[1])


def test_halves_are_their_own_codes() -> None:
    table, codes = halves(), np.arange(-32768, 32768)
    finite = (np.abs(table) < 65505) & (table != 0)
    out = np.zeros(table.size, np.int64)
    _codes(table, Grid(HALF, 0, -32768, 32767, 0.0, 1.0, 1.0, table), out)
    np.testing.assert_array_equal(out[finite], codes[finite])
