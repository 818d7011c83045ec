"""TIFF files: every strip and tile becomes values, and all other bytes of the file are kept as they are.

The bytes that are not pixels keep their places when the file is written again, so that whatever they say (GeoTIFF keys, OME-XML,
EXIF, private tags) is there, and whatever points from one to the other still points there. Uncompressed pixels come back as the
same bytes. Compressed ones are compressed again; a strip that became longer than it was goes to the end of the file, and
the tags that say where it is are the only ones that change.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media.directories import Directories, Tag
from codecs_core.media.raster import COUNTS, OFFSETS, Raster
from codecs_core.media.source import Part, Source
from codecs_core.media.template import LARGEST, cut, raw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: Tags that say where the pixels lie.
_PLACES = frozenset([*OFFSETS.values(), *COUNTS.values()])
#: In a cloud-optimised GeoTIFF: that each tile is preceded by its size and followed by its end, until this says otherwise.
_GHOST = b"KNOWN_INCOMPATIBLE_EDITION=NO\n ", b"KNOWN_INCOMPATIBLE_EDITION=YES\n"


def read_tiff(path: Path) -> list[Source]:
    """The arrays of a TIFF file: one where all its images agree in shape and dtype, else one of each image.

    An image is (H, W), (H, W, samples), or (samples, H, W) where samples lie in planes; values are as they are stored:
    not turned, not inverted, not made a colour. Images that agree are a stack along new first axes, as the description of
    ImageJ, OME or tifffile has them.

    Raises
    ------
    InexactError
        If the file could not be written again with the same values and tags.
    InputError
        If it is damaged.
    """
    with _opened(path) as file:
        tree = Directories(file, str(path))
        rasters = [Raster.of(tree, tags) for tags in tree.chain]
        if tree.value(tree.chain[0], 254, 0) & 1:
            raise InexactError(f"{tree.name} begins with an image that is a smaller version of another")
        planes = _planes(tree, rasters)
        gaps = _gaps(tree, rasters, planes)
        groups = _groups(tree, rasters)
        lead = _leading(tree, len(rasters) * planes, rasters[0].shape) if len(groups) == 1 else ()
        colours = _palette(tree, tree.chain[0])
        hint = rasters[0].hint(tree.read)
    if 16 * len(gaps) > LARGEST // 2:
        raise InexactError(f"{tree.name} has its pixels in {len(gaps)} places, with something else between them")
    held: dict[str, Any] = {"template": cut(path, gaps), "gaps": [nbytes for _, nbytes in gaps]} | (
        {"hint": hint} if hint else {}
    )
    if len(groups) == 1:
        shape = (*lead, *rasters[0].shape)
        media = {"format": "TIFF", "name": path.name, **held, **colours}
        return [_source(path, "", shape, rasters, planes, media)]
    sources: list[Source] = []
    for member, pages in groups.items():
        media = {"format": "TIFF", "name": path.name, "member": member, **({} if sources else {"file": held})}
        sources.append(_source(path, member, rasters[pages[0]].shape, [rasters[page] for page in pages], 1, media))
    return sources


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _source(
    path: Path, name: str, shape: tuple[int, ...], rasters: list[Raster], planes: int, media: dict[str, Any]
) -> Source:
    spec = ArraySpec(shape, rasters[0].dtype)

    def load() -> NDArray[Any]:
        with _opened(path) as file:
            array = _load(file, rasters, planes, spec)
        return array.reshape(shape)

    return Source(name=name, path=path, spec=spec, load=load, attrs={"media": media})


def _load(file: IO[bytes], rasters: list[Raster], planes: int, spec: ArraySpec) -> NDArray[Any]:
    def data(at: int, nbytes: int) -> bytes:
        file.seek(at)
        found = file.read(nbytes)
        if len(found) != nbytes:
            raise InputError(f"{rasters[0].name} became shorter while it was read")
        return found

    try:
        if rasters[0].contiguous and len(rasters) == 1:
            stored = data(rasters[0].offsets[0], spec.nbytes)
            return np.frombuffer(stored, rasters[0].stored).astype(spec.dtype, copy=False)
        if len(rasters) == 1:
            return rasters[0].decode(data)
        array = np.empty((len(rasters), *rasters[0].shape), spec.dtype)
        for page, raster in zip(array, rasters, strict=True):
            page[...] = raster.decode(data)
        return array
    except MemoryError as error:
        raise InputError(
            f"{rasters[0].name} claims {spec.nbytes} bytes of pixels, for which there is no memory"
        ) from error


# --- what the directories say ---------------------------------------------------------------------


def _groups(tree: Directories, rasters: list[Raster]) -> dict[str, list[int]]:
    """Members of the file, and the directories of each: one member if all agree, else every image is one."""
    kinds = [tree.value(tags, 254, 0) for tags in tree.chain]
    alike = {(raster.shape, raster.dtype, kind & 5) for raster, kind in zip(rasters, kinds, strict=True)}
    if len(alike) == 1:
        return {"": list(range(len(rasters)))}
    names = [
        ("mask-of-overview" if kind & 1 else "mask") if kind & 4 else ("overview" if kind & 1 else "image")
        for kind in kinds
    ]
    return {
        name if names.count(name) == 1 else f"{name}-{names[: page + 1].count(name)}": [page]
        for page, name in enumerate(names)
    }


def _description(tree: Directories) -> bytes:
    tag = tree.chain[0].get(270)
    return tree.raw(tag).rstrip(b"\0") if tag else b""


def _planes(tree: Directories, rasters: list[Raster]) -> int:
    """How many images follow each other where the only directory has one: ImageJ's way with large stacks."""
    text = _description(tree)
    if len(rasters) > 1:
        return 1
    if text.startswith(b"ImageJ="):
        found = re.search(rb"\nimages=(\d{1,9})\r?(\n|$)", text)
        planes = int(found[1]) if found else 1
    elif text.startswith(b'{"shape":') and b'"truncated": true' in text:
        planes = prod(_shaped(text)) // prod(rasters[0].shape)
    else:
        planes = 1
    end = rasters[0].offsets[0] + planes * sum(rasters[0].counts)
    if planes > 1 and not (rasters[0].contiguous and end <= tree.size):
        raise InexactError(f"{tree.name} describes {planes} images and does not say where they are")
    return max(planes, 1)


def _leading(tree: Directories, images: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes in front of those of an image, lengths of 1 left out."""
    text = _description(tree)
    lead: tuple[int, ...] = (images,)
    if text.startswith(b"ImageJ="):
        found = {key: int(n) for key, n in re.findall(rb"\n(frames|slices|channels)=(\d{1,9})", text)}
        lead = tuple(found.get(key, 1) for key in (b"frames", b"slices", b"channels"))
    elif text.startswith(b'{"shape":'):
        whole = _shaped(text)
        lead = whole[: -len(shape)] if whole[-len(shape) :] == shape else lead
    elif text.count(b"<Pixels ") == 1:
        sizes = dict(re.findall(rb'\bSize([TZC])="(\d{1,9})"', text))
        order = re.search(rb'\bDimensionOrder="XY([TZC]{3})"', text)
        lead = tuple(int(sizes.get(bytes([axis]), 1)) for axis in reversed(order[1])) if order else lead
    if prod(lead) != images or len(lead) > 16:
        lead = (images,)
    return tuple(n for n in lead if n > 1)


def _shaped(text: bytes) -> tuple[int, ...]:
    """The shape in tifffile's description of a file, or none."""
    try:
        shape = json.loads(text)["shape"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    good = isinstance(shape, list) and 0 < len(shape) < 16 and all(type(n) is int and 0 < n < 1 << 40 for n in shape)
    return tuple(shape) if good else ()


def _gaps(tree: Directories, rasters: list[Raster], planes: int) -> list[tuple[int, int]]:
    """Where the file has pixels: offset and bytes, those that touch made one."""
    if planes > 1:
        spans = [(rasters[0].offsets[0], planes * sum(rasters[0].counts))]
    else:
        spans = sorted(span for raster in rasters for span in zip(raster.offsets, raster.counts, strict=True))
    if _overlap(spans, tree):
        raise InexactError(f"{tree.name} has pixels that share their bytes with others, or with tags")
    gaps = [spans[0]]
    for at, nbytes in spans[1:]:
        if at == sum(gaps[-1]):
            gaps[-1] = gaps[-1][0], gaps[-1][1] + nbytes
        else:
            gaps.append((at, nbytes))
    return gaps


def _overlap(spans: Sequence[tuple[int, int]], tree: Directories) -> bool:
    """Whether two spans of pixels share bytes, or one does with a directory or the values of a tag."""
    starts = np.array([at for at, _ in spans], np.uint64)
    stops = np.array([at + nbytes for at, nbytes in spans], np.uint64)
    if (starts[1:] < stops[:-1]).any():
        return True
    extents = np.array(tree.extents, np.uint64)
    # The last span that begins before an extent ends must end before the extent begins.
    before = np.searchsorted(starts, extents[:, 1], side="left") - 1
    return bool((stops[before[before >= 0]] > extents[before >= 0, 0]).any())


def _palette(tree: Directories, tags: dict[int, Tag]) -> dict[str, Any]:
    """The colours of indices, as `metadata` has them for other formats: the high bytes of what TIFF has."""
    if tree.value(tags, 262, -1) != 3 or 320 not in tags:
        return {}
    colours = np.array(tree.values(tags, 320), np.uint16)
    if colours.size not in (6, 12, 48, 768):
        return {}
    return {"mode": "P", "palette": (colours.reshape(3, -1).T >> 8).astype(np.uint8).tobytes()}


# --- writing --------------------------------------------------------------------------------------


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
        {code: (tag.type, tree.raw(tag)) for code, tag in tags.items() if code not in _PLACES} for tags in tree.chain
    ]


def _fill(file: IO[bytes], tree: Directories, rasters: list[Raster], parts: Sequence[Part]) -> bool:
    """Put the pixels where they belong. Whether they are there as plain bytes."""
    groups = _groups(tree, rasters)
    if len(groups) != len(parts):
        raise OutputError(f"{tree.name} has {len(groups)} arrays, and there are {len(parts)}; write .npy instead")
    by_name = {str(part.media.get("member", "")): part.array for part in parts}
    room = _Room.of(parts)
    for member, pages in groups.items():
        array = by_name.get(member)
        first = rasters[pages[0]]
        planes = _planes(tree, rasters) if len(groups) == 1 else 1
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
        if not raster.plain:
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
    def of(cls, parts: Sequence[Part]) -> _Room:
        """The room that a file has, going by what is kept of it."""
        template, gaps = _held(parts)
        starts = [0]
        for kept, gap in zip(template[:-1], gaps, strict=True):
            starts[-1:] = [starts[-1] + len(kept), starts[-1] + len(kept) + gap]
        del starts[-1]
        stops = [start + gap for start, gap in zip(starts, gaps, strict=True)]
        media = parts[0].media
        return cls(starts, list(starts), stops, media.get("file", media).get("hint"))

    def place(self, file: IO[bytes], was: int, nbytes: int) -> int:
        """An offset for `nbytes`: in the gap that has the offset `was`, or else at the end of the file."""
        gap = bisect_right(self.starts, was) - 1
        at = self.free[gap]
        if gap >= 0 and at + nbytes <= self.stops[gap]:
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
