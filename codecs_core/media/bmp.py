"""BMP files without compression: all but the pixels is kept as it is, and the file comes back identical to the byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media.source import Source
from codecs_core.media.strips import apart, together
from codecs_core.media.template import cut, join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: Red, green, blue and alpha in the four bytes of a pixel, as bit masks.
_MASKS = (0xFF0000, 0xFF00, 0xFF)
_MASKS_ALPHA = (*_MASKS, 0xFF000000)


@dataclass(frozen=True)
class _Header:
    """What the first bytes of a file say."""

    start: int
    width: int
    height: int
    upwards: bool
    bits: int
    alpha: bool
    palette: bytes

    @classmethod
    def of(cls, head: bytes, name: str) -> _Header:
        if len(head) < 54:
            raise InputError(f"{name} is damaged: it is too short for a BMP file")
        start, size, width, height, _, bits, way = struct.unpack("<10xIIiiHHI", head[:34])
        if size < 40:
            raise InexactError(f"{name} is a BMP file of OS/2, whose palette is another")
        colours = int.from_bytes(head[46:50], "little") or (1 << bits if bits <= 8 else 0)
        if start < max(54, 14 + size + 4 * colours * (bits <= 8)):
            raise InputError(f"{name} is damaged: its pixels begin at byte {start}, within its header")
        masks = struct.unpack("<IIII", head[54:70]) if len(head) >= 70 else ()
        known = (way == 0 and bits in (1, 4, 8, 24, 32)) or (
            way == 3 and bits == 32 and masks[:3] == _MASKS and (size < 56 or masks[3] in (0, 0xFF000000))
        )
        if not known:
            raise InexactError(f"{name} has {bits} bits a pixel in way {way}, which no array keeps as they are")
        if width < 1 or height == 0:
            raise InputError(f"{name} is damaged: {height} rows and {width} columns")
        table = np.frombuffer(head[14 + size : min(start, 14 + size + 4 * colours)], np.uint8)
        palette = table[: len(table) // 4 * 4].reshape(-1, 4)[:, 2::-1].tobytes() if bits <= 8 else b""
        alpha = way == 3 and size >= 56 and masks == _MASKS_ALPHA
        return cls(start, width, abs(height), height > 0, bits, alpha, palette)

    @property
    def stride(self) -> int:
        """Bytes of a row: whole words of four."""
        return -(-self.width * self.bits // 32) * 4

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.height, self.width, *([self.bits // 8] if self.bits > 8 else []))

    @property
    def mode(self) -> str:
        """Pillow's word for the pixels."""
        if self.bits > 8:
            return "RGB" if self.bits == 24 else "RGBA" if self.alpha else "RGBX"
        grey = bytes(np.repeat(np.arange(256, dtype=np.uint8), 3))
        return "L" if self.palette == grey else "1" if self.palette == b"\0\0\0\xff\xff\xff" else "P"

    def values(self, data: bytes) -> NDArray[Any]:
        rows = np.frombuffer(data, np.uint8).reshape(self.height, self.stride)
        if self.upwards:
            rows = rows[::-1]
        if self.bits < 8:
            return apart(rows.tobytes(), (self.height, self.stride * 8 // self.bits, 1), self.bits)[:, : self.width, 0]
        pixels = rows[:, : self.width * self.bits // 8].reshape(self.height, self.width, -1)
        return pixels[..., 0] if self.bits == 8 else pixels[..., [2, 1, 0, 3][: self.bits // 8]]

    def bytes(self, array: NDArray[Any]) -> bytes:
        if self.bits > 8:
            array = array[..., [2, 1, 0, 3][: self.bits // 8]]
        packed = together(array[..., None], self.bits) if self.bits < 8 else np.ascontiguousarray(array).tobytes()
        held = np.frombuffer(packed, np.uint8).reshape(self.height, -1)
        rows = np.zeros((self.height, self.stride), np.uint8)
        rows[:, : held.shape[1]] = held
        return (rows[::-1] if self.upwards else rows).tobytes()


def read_bmp(path: Path) -> list[Source]:
    """The pixels of a BMP file, from the top row to the bottom one: indices (H, W), or colours R G B (H, W, 3 or 4).

    Raises
    ------
    InexactError
        For compressed pixels, those of 16 bits, and bytes other than 0 between the rows.
    InputError
        If the file is damaged.
    """
    with path.open("rb") as file:
        header = _Header.of(file.read(2048), str(path))
    template = cut(path, [(header.start, header.height * header.stride)])

    def load() -> NDArray[Any]:
        with path.open("rb") as file:
            file.seek(header.start)
            data = file.read(header.height * header.stride)
        if len(data) != header.height * header.stride:
            raise InputError(f"{path} became shorter while it was read")
        values = header.values(data)
        if header.bytes(values) != data:
            raise InexactError(f"{path} has other bytes than 0 between its rows, which no array keeps")
        return np.ascontiguousarray(values)

    if header.stride * 8 != header.width * header.bits:
        load()
    media: dict[str, Any] = {"format": "BMP", "mode": header.mode, "name": path.name, "template": template}
    if header.mode == "P":
        media["palette"] = header.palette
    spec = ArraySpec(header.shape, "uint8")
    return [Source(name="", path=path, spec=spec, load=load, attrs={"media": media})]


def write_bmp(file: IO[bytes], array: NDArray[Any], media: Mapping[str, Any]) -> None:
    """Write the file that an array came from; raises `OutputError` where it is not of the size that the file says."""
    template = media.get("template")
    try:
        head = template[0] if isinstance(template, list) and template and isinstance(template[0], bytes) else b""
        header = _Header.of(head, "what is kept of the file")
    except InputError as error:
        raise OutputError(f"{error}; write .npy instead") from error
    if array.shape != header.shape or array.dtype != np.uint8 or header.start != len(head):
        raise OutputError(
            f"the file has uint8 of shape {header.shape}, and the array is {array.dtype} of {array.shape}"
        )
    if header.bits < 8 and (array >> header.bits).any():
        raise OutputError(f"the file has {header.bits} bits a pixel, and the array has larger values")
    join(file, template, [header.bytes(array)])
