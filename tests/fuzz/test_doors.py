"""A short look at what `doors.py` looks at for long."""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_found = importlib.util.spec_from_file_location("fuzz_doors", HERE / "doors.py")
doors = importlib.util.module_from_spec(_found)
sys.modules[_found.name] = doors
_found.loader.exec_module(doors)


@pytest.mark.parametrize("name", doors.DOORS)
def test_mutations(name, tmp_path):
    for data in itertools.islice(doors.inputs(name, seed=1), 300):
        doors.check(name, data, tmp_path)


@pytest.mark.parametrize("name", doors.DOORS)
def test_seeds_are_read(name, tmp_path):
    """What mutations start from is no damage, so that they reach deep."""
    assert all(doors.check(name, data, tmp_path) for data in doors.DOORS[name].seeds())


def test_findings_are_found(monkeypatch, tmp_path):
    (data, *_) = doors.DOORS["netpbm"].seeds()
    door = doors.Door(".ppm", doors.netpbm_seeds, lambda path, parts: False)
    monkeypatch.setitem(doors.DOORS, "netpbm", door)
    with pytest.raises(AssertionError, match="other values"):
        doors.check("netpbm", data, tmp_path)
