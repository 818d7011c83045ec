"""`codecs view`: the page is written whole, or the browser is asked to show it."""

import webbrowser

import numpy as np
import pytest
from typer.testing import CliRunner

import codecs_core as cc
from codecs_core.cli.app import app


def codecs(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="codecs")


@pytest.fixture
def held(tmp_path):
    cc.save(tmp_path / "x.ccf", {"a": np.arange(64, dtype="u1").reshape(8, 8)}, codec="classic.zlib")
    return tmp_path / "x.ccf"


def test_it_writes_the_page(held, tmp_path):
    done = codecs("view", held, tmp_path / "x.html")
    assert done.exit_code == 0
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")


def test_it_asks_the_browser(held, monkeypatch):
    asked = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or True)
    assert codecs("view", held).exit_code == 0
    assert asked[0].startswith("file://")


@pytest.mark.parametrize(("name", "status"), [("none.ccf", 2), ("text.ccf", 4)])
def test_bad_input(tmp_path, name, status):
    (tmp_path / "text.ccf").write_text("no container at all, but a text")
    assert codecs("view", tmp_path / name, tmp_path / "x.html").exit_code == status
    assert not (tmp_path / "x.html").exists()


def test_it_does_not_write_over_the_file(held):
    before = held.read_bytes()
    assert codecs("view", held, held).exit_code == 2
    assert held.read_bytes() == before
