"""TIFF files: every strip and tile becomes values, and all other bytes of the file are kept as they are."""

from __future__ import annotations

import json
import re
from math import prod
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError
from codecs_core.media.directories import CHAIN, Directories, Tag
from codecs_core.media.raster import PLACES, Raster
from codecs_core.media.source import Source
from codecs_core.media.template import LARGEST, cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


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
        planes = planes_of(tree, rasters)
        gaps = _gaps(tree, rasters, planes)
        groups = groups_of(tree, rasters)
        lead = _leading(tree, len(rasters) * planes, rasters[0].shape) if len(groups) == 1 else ()
        colours = _palette(tree, tree.chain[0])
        hint = rasters[0].hint(tree.read)
    if 16 * len(gaps) > LARGEST // 2:
        raise InexactError(f"{tree.name} has its pixels in {len(gaps)} places, with something else between them")
    held: dict[str, Any] = {"template": cut(path, gaps), "gaps": [nbytes for _, nbytes in gaps]}
    if hint is not None:
        held["hint"] = hint
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


def groups_of(tree: Directories, rasters: list[Raster]) -> dict[str, list[int]]:
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
    """What the first directory says of all images: of two descriptions the one that a program made."""
    tags = [tree.chain[0].get(270), *(tag for tag in tree.repeated if tag.code == 270)]
    texts = [tree.raw(tag).rstrip(b"\0") for tag in tags if tag is not None]
    made = (text for text in texts if text.startswith((b"ImageJ=", b'{"shape":')) or b"<Pixels " in text)
    return next(made, texts[0] if texts else b"")


def planes_of(tree: Directories, rasters: list[Raster]) -> int:
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
    places = [(tag.at, tag.nbytes) for tags in tree.chain for code, tag in tags.items() if code in PLACES]
    others = [extent[:2] for extent in tree.extents if extent[2] not in PLACES and extent[2] != CHAIN]
    if _overlap(spans, [extent[:2] for extent in tree.extents]) or _overlap(sorted(places), others):
        raise InexactError(f"{tree.name} has pixels that share their bytes with others, or with tags")
    return merged(spans)


def merged(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans (offset, bytes) in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for at, nbytes in spans:
        if found and at == sum(found[-1]):
            found[-1] = found[-1][0], found[-1][1] + nbytes
        else:
            found.append((at, nbytes))
    return found


def _overlap(spans: Sequence[tuple[int, int]], extents: Sequence[tuple[int, int]]) -> bool:
    """Whether two spans (offset, bytes) in order share bytes, or one does with an extent (start, stop)."""
    starts = np.array([at for at, _ in spans], np.uint64)
    stops = np.array([at + nbytes for at, nbytes in spans], np.uint64)
    if (starts[1:] < stops[:-1]).any():
        return True
    others = np.array(extents, np.uint64)
    # The last span that begins before an extent ends must end before the extent begins.
    before = np.searchsorted(starts, others[:, 1], side="left") - 1
    return bool((stops[before[before >= 0]] > others[before >= 0, 0]).any())


def _palette(tree: Directories, tags: dict[int, Tag]) -> dict[str, Any]:
    """The colours of indices, as `metadata` has them for other formats: the high bytes of what TIFF has."""
    if tree.value(tags, 262, -1) != 3 or 320 not in tags:
        return {}
    colours = np.array(tree.values(tags, 320), np.uint16)
    if colours.size not in (6, 12, 48, 768):
        return {}
    return {"mode": "P", "palette": (colours.reshape(3, -1).T >> 8).astype(np.uint8).tobytes()}
