"""WAV files of uncompressed samples: RIFF, its big-endian sister RIFX, and RF64 for what is longer than 4 GiB.

Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft, 1991); EBU Tech 3306 for RF64.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.errors import InexactError, InputError, OutputError
from codecs_core.media import span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.media.source import Part, Source

#: The byte order of files that start like this.
ORDERS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: A size that says: see the chunk ``ds64``.
_FAR = 0xFFFFFFFF
#: dtypes of samples, by format and bytes; those of three bytes are taken as they are, and become int32.
_DTYPES = {(_PCM, 1): "u1", (_PCM, 2): "i2", (_PCM, 3): "u1", (_PCM, 4): "i4", (_FLOAT, 4): "f4", (_FLOAT, 8): "f8"}


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What the chunk ``fmt `` says."""

    tag: int
    channels: int
    rate: int
    align: int
    bits: int


def read(path: Path) -> list[Source]:
    """The samples of a WAV file, of shape (samples, channels), or (samples,) where there is one channel.

    Samples of 8 bits are uint8, of 16 int16, of 24 and 32 int32, floats float32 or float64.

    Raises
    ------
    InexactError
        If they are compressed (A-law, ADPCM, MP3), or of another width.
    InputError
        If the file is damaged.
    """
    try:
        with path.open("rb") as file:
            order, form, offset, size = _chunks(path, file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    width = -(-form.bits // 8)
    name = _DTYPES.get((form.tag, width))
    if name is None:
        raise InexactError(
            f"{path} has samples of {form.bits} bits in WAV format {form.tag}; those of format 1 (8, 16, 24 or 32 bits) and 3 "
            "(floats of 32 or 64 bits) are taken"
        )
    if not form.channels or form.align != form.channels * width:
        raise InexactError(
            f"{path} has {form.channels} channels of {form.bits} bits in frames of {form.align} bytes, which do not fit"
        )
    shape = (size // form.align, *([form.channels] if form.channels > 1 else []))
    media: dict[str, Any] = {"rate": form.rate, "bits": form.bits, **({"byteorder": ">"} if order == ">" else {})}
    three = width == 3
    samples = span.Span(
        offset=offset,
        dtype=np.dtype(order + name),
        shape=(*shape, 3) if three else shape,
        media=media,
        natural=ArraySpec(shape, "int32") if three else None,
        load=(lambda values: _widened(values, order)) if three else None,
    )
    return span.sources(path, "WAV", [samples])


def write(path: Path, parts: Sequence[Part]) -> None:
    """Write the WAV file that samples came from, identical to the byte."""
    span.write(path, parts, _raw)


def _chunks(path: Path, file: IO[bytes]) -> tuple[str, _Form, int, int]:
    """Byte order, format, and offset and size of the samples."""
    head = file.read(12)
    if head[:4] not in ORDERS or head[8:] != b"WAVE":
        raise InputError(f"{path} does not start like a WAV file")
    order, total = ORDERS[head[:4]], path.stat().st_size
    form: _Form | None = None
    far = None
    while len(head := file.read(8)) == 8:
        size, start = struct.unpack(order + "I", head[4:])[0], file.tell()
        if head[:4] == b"ds64":
            body = file.read(28)
            far = struct.unpack("<Q", body[8:16])[0] if len(body) == 28 else None
        elif head[:4] == b"fmt ":
            form = _form(path, order, file.read(size if size <= 64 else 64))
        elif head[:4] == b"data":
            size = far if size == _FAR and far is not None else size
            if form is None:
                raise InexactError(f"{path} has samples in front of what says their format")
            if size > total - start:
                raise InputError(f"{path} is cut short: it has {total - start} of {size} bytes of samples")
            return order, form, start, size
        file.seek(start + size + size % 2)
    raise InputError(f"{path} is a WAV file without samples")


def _form(path: Path, order: str, body: bytes) -> _Form:
    if len(body) < 16:
        raise InputError(f"{path} is a WAV file with a format of {len(body)} bytes, and 16 are the least")
    tag, channels, rate, _, align, bits = struct.unpack(order + "HHIIHH", body[:16])
    if tag == _EXTENSIBLE:
        if len(body) < 40:
            raise InputError(f"{path} is a WAV file of the extensible format that does not say which")
        tag = struct.unpack(order + "H", body[24:26])[0]
    return _Form(tag=tag, channels=channels, rate=rate, align=align, bits=bits)


def _widened(values: NDArray[Any], order: str) -> NDArray[Any]:
    """Samples of three bytes, (..., 3), as int32."""
    wide = np.zeros((*values.shape[:-1], 4), np.uint8)
    wide[..., 1:] = values if order == "<" else values[..., ::-1]
    return wide.view("<i4")[..., 0].astype(np.int32) >> 8


def _raw(part: Part) -> Any:
    if part.media.get("bits") not in range(17, 25):
        return span.raw(part)
    values = part.array
    if values.dtype != np.int32 or (values.size and (values.max() >= 1 << 23 or values.min() < -1 << 23)):
        raise OutputError("its samples are not of 24 bits, as they were")
    three = np.ascontiguousarray(values, "<i4").reshape(-1).view(np.uint8).reshape(-1, 4)[:, :3]
    return np.ascontiguousarray(three if part.media.get("byteorder") != ">" else three[:, ::-1]).data
