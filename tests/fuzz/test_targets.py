"""A short look at what `harness.py` looks at for long: mutations by hypothesis, and the inputs that it kept."""

import importlib.util
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
_found = importlib.util.spec_from_file_location("fuzz_targets", HERE / "targets.py")
targets = importlib.util.module_from_spec(_found)
sys.modules[_found.name] = targets
_found.loader.exec_module(targets)

INTERESTING = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\0" * 8,
    b"\x89CFr",
    b"\x89CIx",
    b"\xdd\x7f\xff\xff\xff",
]


@st.composite
def mutations(draw, seeds):
    """A seed with a few bytes changed, put in, taken out or repeated."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        stop = at + draw(st.integers(0, 12))
        new = draw(st.sampled_from(INTERESTING) | st.binary(max_size=8) | st.just(data[at:stop] * 3))
        data = data[:at] + new + data[stop:]
    return data


@pytest.mark.parametrize("target", targets.TARGETS)
def test_mutations(target):
    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(mutations(targets.seeds(target)))
    def check(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what it then refuses
            targets.run(target, data)

    with targets.no_checksums():
        check()


@pytest.mark.parametrize("target", targets.TARGETS)
def test_inputs_that_were_kept(target):
    kept = [path.read_bytes() for path in sorted((HERE / "corpus" / target).iterdir())]
    assert kept
    with targets.no_checksums(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for data in kept:
            targets.run(target, data)


@pytest.mark.parametrize("target", targets.TARGETS)
def test_seeds_are_nearly_right(target):
    """What mutations start from reaches deep: at least one seed of each target raises nothing at all."""
    passed = 0
    for data in targets.seeds(target):
        try:
            targets.TARGETS[target](data)
        except targets.CodecsError:
            continue
        passed += 1
    assert passed


def test_findings_are_found(monkeypatch):
    def broken(data):
        raise KeyError("not of the tree")

    monkeypatch.setitem(targets.TARGETS, "header", broken)
    with pytest.raises(KeyError):
        targets.run("header", b"")
