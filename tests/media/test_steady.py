"""What a file says of itself and its values are of one version of it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from codecs_core import media
from codecs_core.errors import InputError

Image = pytest.importorskip("PIL.Image")


def npy(path, value):
    np.save(path, np.full((40, 50, 3), value, "u1"))


def png(path, value):
    Image.fromarray(np.full((40, 50, 3), value, "u1")).save(path, "PNG")


def text(path, value):
    path.write_text(f"{value:03d}" * 10)


@pytest.mark.parametrize(("write", "name"), [(npy, "a.npy"), (png, "a.png"), (text, "a.txt")])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_changes_between_two_looks(tmp_path, write, name, replaced):
    path = tmp_path / name
    write(path, 5)
    os.utime(path, ns=(0, 5))
    (source,) = media.read([path], on_keep=lambda *_: None).values()
    before = np.array(source.read())
    if replaced:
        write(tmp_path / "other", 6)
        found = next(one for one in tmp_path.iterdir() if one != path)
        os.replace(found, path)
    else:
        write(path, 6)
    with pytest.raises(InputError, match=rf"{name} changed since it was looked at"):
        source.read()
    (again,) = media.read([path], on_keep=lambda *_: None).values()
    assert not np.array_equal(again.read(), before)


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    png(path, 5)
    (source,) = media.read([path]).values()
    load = source.load.args[-1]

    def slow():
        array = load()
        os.utime(path, ns=(0, 5))
        return array

    from dataclasses import replace

    from codecs_core.media.steady import stamp, steady

    with pytest.raises(InputError, match=r"a\.png changed while it was read"):
        steady(replace(source, load=slow), stamp(path)).read()


def test_a_file_that_is_gone(tmp_path):
    path = tmp_path / "a.png"
    png(path, 5)
    (source,) = media.read([path]).values()
    path.unlink()
    with pytest.raises(InputError, match=r"a\.png changed since it was looked at"):
        source.read()
