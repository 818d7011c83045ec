"""TIFF files, written again of their values and of all other bytes that were kept of them.

The bytes that are not pixels keep their places when the file is written again, so that whatever they say (GeoTIFF keys, OME-XML,
EXIF, private tags) is there, and whatever points from one to the other still points there. Uncompressed pixels come back as the
same bytes. Compressed ones are compressed again; a strip that became longer than it was goes to the end of the file, and
the tags that say where it is are the only ones that change.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import prod
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import InputError, OutputError
from codecs_core.media.directories import Directories, Tag
from codecs_core.media.raster import COUNTS, OFFSETS, PLACES, Raster
from codecs_core.media.source import Part
from codecs_core.media.template import raw
from codecs_core.media.tiff import groups_of, merged, planes_of, read_tiff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: In a cloud-optimised GeoTIFF: that each tile is preceded by its size and followed by its end, until this says otherwise.
_GHOST = b"KNOWN_INCOMPATIBLE_EDITION=NO\n ", b"KNOWN_INCOMPATIBLE_EDITION=YES\n"


def write_tiff(path: Path, parts: Sequence[Part]) -> None:
    """Write the file that the parts came from, and check that it reads back the same.

    Raises
    ------
    OutputError
        If the parts and what is kept of the file do not belong together, or the file would not have their values.
    """
    try:
        with path.open("w+b") as file:
            _lay(file, parts)
            file.seek(0)
            tree = Directories(file, path.name)
            before = _contents(tree)
            rasters = [Raster.of(tree, tags) for tags in tree.chain]
            plain = _fill(file, tree, rasters, parts)
        if not plain:
            _check(path, parts, before)
    except InputError as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def _held(parts: Sequence[Part]) -> tuple[list[bytes], list[int]]:
    """What is kept of the file: the bytes beside the pixels, and how many of pixels are between them."""
    media = parts[0].media
    held = media.get("file", media)
    match held:
        case {"template": [*template], "gaps": [*gaps]} if (
            all(type(one) is bytes for one in template)
            and all(type(n) is int and n > 0 for n in gaps)
            and len(template) == len(gaps) + 1
            # Compression may make noise longer, but never twice as long.
            and sum(gaps) <= 2 * sum(part.array.nbytes for part in parts) + (1 << 20)
        ):
            return template, gaps
    raise OutputError("the attributes of the entry do not have what is kept of a TIFF file; write .npy instead")


def _lay(file: IO[bytes], parts: Sequence[Part]) -> None:
    """Write what is kept of the file, with nothing where the pixels were."""
    template, gaps = _held(parts)
    for kept, gap in zip(template, [*gaps, 0], strict=True):
        file.write(kept)
        file.seek(gap, 1)
    file.truncate()


def _contents(tree: Directories) -> list[dict[int, tuple[int, bytes]]]:
    """All that the tags say, but for where the pixels lie."""
    return [
        {code: (tag.type, tree.raw(tag)) for code, tag in tags.items() if code not in PLACES} for tags in tree.chain
    ]


def _fill(file: IO[bytes], tree: Directories, rasters: list[Raster], parts: Sequence[Part]) -> bool:
    """Put the pixels where they belong. Whether they are there as plain bytes."""
    groups = groups_of(tree, rasters)
    if len(groups) != len(parts):
        raise OutputError(f"{tree.name} has {len(groups)} arrays, and there are {len(parts)}; write .npy instead")
    by_name = {str(part.media.get("member", "")): part.array for part in parts}
    media = parts[0].media
    room = _Room.of(rasters, media.get("file", media).get("hint"))
    for member, pages in groups.items():
        array = by_name.get(member)
        first = rasters[pages[0]]
        planes = planes_of(tree, rasters) if len(groups) == 1 else 1
        if array is None or array.dtype.name != first.dtype or array.size != len(pages) * planes * prod(first.shape):
            raise OutputError(
                f"{tree.name} has {len(pages) * planes} images of {first.dtype} and shape {first.shape}, and the array is "
                f"{'missing' if array is None else f'{array.dtype} of shape {array.shape}'}; write .npy instead"
            )
        if planes > 1:
            file.seek(first.offsets[0])
            file.write(raw(array, first.order).data)
            continue
        for page, pixels in zip(pages, array.reshape(len(pages), *first.shape), strict=True):
            _fill_one(file, tree, tree.chain[page], rasters[page], pixels, room)
    return all(raster.plain for raster in rasters)


def _fill_one(
    file: IO[bytes], tree: Directories, tags: dict[int, Tag], raster: Raster, pixels: NDArray[Any], room: _Room
) -> None:
    offsets, counts = list(raster.offsets), list(raster.counts)
    for i, data in raster.encode(pixels, room.hint):
        if raster.compression != "none":
            offsets[i] = room.place(file, raster.offsets[i], len(data))
            counts[i] = len(data)
        file.seek(offsets[i])
        file.write(data)
    if (offsets, counts) != (list(raster.offsets), list(raster.counts)):
        _store(file, tree, tags[OFFSETS[raster.tiled]], offsets)
        _store(file, tree, tags[COUNTS[raster.tiled]], counts)
        _end_ghost(file)


@dataclass
class _Room:
    """Where there were pixels: those that are compressed again are laid there one behind the other, while they fit."""

    starts: list[int]
    free: list[int]
    stops: list[int]
    hint: Any

    @classmethod
    def of(cls, rasters: Sequence[Raster], hint: Any) -> _Room:
        """The room that compressed pixels had; uncompressed ones stay where they are."""
        packed = [raster for raster in rasters if raster.compression != "none"]
        spans = sorted(span for raster in packed for span in zip(raster.offsets, raster.counts, strict=True))
        gaps = merged(spans)
        return cls([at for at, _ in gaps], [at for at, _ in gaps], [sum(gap) for gap in gaps], hint)

    def place(self, file: IO[bytes], was: int, nbytes: int) -> int:
        """An offset for `nbytes`: in the gap that has the offset `was`, or else at the end of the file."""
        gap = bisect_right(self.starts, was) - 1
        at = self.free[gap]
        if at + nbytes <= self.stops[gap]:
            self.free[gap] = at + nbytes
            return at
        at = file.seek(0, 2)
        return at + file.write(b"\0" * (at % 2))


def _store(file: IO[bytes], tree: Directories, tag: Tag, values: list[int]) -> None:
    """Replace the values of a tag; where their type has no room for them, by a wider one at the end of the file."""
    kinds = {3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
    kind, wide = tag.type, 16 if tree.big else 4
    if kind in kinds and max(values) <= np.iinfo(kinds[kind]).max:
        at = tag.at
    elif max(values) > np.iinfo(kinds[wide]).max:
        raise OutputError(f"{tree.name} would become larger than the 4 GiB that a TIFF file has room for")
    else:
        kind = wide
        place = tag.entry + (12 if tree.big else 8)
        at = place if len(values) == 1 else file.seek(0, 2)
        file.seek(tag.entry + 2)
        file.write(np.array([kind], tree.order + "u2").tobytes())
        if len(values) > 1:
            file.seek(place)
            file.write(np.array([at], tree.order + kinds[wide]).tobytes())
    file.seek(at)
    file.write(np.array(values, tree.order + kinds[kind]).tobytes())


def _end_ghost(file: IO[bytes]) -> None:
    """Say in a cloud-optimised GeoTIFF that it was edited, since its tiles no longer fill their places."""
    file.seek(0)
    head = file.read(512)
    at = head.find(_GHOST[0])
    if b"GDAL_STRUCTURAL_METADATA_SIZE=" in head and at >= 0:
        file.seek(at)
        file.write(_GHOST[1])


def _check(path: Path, parts: Sequence[Part], before: list[dict[int, tuple[int, bytes]]]) -> None:
    """Read the file again, and compare all values and all tags."""
    with path.open("rb") as file:
        after = _contents(Directories(file, path.name))
    if after != before:
        raise OutputError(f"{path} does not have the tags of the file it was; write .npy instead")
    by_name = {str(part.media.get("member", "")): part.array for part in parts}
    for source in read_tiff(path):
        array, again = by_name[source.name], source.read()
        same = again.dtype.name == array.dtype.name and again.size == array.size
        if not same or again.tobytes() != array.astype(again.dtype, order="C").tobytes():
            raise OutputError(f"{path} does not give the values back as they are; write .npy instead")


def said_by(part: Part) -> dict[str, Any]:
    """What a TIFF file says that other formats take too, in the words of `metadata`: its profile and its density."""
    try:
        with TemporaryFile() as file:
            _lay(file, [part])
            tree = Directories(file, "it")
            tags = tree.chain[0]
            found = {"icc": tree.raw(tags[34675])} if 34675 in tags else {}
            unit = {2: 1.0, 3: 2.54}.get(tree.value(tags, 296, 2))
            if (
                unit
                and all(tags[code].nbytes == 8 for code in (282, 283) if code in tags)
                and {282, 283} <= tags.keys()
            ):
                sides = [np.frombuffer(tree.raw(tags[code]), tree.order + "u4") for code in (282, 283)]
                return {**found, "dpi": [float(n) * unit / float(d) for n, d in sides if d]}
            return found
    except (InputError, OutputError):
        return {}
