"""The pytest plugin: what it brings, and that it costs nothing where it is not used."""

import subprocess
import sys

import pytest

import codecs_core as cc
from codecs_core.errors import UnknownCodecError
from codecs_core.registry import default


def test_the_registry_is_empty_and_the_default(codecs_registry):
    assert default() is codecs_registry
    assert cc.list_codecs() == []
    with pytest.raises(UnknownCodecError):
        cc.get_codec("classic.raw")


def test_the_registry_is_back_afterwards():
    assert "classic.raw" in default().codecs


def test_a_site_is_seen_here_and_in_other_processes(codecs_site):
    codecs_site.install("zoo-paper", "zoo_paper", "raise RuntimeError('on paper')")
    records = {record.distribution: record.error for record in default().plugins}
    assert records["zoo-paper"] == "RuntimeError: on paper"
    assert {r.distribution for r in codecs_site.registry().plugins} == {"zoo-paper"}
    code = "from codecs_core.registry import default; print([p.distribution for p in default().plugins])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "zoo-paper" in done.stdout


def test_pytest_elsewhere_loads_nothing_of_ours_but_the_plugin(tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\ndef test_nothing():\n"
        "    ours = {m for m in sys.modules if m.startswith('codecs_')}\n"
        "    assert ours == {'codecs_core', 'codecs_core.testing', 'codecs_core.testing.plugin'}\n"
        "    assert not {'torch', 'numba', 'hypothesis.strategies'} & {*sys.modules}\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:zarr", "-p", "no:cacheprovider", "--strict-markers"]
    done = subprocess.run([*command, "-W", "error", str(tmp_path)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
