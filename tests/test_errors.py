"""The tree of errors: as its docstring draws it, each with a code of its own, and with the place in its attributes."""

import builtins
import pickle

import numpy as np
import pytest

import codecs_core as cc
from codecs_core import errors


def tree(cls, depth=1):
    line = "    " * depth + f"{cls.__name__:<{38 - 4 * depth}} {cls.code}, {cls.exit_status}"
    return [line, *(below for child in cls.__subclasses__() for below in tree(child, depth + 1))]


def every(cls):
    return [cls, *(below for child in cls.__subclasses__() for below in every(child))]


OURS = [cls for cls in dict.fromkeys(every(errors.CodecsError)) if cls.__module__ == errors.__name__]


def test_the_docstring_draws_the_tree():
    drawn = errors.__doc__.partition("::\n\n")[2].rstrip().splitlines()
    ours = {cls.__name__ for cls in OURS}
    assert drawn == [line for line in tree(errors.CodecsError) if line.split()[0] in ours]


def test_codes_are_different():
    codes = [cls.code for cls in OURS]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("cls", OURS)
def test_at_tells_the_place_in_text_and_attributes(cls):
    error = cls("it broke").at("x.ccf, chunk 3", path="x.ccf", entry="a", chunk=3)
    assert type(error) is cls
    assert str(error) == "x.ccf, chunk 3: it broke"
    assert (error.path, error.entry, error.chunk, error.offset) == ("x.ccf", "a", 3, None)
    again = error.at(path="other.ccf", offset=0)
    assert (str(again), again.path, again.offset) == (str(error), "x.ccf", 0)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.chunk) == (str(error), 3)


@pytest.mark.parametrize("cls", OURS)
def test_public_names_of_python_are_not_hidden(cls):
    assert not hasattr(builtins, cls.__name__)


def test_the_errors_are_an_attribute_of_the_package():
    assert cc.errors.CorruptDataError is errors.CorruptDataError


def test_a_damaged_chunk_tells_where_it_is(tmp_path):
    path = tmp_path / "x.ccf"
    cc.save(path, {"a": np.arange(1000)}, codec="classic.raw", chunk=100)
    data = bytearray(path.read_bytes())
    at = data.index(np.arange(300, 400).tobytes())
    data[at] ^= 1
    path.write_bytes(data)
    with cc.open(path) as file, pytest.raises(errors.CorruptDataError) as caught:
        file["a"][350]
    error = caught.value
    assert (error.path, error.entry, error.chunk) == (str(path), "a", 3)
    assert error.offset is not None
    assert 0 < error.offset < at
