"""The bytes of a strip or a tile of a TIFF file: compression, packed bits, and the predictor of floats.

TIFF 6.0 (Adobe 1992, sections 9 and 13); Adobe Photoshop TIFF technical note 3 (2005).
"""

from __future__ import annotations

import lzma
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.errors import InputError, MissingReaderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: Ways of compression that give values back exactly and can be written again.
COMPRESSIONS = {
    1: "none",
    5: "lzw",
    8: "deflate",
    32946: "deflate",
    32773: "packbits",
    34925: "lzma",
    50000: "zstd",
}
#: Libraries and levels to try, by what the second byte of a zlib stream says of the level.
LEVELS: dict[str, dict[int, list[list[Any]]]] = {
    "deflate": {
        0x01: [["zlib", 1], ["libdeflate", 1]],
        0x5E: [["zlib", 5], ["zlib", 3], ["libdeflate", 5]],
        0x9C: [["zlib", 6], ["libdeflate", 6], ["libdeflate", 7]],
        0xDA: [["zlib", 9], ["libdeflate", 9], ["libdeflate", 12]],
    },
    "zstd": {0: [["zstd", level] for level in (3, 9, 10, 1, 19)]},
}


def unpack(way: str, data: bytes, nbytes: int, name: str) -> bytes:
    """`nbytes` uncompressed bytes; more that are there are dropped, fewer raise `InputError`."""
    try:
        match way:
            case "none":
                found = data
            case "deflate":
                found = zlib.decompressobj().decompress(data, nbytes)
            case "lzma":
                found = lzma.LZMADecompressor().decompress(data, nbytes)
            case _:
                found = _imagecodecs(name, f"{way}_decode")(data, out=bytearray(nbytes))
    except InputError:
        raise
    except Exception as error:  # each of these libraries has errors of its own
        raise InputError(f"{name} is damaged: its pixels cannot be unpacked: {error}") from error
    if len(found) < nbytes:
        raise InputError(f"{name} is damaged: a strip or tile has {len(found)} bytes, and {nbytes} are needed")
    return bytes(found[:nbytes])


def pack(way: str, data: bytes, row: int, hint: Any = None) -> bytes:
    """Compressed bytes; `row` is the bytes of a row, which PackBits never crosses."""
    match way, hint:
        case "none", _:
            return data
        case "deflate", ["libdeflate", int(level)] if 1 <= level <= 12:
            return bytes(_imagecodecs("", "deflate_encode")(data, level=level))
        case "deflate", ["zlib", int(level)] if 1 <= level <= 9:
            return zlib.compress(data, level)
        case "deflate", _:
            return zlib.compress(data, 9)
        case "lzma", _:
            return lzma.compress(data, check=lzma.CHECK_NONE)
        case "packbits", _:
            encode = _imagecodecs("", "packbits_encode")
            return b"".join(encode(data[at : at + row]) for at in range(0, len(data), row))
        case "zstd", ["zstd", int(level)] if 1 <= level <= 22:
            return bytes(_imagecodecs("", "zstd_encode")(data, level=level))
        case "zstd", _:
            return bytes(_imagecodecs("", "zstd_encode")(data, level=19))
    return bytes(_imagecodecs("", f"{way}_encode")(data))


def level_of(way: str, stored: bytes, data: bytes) -> list[Any] | None:
    """Which library at which level makes `stored` of `data`, None where that cannot be told."""
    tries = LEVELS.get(way, {}).get(stored[1] if way == "deflate" else 0, [])
    try:
        return next((one for one in tries if pack(way, data, len(data), one) == stored), None)
    except InputError:
        return None


def _imagecodecs(name: str, function: str) -> Callable[..., Any]:
    try:
        import imagecodecs
    except ImportError as error:
        what = f"{name} is" if name else "this TIFF file is to be"
        way = function.split("_")[0]
        raise MissingReaderError(
            f"{what} compressed by {way}, which takes imagecodecs: pip install 'codecs-core[images]'"
        ) from error
    found: Callable[..., Any] = getattr(imagecodecs, function)
    return found


def apart(data: bytes, shape: tuple[int, int, int], bits: int) -> NDArray[Any]:
    """Values of fewer than eight bits, the first in the highest bits of a byte, each row in whole bytes."""
    rows, columns, depth = shape
    held = np.unpackbits(np.frombuffer(data, np.uint8).reshape(rows, -1), axis=1)[:, : columns * depth * bits]
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint8)
    values: NDArray[Any] = (held.reshape(rows, columns, depth, bits) * weights).sum(axis=-1, dtype=np.uint8)
    return values


def together(values: NDArray[Any], bits: int) -> bytes:
    """The inverse of `apart`: (rows, columns, depth) packed."""
    held = values[..., None] >> np.arange(bits - 1, -1, -1).astype(np.uint8) & 1
    return np.packbits(held.reshape(len(values), -1), axis=1).tobytes()


def floats(data: bytes, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Floats whose bytes were sorted by significance in each row, and then replaced by differences."""
    rows, columns, depth = shape
    steps = np.frombuffer(data, np.uint8).reshape(rows, -1, depth)
    planes = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(rows, dtype.itemsize, columns * depth)
    joined = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(dtype.newbyteorder(">"))
    return joined.reshape(shape).astype(dtype)


def float_bytes(values: NDArray[Any]) -> bytes:
    """The inverse of `floats`."""
    rows, columns, depth = values.shape
    apart = values.astype(values.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, columns * depth, -1)
    planes = np.ascontiguousarray(apart.transpose(0, 2, 1)).reshape(rows, -1, depth)
    steps = planes.copy()
    steps[:, 1:] -= planes[:, :-1]
    return steps.tobytes()
