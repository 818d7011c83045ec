"""A short look at what `bounded.py` looks at for long."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

_found = importlib.util.spec_from_file_location("fuzz_bounded", Path(__file__).with_name("bounded.py"))
bounded = importlib.util.module_from_spec(_found)
sys.modules[_found.name] = bounded
_found.loader.exec_module(bounded)


def test_rounding():
    tried = bounded.arrays(400_000, 1, 10_000)
    assert sum(bounded.check_rounding(array, bound, i, relative=rel) for i, (array, bound, rel) in enumerate(tried)) > 0


def test_payloads():
    tried = bounded.arrays(60_000, 2, 3_000)
    assert sum(bounded.check_payload(array, bound, i, relative=rel) for i, (array, bound, rel) in enumerate(tried)) > 0


@pytest.mark.parametrize(("relative", "off"), [(False, 0.1000001), (True, 0.1000001 * 3)])
def test_findings_are_found(relative, off):
    array = np.array([3.0, np.nan])
    bounded.check(array, array + off * 0.99, 0.1, relative=relative)
    with pytest.raises(AssertionError, match="under the bound"):
        bounded.check(array, array + off, 0.1, relative=relative)
    with pytest.raises(AssertionError, match="no finite number"):
        bounded.check(array, np.array([3.0, -np.nan]), 0.1, relative=relative)
