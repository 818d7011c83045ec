"""NetCDF classic files: CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data). NetCDF 4 is HDF5.

The format is that of the appendix "File Format Specifications" of the NetCDF user's guide: a header, then the variables without the
record dimension one after the other, then records, each of a piece of every variable that has it. It needs no library.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import span, template
from codecs_core.media.readable import listed
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: dtypes by the number of a type; text is bytes.
_DTYPES = {1: "i1", 2: "u1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
_TEXT = 2
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
#: The number of records of a file that is still being written.
_STREAMING = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}
#: A larger header could not be kept with an array.
_HEADER = template.LARGEST


@dataclass(frozen=True, kw_only=True)
class _Variable:
    """What the header says of a variable; `begin` is where it is, or where its piece of the first record is."""

    name: str
    axes: list[str]
    shape: tuple[int, ...]
    attributes: dict[str, Any]
    kind: int
    begin: int
    record: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(_DTYPES[self.kind])

    @property
    def item(self) -> int:
        """Bytes of it: all, or those in a record."""
        return math.prod(self.shape[self.record :]) * self.dtype.itemsize


@dataclass(frozen=True, kw_only=True)
class _Records:
    """The part of a file that is records: where it begins, how many there are, and how long one is."""

    begin: int
    count: int
    size: int


def read(path: Path) -> list[Source]:
    """The variables of a file as they are stored: packed values stay packed, text is bytes.

    Raises
    ------
    InexactError
        If there are none, or something lies between them that could not be kept.
    InputError
        If the file is damaged.
    """
    try:
        with path.open("rb") as file:
            variables, attributes, records = _Header(path, file).read()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if not variables:
        raise InexactError(f"{path} is a NetCDF file without variables")
    fixed = sorted((one for one in variables if not one.record), key=lambda one: (one.begin, one.item))
    moving = sorted((one for one in variables if one.record), key=lambda one: one.begin)
    spans = [(one.begin, one.item) for one in fixed]
    whole: dict[str, Any] = {"attributes": attributes}
    if moving:
        # Usually behind all others, but not of every program.
        before = sum(one.begin < records.begin for one in fixed)
        spans.insert(before, (records.begin, records.count * records.size))
        whole |= {"gaps": _gaps(path, moving, records), "records": records.count, "before": before}
    whole["template"] = template.cut(path, spans)
    ordered = [*fixed, *moving]
    return [_source(path, one, place, records, whole if place == 0 else None) for place, one in enumerate(ordered)]


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the file that variables came from, identical to the byte."""
    ordered = span.in_place(parts)
    whole = ordered[0].media.get("file")
    if not isinstance(whole, dict):
        raise OutputError("its attributes do not say what the file was")
    pieces = [span.raw(part) for part in ordered if "record" not in part.media]
    moving = [part for part in ordered if "record" in part.media]
    if moving:
        before = whole.get("before")
        if type(before) is not int or not 0 <= before <= len(pieces):
            raise OutputError("its attributes do not say where its records are")
        pieces.insert(before, _joined(moving, whole.get("gaps"), whole.get("records")))
    with path.open("wb") as file:
        template.join(file, whole.get("template"), pieces)


def _source(path: Path, one: _Variable, place: int, records: _Records, whole: dict[str, Any] | None) -> Source:
    media: dict[str, Any] = {"format": "NetCDF", "member": one.name, "place": place}
    media |= {"axes": one.axes, "attributes": one.attributes}
    if one.dtype.itemsize > 1:
        media["byteorder"] = ">"
    if one.kind == _TEXT:
        media["text"] = True
    if one.record:
        media["record"] = one.begin - records.begin
    if whole is not None:
        media["file"] = whole
    load = partial(_load, path, one, records)
    return Source(
        name=one.name, path=path, spec=ArraySpec(one.shape, one.dtype.name), load=load, attrs={"media": media}
    )


def _load(path: Path, one: _Variable, records: _Records) -> NDArray[Any]:
    if not one.record:
        return span.Span(offset=one.begin, dtype=one.dtype, shape=one.shape).read(path)
    at = one.begin - records.begin
    rows = _rows(path, records)[:, at : at + one.item]
    return np.ascontiguousarray(rows).view(one.dtype).reshape(one.shape)


def _rows(path: Path, records: _Records) -> NDArray[Any]:
    """All records, as bytes of shape (records, bytes)."""
    shape = (records.count, records.size)
    return span.Span(offset=records.begin, dtype=np.dtype("u1"), shape=shape).read(path)


def _gaps(path: Path, moving: Sequence[_Variable], records: _Records) -> bytes:
    """What lies in each record between the variables, with zeros where these are; raises unless it is always the same."""
    if not records.count:
        return bytes(records.size)
    rows = _rows(path, records)
    free = np.ones(records.size, bool)
    for one in moving:
        place = free[one.begin - records.begin :][: one.item]
        if len(place) != one.item or not place.all():
            raise InputError(f"{path} is damaged: variable {one.name!r} overlaps another one")
        place[:] = False
    if (rows[:, free] != rows[0, free]).any():
        raise InexactError(f"{path} has something else between its variables in each record")
    return np.where(free, rows[0], 0).astype(np.uint8).tobytes()


def _joined(parts: Sequence[Part], gaps: Any, count: Any) -> bytes:
    """Records of the variables that have them."""
    if type(gaps) is not bytes or type(count) is not int or any(part.array.shape[:1] != (count,) for part in parts):
        raise OutputError("its attributes do not say what its records are, or some are missing")
    if not count:  # so that it does not matter where in a record they would be
        return b""
    rows = np.empty((count, len(gaps)), np.uint8)
    rows[:] = np.frombuffer(gaps, np.uint8)
    for part in parts:
        at = part.media["record"]
        values = np.ascontiguousarray(span.raw(part)).reshape(count, -1)
        if type(at) is not int or not 0 <= at <= len(gaps) - values.shape[1]:
            raise OutputError("its attributes do not say where in a record its values are")
        rows[:, at : at + values.shape[1]] = values
    return rows.tobytes()


class _Header:
    """Reads a header, whose numbers are big endian, and of 8 bytes in CDF-5."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        version = file.read(4)[3]
        self.width = 8 if version == 5 else 4
        self.far = 4 if version == 1 else 8

    def read(self) -> tuple[list[_Variable], dict[str, Any], _Records]:
        """Variables, attributes of the file, and the part of it that is records."""
        count = self._number()
        if count == _STREAMING[self.width]:
            raise InexactError(f"{self.path} does not say how many records it has, since it was never closed")
        dimensions = [(self._name(), self._number()) for _ in range(self._list(_DIMENSIONS))]
        attributes = self._attributes()
        variables = [self._variable(dimensions, count) for _ in range(self._list(_VARIABLES))]
        names = [one.name for one in variables]
        if len(set(names)) != len(names) or not all(name and name.isprintable() for name in names):
            raise InexactError(f"{self.path} has variables of one name, or of names that do not print")
        moving = [one for one in variables if one.record]
        size = sum(one.item + -one.item % 4 for one in moving)
        if len(moving) == 1:  # which is not padded
            size = moving[0].item
        begin = min((one.begin for one in moving), default=0)
        if size and count > self.path.stat().st_size // size:
            raise InputError(f"{self.path} is cut short: it does not have {count} records of {size} bytes")
        return variables, attributes, _Records(begin=begin, count=count, size=size)

    def _variable(self, dimensions: list[tuple[str, int]], count: int) -> _Variable:
        name = self._name()
        numbers = [self._number() for _ in range(self._few(self._number(), 32))]
        if any(n >= len(dimensions) for n in numbers):
            raise self._damaged(f"variable {name!r} has a dimension that is not there")
        axes, lengths = [dimensions[n][0] for n in numbers], [dimensions[n][1] for n in numbers]
        record = bool(lengths) and lengths[0] == 0
        if 0 in lengths[record:]:
            raise self._damaged(f"variable {name!r} has the record dimension behind another one")
        attributes, kind = self._attributes(), self._kind()
        self._number()  # its size, which overflows where it is large
        return _Variable(
            name=name,
            axes=axes,
            shape=(count, *lengths[1:]) if record else tuple(lengths),
            attributes=attributes,
            kind=kind,
            begin=self._unpack(self.far),
            record=record,
        )

    def _attributes(self) -> dict[str, Any]:
        found = []
        for _ in range(self._list(_ATTRIBUTES)):
            name, kind, count = self._name(), self._kind(), self._number()
            dtype = np.dtype(_DTYPES[kind])
            data = self._padded(count * dtype.itemsize)
            values = np.frombuffer(data, dtype)
            found.append((name, data if kind == _TEXT else values if count != 1 else values[0]))
        return listed(found)

    def _list(self, tag: int) -> int:
        """The number of things in a list, whose kind is said by a tag; none, where there is none."""
        found, count = self._unpack(4), self._number()
        if found != tag and (found, count) != (0, 0):
            raise self._damaged(f"a list of kind {found} is where one of kind {tag} should be")
        return self._few(count, _HEADER // 8)

    def _few(self, count: int, most: int) -> int:
        if count > most:
            raise self._damaged(f"{count} of something that there can be {most} of")
        return count

    def _kind(self) -> int:
        kind = self._unpack(4)
        if kind not in _DTYPES:
            raise self._damaged(f"type {kind}, which there is not")
        return kind

    def _name(self) -> str:
        try:
            return self._padded(self._number()).decode()
        except UnicodeDecodeError as error:
            raise InexactError(f"{self.path} has a name that is not UTF-8") from error

    def _padded(self, size: int) -> bytes:
        data = self._bytes(size)
        self._bytes(-size % 4)
        return data

    def _number(self) -> int:
        return self._unpack(self.width)

    def _unpack(self, width: int) -> int:
        found: int = struct.unpack(">I" if width == 4 else ">Q", self._bytes(width))[0]
        return found

    def _bytes(self, size: int) -> bytes:
        if self.file.tell() + size > _HEADER:
            raise InexactError(f"{self.path} has a header of more than {_HEADER} bytes")
        data = self.file.read(size)
        if len(data) != size:
            raise self._damaged("it ends within its header")
        return data

    def _damaged(self, what: str) -> InputError:
        return InputError(f"{self.path} is a damaged NetCDF file: {what}")
