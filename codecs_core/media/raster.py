"""How the pixels of one directory of a TIFF file lie in it, as strips or tiles: from bytes to values and back.

TIFF 6.0 (Adobe 1992, sections 13 to 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import InexactError, InputError
from codecs_core.media.strips import COMPRESSIONS, LEVELS, apart, float_bytes, floats, level_of, pack, together, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from codecs_core.media.directories import Directories, Tag

OFFSETS = {False: 273, True: 324}
COUNTS = {False: 279, True: 325}
#: Tags that say where the pixels lie.
PLACES = frozenset([*OFFSETS.values(), *COUNTS.values()])
#: What other numbers mean, for the message.
_KNOWN = (
    dict.fromkeys((2, 3, 4), "CCITT") | dict.fromkeys((6, 7, 34892), "JPEG") | dict.fromkeys((50002, 52546), "JPEG XL")
)
_KNOWN |= {34712: "JPEG 2000", 34887: "LERC", 50001: "WebP", 34713: "Nikon NEF", 32767: "Sony ARW", 65535: "Pentax PEF"}
#: dtypes, by the sample format and the bits a sample; packed bits are taken apart to one value a byte.
_DTYPES = (
    {(1, bits): "uint8" for bits in (1, 2, 4)}
    | {(1, bits): f"uint{bits}" for bits in (8, 16, 32, 64)}
    | {(2, bits): f"int{bits}" for bits in (8, 16, 32, 64)}
    | {(3, bits): f"float{bits}" for bits in (16, 32, 64)}
    | {(6, bits): f"complex{bits}" for bits in (64, 128)}
)
#: Bytes of a strip or tile up to which it is found out how it was compressed.
_SMALL = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Raster:
    """The pixels of one directory.

    Attributes
    ----------
    shape
        (H, W), (H, W, samples), or (samples, H, W) where each sample has a plane of its own.
    dtype
        Of the values; packed bits are uint8.
    block
        Rows and columns of a strip or a tile. The last strip has fewer rows; a tile at an edge is full.
    offsets, counts
        Where the strips or tiles lie, and their bytes: plane by plane, row by row.
    """

    name: str
    height: int
    width: int
    samples: int
    planar: bool
    dtype: str
    order: str
    bits: int
    compression: str
    predictor: int
    tiled: bool
    block: tuple[int, int]
    offsets: Sequence[int]
    counts: Sequence[int]

    @classmethod
    def of(cls, tree: Directories, tags: dict[int, Tag]) -> Raster:
        """The raster of a directory.

        Raises
        ------
        InexactError
            For what this module could not write again: ways of compression that lose detail, odd numbers of bits.
        InputError
            For what contradicts itself, or lies outside of the file.
        """
        _refuse(tree, tags)
        samples = tree.value(tags, 277, 1)
        height, width = tree.value(tags, 257, 0), tree.value(tags, 256, 0)
        tiled = 322 in tags or 324 in tags
        rows, columns = (
            (tree.value(tags, 323, 0), tree.value(tags, 322, 0))
            if tiled
            else (min(tree.value(tags, 278, height), height), width)
        )
        if not 0 < height < 1 << 31 or not 0 < width < 1 << 31 or rows < 1 or columns < 1 or samples < 1:
            raise InputError(f"{tree.name} is damaged: {height} rows, {width} columns, {samples} samples a pixel")
        bits, form = tree.value(tags, 258, 1), tree.value(tags, 339, 1)
        compression = COMPRESSIONS[tree.value(tags, 259, 1)]
        raster = cls(
            name=tree.name,
            height=height,
            width=width,
            samples=samples,
            planar=tree.value(tags, 284, 1) == 2 and samples > 1,
            dtype=_DTYPES[form, bits],
            order=tree.order,
            bits=bits,
            compression=compression,
            predictor=tree.value(tags, 317, 1) if compression in ("lzw", "deflate", "lzma", "zstd") else 1,
            tiled=tiled,
            block=(rows, columns),
            offsets=tree.values(tags, OFFSETS[tiled]),
            counts=tree.values(tags, COUNTS[tiled]),
        )
        sure = 258 in tags or compression != "none" or len(raster.counts) == len(raster)
        if not sure or (258 not in tags and compression == "none" and list(raster.counts) != raster.needed()):
            raise InexactError(f"{tree.name} does not say how many bits its samples have")
        return raster._with_counts(tree.size)

    def _with_counts(self, size: int) -> Raster:
        """The raster with a number of bytes for each strip or tile, and all of them within the file."""
        n = len(self)
        if len(self.offsets) != n:
            raise InputError(f"{self.name} is damaged: it has {len(self.offsets)} strips or tiles, and {n} are needed")
        counts = self.counts
        if not counts and (n > 1 or self.compression != "none"):
            raise InexactError(f"{self.name} does not say how many bytes its strips or tiles have")
        if self.compression == "none":
            needed = self.needed()
            if counts and any(count < need for count, need in zip(counts, needed, strict=False)):
                raise InexactError(f"{self.name} leaves out some of its strips or tiles, or parts of them")
            counts = needed
        if len(counts) != n or not all(counts) or not all(self.offsets):
            raise InexactError(f"{self.name} leaves out some of its strips or tiles")
        if any(offset + count > size for offset, count in zip(self.offsets, counts, strict=True)):
            raise InputError(f"{self.name} is damaged: it has {size} bytes, and some of its pixels lie behind them")
        return Raster(**{**vars(self), "counts": counts})

    @property
    def planes(self) -> int:
        """Planes that are stored one after the other."""
        return self.samples if self.planar else 1

    @property
    def depth(self) -> int:
        """Samples a pixel within a plane."""
        return 1 if self.planar else self.samples

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        if self.planar:
            return self.samples, self.height, self.width
        return (self.height, self.width, *([self.samples] if self.samples > 1 else []))

    @property
    def stored(self) -> np.dtype[Any]:
        """The dtype in the byte order of the file."""
        return np.dtype(self.dtype).newbyteorder(">" if self.order == ">" else "<")

    @property
    def plain(self) -> bool:
        """Whether the bytes of a strip are those of its values."""
        return self.compression == "none" and self.bits >= 8

    @property
    def contiguous(self) -> bool:
        """Whether the values lie in the file as they do in the array."""
        ends = [offset + count for offset, count in zip(self.offsets, self.counts, strict=True)]
        whole = not self.tiled or (self.block[1] == self.width and self.height % self.block[0] == 0)
        return self.plain and whole and ends[:-1] == list(self.offsets[1:])

    def __len__(self) -> int:
        """Strips or tiles."""
        return self.planes * -(-self.height // self.block[0]) * -(-self.width // self.block[1])

    def nbytes(self, rows: int) -> int:
        """Bytes of a strip or tile of this number of rows, uncompressed."""
        return rows * (-(-self.block[1] * self.depth * self.bits // 8))

    def needed(self) -> list[int]:
        """Bytes of each strip or tile, uncompressed."""
        return [self.nbytes(rows) for _, rows, _ in self._places()]

    def _places(self) -> Iterator[tuple[tuple[Any, ...], int, int]]:
        """Of each strip or tile: where it is in an array (planes, H, W, depth), its rows, and its columns in the image."""
        rows, columns = self.block
        for plane in range(self.planes):
            for y in range(0, self.height, rows):
                for x in range(0, self.width, columns):
                    window = plane, slice(y, y + rows), slice(x, x + columns)
                    stored = rows if self.tiled else min(rows, self.height - y)
                    yield window, stored, min(columns, self.width - x)

    def decode(self, read: Callable[[int, int], bytes]) -> NDArray[Any]:
        """The array; `read(offset, nbytes)` gives bytes of the file."""
        array = np.empty((self.planes, self.height, self.width, self.depth), self.dtype)
        for (window, rows, columns), offset, count in zip(self._places(), self.offsets, self.counts, strict=True):
            target = array[window]
            data = unpack(self.compression, read(offset, count), self.nbytes(rows), self.name)
            target[...] = self._values(data, rows)[: target.shape[0], :columns]
        return array.reshape(self.shape)

    def encode(self, array: NDArray[Any], hint: Any = None) -> Iterator[tuple[int, bytes]]:
        """The bytes of each strip or tile with its number, in the order in which they lie in the file.

        `hint` is what `hint_of` gave for the file.
        """
        whole, places = array.reshape(self.planes, self.height, self.width, self.depth), list(self._places())
        for i in np.argsort(np.array(self.offsets, np.uint64), kind="stable").tolist():
            window, rows, _ = places[i]
            part = whole[window]
            full = np.zeros((rows, self.block[1], self.depth), self.dtype)
            full[: part.shape[0], : part.shape[1]] = part
            data = self._bytes(full)
            yield i, pack(self.compression, data, len(data) // rows, hint)

    def hint(self, read: Callable[[int, int], bytes]) -> Any:
        """Which library at which level makes the first strip or tile what it is, None where that cannot be told."""
        _, rows, _ = next(self._places())
        if self.compression not in LEVELS or self.nbytes(rows) > _SMALL:
            return None
        stored = read(self.offsets[0], self.counts[0])
        return level_of(self.compression, stored, unpack(self.compression, stored, self.nbytes(rows), self.name))

    def _values(self, data: bytes, rows: int) -> NDArray[Any]:
        """(rows, columns, depth) of uncompressed bytes."""
        shape, dtype = (rows, self.block[1], self.depth), np.dtype(self.dtype)
        if self.bits < 8:
            return apart(data, shape, self.bits)
        if self.predictor == 3:
            return floats(data, shape, dtype)
        values = np.frombuffer(data, self.stored).reshape(shape).astype(dtype)
        if self.predictor == 2:
            whole = values.view(f"u{dtype.itemsize}")
            return np.cumsum(whole, axis=1, dtype=whole.dtype).view(dtype)
        return values

    def _bytes(self, values: NDArray[Any]) -> bytes:
        if self.bits < 8:
            return together(values, self.bits)
        if self.predictor == 3:
            return float_bytes(values)
        if self.predictor == 2:
            whole = values.view(f"u{values.dtype.itemsize}").copy()
            whole[:, 1:] -= values.view(whole.dtype)[:, :-1]
            values = whole
        return values.astype(self.stored).tobytes()


def _refuse(tree: Directories, tags: dict[int, Tag]) -> None:
    """Raise `InexactError` for what could not be written again as it is."""
    if 330 in tags:
        raise InexactError(f"{tree.name} has images within its images (SubIFDs), which no array keeps")
    compression = tree.value(tags, 259, 1)
    if compression not in COMPRESSIONS:
        way = _KNOWN.get(compression, f"way {compression}")
        raise InexactError(f"{tree.name} is compressed by {way}, which cannot be written again as it is")
    bits, forms = tree.values(tags, 258, (1,)), tree.values(tags, 339, (1,))
    if len({*bits}) > 1 or len({*forms}) > 1:
        raise InexactError(f"{tree.name} has samples of several kinds: {bits} bits, format {forms}")
    bits_each, form, samples = tree.value(tags, 258, 1), tree.value(tags, 339, 1), tree.value(tags, 277, 1)
    if (form, bits_each) not in _DTYPES or (bits_each < 8 and samples > 1):
        raise InexactError(
            f"{tree.name} has {samples} samples of {bits_each} bits and format {form}, which no array keeps as they are"
        )
    predictor = tree.value(tags, 317, 1)
    if predictor not in (1, 2, 3) or (predictor == 3) > (form == 3) or (predictor > 1 and (bits_each < 8 or form == 6)):
        raise InexactError(f"{tree.name} has predictor {predictor} with {bits_each} bits of format {form}")
    if tree.value(tags, 266, 1) != 1:
        raise InexactError(f"{tree.name} has its bits in reverse (FillOrder 2)")
    if tree.value(tags, 262, 0) == 6 and tuple(tree.values(tags, 530, (2, 2))) != (1, 1):
        raise InexactError(f"{tree.name} has fewer values of colour than of brightness (YCbCr)")
    if tree.value(tags, 284, 1) not in (1, 2) or tree.value(tags, 32997, 1) != 1 or tree.value(tags, 32998, 1) != 1:
        raise InexactError(f"{tree.name} has its pixels in an order that is not known")
