"""An entry at another resolution, put together of its chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codecs_core.api.opening.selection import select
from codecs_core.api.parallel import ordered
from codecs_core.arrays import ArraySpec
from codecs_core.capabilities import SupportsScale
from codecs_core.container import grid as chunks
from codecs_core.errors import ConfigError, CorruptDataError, UnsupportedArrayError
from codecs_core.scale import Grid

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from codecs_core.api.opening.decoder import Decoder
    from codecs_core.api.opening.selection import Part
    from codecs_core.container import Entry


def scaled(decoder: Decoder, entry: Entry, scale: Fraction, key: Any, *, jobs: int) -> NDArray[Any]:
    """The part `key` of an entry, in items as they were saved, at another resolution; raises as `EntryView.scaled` does."""
    shape, steps = entry.spec.shape, entry.chunk_shape
    axes = _axes(decoder, entry)
    ends = _ends(key, shape)
    starts = tuple(start for start, _ in ends)
    whole = Grid.of([stop - start for start, stop in ends], axes, scale, starts)
    wanted = f"entry {entry.name!r} of {decoder.path} at scale {scale}"
    if not whole.size and all(start < stop for start, stop in ends):
        raise ConfigError(f"{wanted} has the shape {whole.shape}, so that nothing is left; take a larger scale")
    decoder.limits.check("array_bytes", whole.size * entry.spec.itemsize, wanted)
    selection = select(tuple(slice(*one) for one in ends), shape, steps)
    parts = list(selection.parts) if whole.size else []
    taken = decoder.room(entry, (part.chunk for part in parts), whole.shape)

    def decode(part: Part) -> None:
        at = chunks.place(part.chunk, shape, steps)
        start = tuple(one.start for one in at)
        grid = Grid.of([one.stop - one.start for one in at], axes, scale, start)
        here = Grid(tuple(p.part(s.start, s.stop) for p, s in zip(grid.places, part.local, strict=True)))
        if here.size:
            found = decoder.scaled(entry, part.chunk, scale, start)
            taken[here.within(whole)] = found[here.within(grid)]

    for _ in ordered(decode, parts, jobs=jobs):
        pass
    return taken


def _axes(decoder: Decoder, entry: Entry) -> tuple[int, ...]:
    """The axes of an entry that have a resolution, as its codec says of a chunk."""
    codec, chunk = decoder.codec(entry), ArraySpec(entry.chunk_shape, entry.spec.dtype)
    if not isinstance(codec, SupportsScale):
        raise ConfigError(
            f"entry {entry.name!r} of {decoder.path} has no scale: codec {codec.id} cannot evaluate it at another resolution"
        )
    try:
        codec.check(chunk)
    except UnsupportedArrayError as error:
        raise CorruptDataError(f"{decoder.path}, entry {entry.name!r}: {error}") from error
    return codec._axes(chunk)


def _ends(key: Any, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Where a key of slices begins and ends along each axis."""
    given = [one for one in (key if isinstance(key, tuple) else (key,)) if one is not Ellipsis]
    plain = all(isinstance(one, slice) and one.step in (None, 1) for one in given)
    if not plain or len(given) > len(shape):
        raise IndexError(
            f"an entry at another resolution is indexed by slices without a step, up to one an axis, got {key!r}"
        )
    given += [slice(None)] * (len(shape) - len(given))
    return [
        (one.start, max(one.start, one.stop))
        for one in (range(*s.indices(n)) for s, n in zip(given, shape, strict=True))
    ]
