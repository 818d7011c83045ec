"""Files whose values lie in them as they are: which bytes hold which values, and how the file is put together again.

Such a file needs no library to be written: what is not values is in its template (`codecs_core.media.template`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import template
from codecs_core.media.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part

#: What codecs get, of the values as they lie in the file; and the bytes of the file, of what codecs got.
Load = Callable[["NDArray[Any]"], "NDArray[Any]"]
Raw = Callable[["Part"], Any]


#: What numpy counts bytes in; an axis of length 0 does not make the others harmless.
_MOST = (1 << 63) - 1


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where the values of an array lie in a file, in C order.

    Parameters
    ----------
    offset
        Byte of the file that is the first of them.
    dtype, shape
        As they lie there.
    member
        Name of the array, in a file of several.
    media
        What the file says beside the values: put into ``attrs["media"]``.
    attrs
        Put into the attributes beside ``"media"``.
    natural, load
        Shape and dtype of what codecs get, if it is not what lies there, and what makes it so.
    """

    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    member: str = ""
    media: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    natural: ArraySpec | None = None
    load: Load | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the file that are values."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self, path: Path) -> NDArray[Any]:
        """The values; raises `InputError` where the file is too short for them."""
        try:
            values = np.fromfile(path, self.dtype, math.prod(self.shape), offset=self.offset)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        if values.nbytes != self.nbytes:
            raise InputError(f"{path} is cut short: {self.nbytes} bytes of values begin at byte {self.offset}")
        values = values.reshape(self.shape)
        return values if self.load is None else self.load(values)


def sources(path: Path, format: str, spans: Sequence[Span], whole: dict[str, Any] | None = None) -> list[Source]:
    """A file as the arrays that lie in it.

    Parameters
    ----------
    path
        The file.
    format
        What its kind is called.
    spans
        All of them, in the order of the file. One without `Span.member` is the only one.
    whole
        What the file says as a whole; it goes into ``media["file"]`` of the first array, or beside the rest of the only one.

    Raises
    ------
    InputError
        If they do not lie within the file, or overlap.
    InexactError
        If there are none, or there is too much beside them.
    """
    if not spans:
        raise InexactError(f"{path} is a {format} file without values of a kind that codecs take")
    if any(math.prod(max(1, n) for n in span.shape) * span.dtype.itemsize > _MOST for span in spans):
        raise InputError(f"{path} is a {format} file with a shape that no array has")
    held = {"template": template.cut(path, [(span.offset, span.nbytes) for span in spans]), **(whole or {})}
    found = []
    for place, span in enumerate(spans):
        media: dict[str, Any] = {"format": format, **span.media}
        if span.dtype.str.startswith(">"):
            media["byteorder"] = ">"
        if span.member:
            media |= {"member": span.member, "place": place} | ({"file": held} if place == 0 else {})
        else:
            media |= held
        spec = span.natural or ArraySpec(span.shape, span.dtype.name)
        attrs = {**span.attrs, "media": media}
        found.append(Source(name=span.member, path=path, spec=spec, load=partial(span.read, path), attrs=attrs))
    return found


def raw(part: Part) -> Any:
    """The bytes that values have in a file, where codecs got them as they lie there."""
    return template.raw(part.array, ">" if part.media.get("byteorder") == ">" else "<")


def write(path: Path, parts: Sequence[Part], raw: Raw = raw) -> None:
    """Write the file that arrays came from; raises `OutputError` unless all of it is there, and as long as it was."""
    ordered = in_place(parts)
    media = ordered[0].media
    whole = media.get("file", {}) if "member" in media else media
    held = whole.get("template") if isinstance(whole, dict) else None
    pieces = (raw(part) for part in ordered)
    with path.open("wb") as file:
        template.join(file, held, pieces)


def in_place(parts: Sequence[Part]) -> list[Part]:
    """The arrays of a file in the order of the file, all of them."""
    if len(parts) == 1 and "member" not in parts[0].media:
        return list(parts)
    places = {part.media.get("place"): part for part in parts}
    if set(places) != set(range(len(parts))):
        raise OutputError("its arrays are not those of one file, or some are missing")
    return [places[place] for place in range(len(parts))]
