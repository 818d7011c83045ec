"""The directories of a TIFF file: what its tags say, and where every byte of them lies.

TIFF 6.0 (Adobe 1992, section 2), and BigTIFF, which has eight bytes where TIFF has four.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from codecs_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes a value, by the type of a tag.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
#: Types of non-negative integers, as `struct` has them.
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_TEXT = 2
#: What lies at an extent that no tag has: the directory of an image, or something else.
CHAIN, OTHER = -1, -2
#: Tags that name another directory: of EXIF, of positions, of how to read EXIF.
_NESTED = (34665, 34853, 40965)


@dataclass(frozen=True)
class Tag:
    """One tag: its type, its number of values, and where its entry and its values lie."""

    code: int
    type: int
    count: int
    entry: int
    at: int

    @property
    def nbytes(self) -> int:
        """Bytes of all values; 0 where the type is not known."""
        return SIZES.get(self.type, 0) * self.count


@dataclass
class Directories:
    """All directories of a file.

    Parameters
    ----------
    file
        A TIFF file, open for reading in binary.
    name
        What the file is called in errors.

    Attributes
    ----------
    order
        ``"<"`` or ``">"``, the byte order of everything in the file.
    chain
        The tags of each directory, by code, as the directories follow each other.
    repeated
        Tags with text that the first directory has once more, as tifffile's with two descriptions.
    extents
        Where directories, and the values of their tags, lie: (start, stop, code of the tag) each; instead of a code, `CHAIN`
        for a directory of an image and `OTHER` for anything else.

    Raises
    ------
    InputError
        For a file that is no TIFF, or whose directories lie outside of it, repeat a tag that is no text, or run in a circle.
    """

    file: IO[bytes]
    name: str
    order: str = "<"
    big: bool = False
    chain: list[dict[int, Tag]] = field(default_factory=list)
    repeated: list[Tag] = field(default_factory=list)
    extents: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size = self.file.seek(0, 2)
        head = self.read(0, 8)
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = struct.unpack(f"{self.order}H", head[2:4])[0] if self.order else 0
        if version not in (42, 43) or (version == 43 and head[4:8] != struct.pack(f"{self.order}HH", 8, 0)):
            raise InputError(f"{self.name} is damaged: it does not start like a TIFF file")
        self.big = version == 43
        self.extents.append((0, 16 if self.big else 8, OTHER))
        self._seen: set[int] = set()
        at = self._number(8, "Q") if self.big else self._number(4, "I")
        while at:
            tags, at = self._directory(at, CHAIN)
            self.chain.append(tags)
        if not self.chain:
            raise InputError(f"{self.name} is damaged: it has no directory of an image")

    def read(self, at: int, nbytes: int) -> bytes:
        """Bytes of the file; raises `InputError` where it ends before."""
        if at + nbytes > self.size:
            raise InputError(f"{self.name} is damaged: it has {self.size} bytes, and {at + nbytes} are needed")
        self.file.seek(at)
        data = self.file.read(nbytes)
        if len(data) != nbytes:
            raise InputError(f"{self.name} became shorter while it was read")
        return data

    def raw(self, tag: Tag) -> bytes:
        """The bytes of the values of a tag."""
        return self.read(tag.at, tag.nbytes)

    def values(self, tags: dict[int, Tag], code: int, default: Sequence[int] = ()) -> Sequence[int]:
        """The integers that a tag holds; `default` where the directory has no such tag."""
        tag = tags.get(code)
        if tag is None:
            return default
        if tag.type not in _INTEGERS:
            raise InputError(f"{self.name} is damaged: tag {code} is of type {tag.type}, and integers are expected")
        return struct.unpack(f"{self.order}{tag.count}{_INTEGERS[tag.type]}", self.raw(tag))

    def value(self, tags: dict[int, Tag], code: int, default: int) -> int:
        """The first integer that a tag holds."""
        values = self.values(tags, code, (default,))
        if not values:
            raise InputError(f"{self.name} is damaged: tag {code} has no value")
        return values[0]

    def _number(self, at: int, kind: str) -> int:
        return int(struct.unpack(self.order + kind, self.read(at, struct.calcsize(kind)))[0])

    def _directory(self, at: int, what: int) -> tuple[dict[int, Tag], int]:
        """The tags of the directory at `at`, and where the next one is (0: nowhere)."""
        if at in self._seen:
            raise InputError(f"{self.name} is damaged: its directories run in a circle")
        self._seen.add(at)
        number, entry, inline, offset = ("Q", "HHQ8s", 8, "Q") if self.big else ("H", "HHI4s", 4, "I")
        n, start, step = self._number(at, number), at + struct.calcsize(number), struct.calcsize("=" + entry)
        if n > 0xFFFF:
            raise InputError(f"{self.name} is damaged: a directory claims {n} tags")
        table = self.read(start, n * step)
        tags: dict[int, Tag] = {}
        for i, (code, kind, count, held) in enumerate(struct.iter_unpack(self.order + entry, table)):
            where = start + i * step
            fits = SIZES.get(kind, 0) * count <= inline
            place = where + step - inline if fits else struct.unpack(self.order + offset, held)[0]
            tag = Tag(code, kind, count, where, place)
            if tags.setdefault(code, tag) is not tag:
                if kind != _TEXT:
                    raise InputError(f"{self.name} is damaged: a directory has tag {code} twice")
                if not self.chain:
                    self.repeated.append(tag)
            if place + tag.nbytes > self.size:
                raise InputError(f"{self.name} is damaged: the values of tag {code} lie behind its end")
            if not fits:
                self.extents.append((place, place + tag.nbytes, code))
        end = start + n * step
        self.extents.append((at, end + inline, what))
        for code in _NESTED:
            for nested in self.values(tags, code):
                if nested and nested not in self._seen:
                    self._directory(nested, OTHER)
        return tags, self._number(end, offset)
