"""A file through an archive and back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import codecs_core as cc
from codecs_core import media
from codecs_core.media.kept import is_kept


@dataclass
class Returned:
    """What became of a file: the entries that it was, and where it was written again."""

    arrays: dict
    attrs: dict
    path: Path

    @property
    def array(self):
        (array,) = self.arrays.values()
        return array

    @property
    def media(self):
        """Of the first entry."""
        return next(iter(self.attrs.values()))["media"]

    @property
    def kept(self):
        return any(map(is_kept, self.attrs.values()))


def there_and_back(path, folder):
    """Encode a folder that holds a file (or a folder that is one) and decode it; nothing may be left out."""
    why = {}
    outside, archive = folder / "in", folder / "archive.ccf"
    outside.mkdir(parents=True)
    (outside / path.name).symlink_to(path) if path.is_file() else path.rename(outside / path.name)
    found = media.read([outside], on_keep=lambda path, error: why.setdefault(path, error))
    cc.save(archive, found, codec="classic.zlib")
    with cc.open(archive) as file:
        arrays = dict(file.arrays(stored=True))
        attrs = {name: file[name].attrs for name in file}
    media.write(folder / "out", arrays, attrs)
    return Returned(arrays, attrs, folder / "out" / path.name)


def check_identical(path, folder):
    """A file is taken as arrays, and comes back identical to the byte."""
    returned = there_and_back(path, folder)
    assert not returned.kept
    assert returned.path.read_bytes() == path.read_bytes()
    return returned


def check_kept(path, folder, match):
    """A file is kept whole, for a reason that is told."""
    with pytest.raises(cc.CodecsError, match=match):
        media.read([path])
    returned = there_and_back(path, folder)
    assert returned.kept
    assert returned.path.read_bytes() == path.read_bytes()
    return returned


def same(a, b):
    """The same bits, dtype and shape."""
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
    )
