"""The committed tables are what the scripts derive."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from codecs_rec.tables import derive, leech, table
from codecs_rec.tables.depths import depths
from mpmath import mp


@pytest.fixture(autouse=True)
def precision() -> None:
    mp.dps = 60


def test_tables_are_derived_again() -> None:
    """A few rows of the large ones: all of them take ten seconds."""
    octaves, cells = [0, 1, 7, 31, 62], range(0, 4096, 63)
    np.testing.assert_array_equal(derive.normal_tail(octaves), table("normal_tail")[octaves])
    np.testing.assert_array_equal(derive.maxwell(cells), table("maxwell")[::63])
    np.testing.assert_array_equal(derive.chi10(cells), table("chi10")[::63])
    np.testing.assert_array_equal(derive.log_mantissa(), table("log_mantissa"))
    assert table("normal_tail").shape == (63, 257)
    assert table("maxwell").shape == table("chi10").shape == (4096,)


@pytest.mark.parametrize("split", ["dyadic", "sample"])
def test_depths_are_derived_again(split: str) -> None:
    """Statistics of other samples: shares agree within their errors."""
    rows = 17
    again = depths(split, samples=4000, rows=rows) / 2.0**20  # type: ignore[arg-type]
    np.testing.assert_allclose(again, table(f"depths_{split}")[:rows] / 2.0**20, atol=0.04)


def test_the_leech_table_is_derived_again() -> None:
    """Statistics of other points: shares agree within their errors at the lengths that there are, of 3 to 8."""
    lengths = slice(3 * leech.UNIT, 8 * leech.UNIT)
    again = leech.kept(100_000, seed=7)
    np.testing.assert_allclose(again[lengths] / 2.0**30, table("leech_kept")[lengths] / 2.0**30, atol=0.006)
    assert table("leech_kept").max() == again.max() == 1 << 30


def test_every_table_has_a_script() -> None:
    committed = {f.name for f in files("codecs_rec.tables").iterdir() if f.name.endswith(".npy")}
    assert committed == {f"{name}.npy" for name in [*derive.TABLES, "depths_dyadic", "depths_sample", "leech_kept"]}


def test_tables_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table("maxwell")[0] = 1
