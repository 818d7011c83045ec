"""The committed tables are what the script derives."""

from __future__ import annotations

from importlib.resources import files

import pytest
from mpmath import mp

from codecs_core.entropy.tables import derive, table


@pytest.mark.parametrize("name", derive.TABLES)
def test_tables_are_derived_again(name: str) -> None:
    mp.dps = 60
    derived = derive.npy(derive.TABLES[name]())
    assert derived == files("codecs_core.entropy.tables").joinpath(f"{name}.npy").read_bytes()


def test_every_table_has_a_script() -> None:
    committed = {
        f.name.removesuffix(".npy") for f in files("codecs_core.entropy.tables").iterdir() if f.name.endswith(".npy")
    }
    assert committed == set(derive.TABLES)


def test_tables_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table("normal_cdf")[0] = 1
