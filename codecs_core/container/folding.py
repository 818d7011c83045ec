"""Small files are folded: what can be computed again is left out, and computed again before they are read.

A container takes some 270 bytes beside the payload of a single chunk; folded, it takes about 35.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from codecs_core.container import layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.frame import ChunkHead, ModelHead, kind_of
from codecs_core.container.header import Header
from codecs_core.container.index import IndexBuilder
from codecs_core.container.preamble import Preamble
from codecs_core.container.source import Memory
from codecs_core.container.trailer import Trailer
from codecs_core.container.walk import scan
from codecs_core.errors import CorruptDataError, FormatError, InputError, TruncatedFileError, UnsupportedFeatureError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codecs_core.container.source import Source
    from codecs_core.limits import Limits

#: Bytes of a container that may be folded: one block of most disks and file systems, which is damaged or lost as a whole.
LARGEST = 1 << 12
#: Deflate without a head or a checksum of its own.
_RAW = -15
#: Signature, features, one byte of a header, CRC.
_SHORTEST = len(layout.FOLDED) + 1 + 1 + layout.CRC.size
#: A number takes seven bits a byte, the lowest first, of 64.
_NUMBER_BYTES = 10

_AGAIN = "get the file again from where it came from"


def fold(file: bytes, *, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """The folded form of a container.

    Parameters
    ----------
    file
        A whole container.
    limits
        Those that it was written within.

    Returns
    -------
    bytes or None
        None if it has none: it is larger than `LARGEST`, incomplete, has its frames in another order or others than the header
        asks for, or would not be shorter.
    """
    if len(file) > LARGEST:
        return None
    found = scan(Memory(file), limits=limits)
    if found.preamble.incompat & layout.INCOMPLETE:
        return None
    models = [(f, f.head) for f in found.frames if isinstance(f.head, ModelHead)]
    chunks = [(f, f.head) for f in found.frames if isinstance(f.head, ChunkHead)]
    kinds = {head.model: kind_of(head) for _, head in models}
    lengths = [head.length for _, head in models if head.length is not None]
    lengths += [f.head.stored for f, _ in (*models, *chunks)][:-1]
    folded = b"".join(
        [
            layout.FOLDED,
            bytes([found.header.entries.grid * layout.GRID]),
            _deflated(found.header.data),
            bytes(kinds.get(i, 0) for i in range(len(found.header.models))),
            *(head.digest for _, head in chunks),
            *map(_packed, lengths),
            *(file[f.payload_offset : f.end] for f, _ in (*models, *chunks)),
        ]
    )
    folded += layout.CRC.pack(crc32c(folded))
    return folded if len(folded) < len(file) and unfold(folded, limits=limits) == file else None


def unfold(data: bytes, *, limits: Limits = DEFAULT_LIMITS, where: str = "the folded file") -> bytes:
    """The container that a folded file stands for: the inverse of `fold`.

    Parameters
    ----------
    data
        The whole file, which starts with `layout.FOLDED`.
    limits
        Caps on what it may ask for; it never takes more than `LARGEST` and what a header of this size does.
    where
        What the file is called in messages.

    Raises
    ------
    TruncatedFileError, CorruptDataError, UnsupportedFeatureError, FormatError, LimitExceededError
        If it is not what a writer makes of a container, but for how its header is compressed.
    """
    features = _checked(data, where)
    try:
        packed, at = _inflated(data)
        header = Header.from_bytes(packed, limits, grid=bool(features & layout.GRID))
    except FormatError as error:
        raise error.at(f"the header of {where}") from error
    parts = _Parts(data[at : -layout.CRC.size], where)
    kinds = parts.take(len(header.models))
    if not set(kinds) <= {0, layout.MODEL, layout.PACKED}:
        raise FormatError(
            f"{where} has models of the types {list(kinds)}; expected 0, {layout.MODEL} or {layout.PACKED}"
        )
    counts = header.entries.chunks.tolist()
    held = parts.take(sum(counts) * layout.DIGEST)  # before memory goes by what the header claims
    digests = [held[i : i + layout.DIGEST] for i in range(0, len(held), layout.DIGEST)]
    models = [model for model, kind in enumerate(kinds) if kind]
    chunks = [(entry, chunk) for entry, count in enumerate(counts) for chunk in range(count)]
    lengths = {model: parts.number() for model in models if kinds[model] == layout.PACKED}
    payloads = parts.payloads(len(models) + len(chunks))
    heads: list[ChunkHead | ModelHead] = []
    for model, payload in zip(models, payloads, strict=False):
        sha256, length = bytes.fromhex(header.models[model][0]), lengths.get(model)
        heads.append(ModelHead(stored=len(payload), crc=crc32c(payload), model=model, sha256=sha256, length=length))
    for (entry, chunk), payload, digest in zip(chunks, payloads[len(models) :], digests, strict=True):
        heads.append(ChunkHead(stored=len(payload), crc=crc32c(payload), entry=entry, chunk=chunk, digest=digest))
    file = _joined(header, heads, payloads)
    if len(file) > LARGEST:
        raise FormatError(f"{where} stands for a container of {len(file)} bytes; expected at most {LARGEST}")
    return file


def header_end(data: bytes) -> int:
    """Where the header of a folded file ends, which is in order."""
    return _inflated(data)[1]


class Unfolded(Memory):
    """A folded file as the container that it stands for.

    Parameters
    ----------
    source
        The folded file.
    start
        What was read of it already.
    limits
        As for `unfold`.

    Attributes
    ----------
    header, folded
        Bytes of the folded file up to the end of its header, and all of them.
    """

    def __init__(self, source: Source, start: bytes, limits: Limits) -> None:
        most = min(source.size, LARGEST + 1)
        data = start if len(start) >= most else source.read_at(0, most)
        super().__init__(unfold(data, limits=limits, where=str(source)), source.path)
        self.header, self.folded = header_end(data), len(data)
        self.stamp = getattr(source, "stamp", "")
        self._source, self._closed = source, False

    def read_at(self, offset: int, n: int) -> bytes:
        """Read `n` bytes from `offset` on; fewer only where the container ends."""
        if self._closed:
            raise InputError(f"{self} is closed; open it again to read from it")
        return super().read_at(offset, n)

    def close(self) -> None:
        """Close the folded file."""
        self._closed = True
        self._source.close()

    def __str__(self) -> str:
        return str(self._source)


def unfolded(source: Source, start: bytes, limits: Limits) -> Source:
    """The source itself; if it is a folded file, the container that it stands for. `start` is what was read of it."""
    return Unfolded(source, start, limits) if start.startswith(layout.FOLDED) else source


def _checked(data: bytes, where: str) -> int:
    """The features of a folded file, once its length and its checksum are in order."""
    if len(data) < _SHORTEST:
        raise TruncatedFileError(f"{where} ends after {len(data)} bytes, inside a folded container; {_AGAIN}")
    if len(data) > LARGEST:
        raise CorruptDataError(
            f"{where} starts as a folded container, which has at most {LARGEST} bytes, and is longer: "
            f"cut off what follows its end, or {_AGAIN}"
        )
    body, (crc,) = data[: -layout.CRC.size], layout.CRC.unpack(data[-layout.CRC.size :])
    found = crc32c(body)
    if found != crc:
        raise CorruptDataError(
            f"{where} is damaged, cut short, or goes on behind its end: the CRC32C of its {len(body)} bytes is {found:08x}, "
            f"expected {crc:08x}; a folded container has only this one, and nothing of it can be recovered; {_AGAIN}"
        )
    features = data[len(layout.FOLDED)]
    unknown = features & ~layout.GRID
    if unknown:
        bits = ", ".join(str(i) for i in range(8) if unknown >> i & 1)
        raise UnsupportedFeatureError(
            f"{where} needs format features this reader does not know (bit {bits} of a folded container); "
            f"upgrade codecs-core to read it"
        )
    return features


class _Parts:
    """What follows the header, from front to back."""

    def __init__(self, data: bytes, where: str) -> None:
        self._data, self._at, self._where = data, 0, where

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        start, self._at = self._at, self._at + n
        if self._at > len(self._data):
            raise FormatError(
                f"{self._where} has {len(self._data)} bytes behind its header, too few for what that says"
            )
        return self._data[start : self._at]

    def number(self) -> int:
        """The next number: seven bits a byte, the lowest first; the eighth says that more follow."""
        value = 0
        for i in range(_NUMBER_BYTES):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                if value >> 64 or (i and not byte):
                    break
                return value
        raise FormatError(f"{self._where} has a number of more than 64 bits, or one longer than it needs to be")

    def payloads(self, n: int) -> list[bytes]:
        """The last `n` parts: the lengths of all but one, then the parts, which take what is left."""
        lengths = [self.number() for _ in range(n - 1)]
        if n:
            lengths.append(max(0, len(self._data) - self._at - sum(lengths)))
        found = [self.take(length) for length in lengths]
        if self._at < len(self._data):
            raise FormatError(f"{self._where} has {len(self._data) - self._at} bytes behind what its header says")
        return found


def _joined(header: Header, heads: Sequence[ChunkHead | ModelHead], payloads: Sequence[bytes]) -> bytes:
    """The container of these frames."""
    preamble, index = Preamble.of(header).to_bytes(), IndexBuilder()
    parts = [preamble, header.data]
    for head, payload in zip(heads, payloads, strict=True):
        index.add(head)
        parts += [head.to_bytes(), payload]
    file, ending = b"".join(parts), index.to_bytes()
    return file + ending + Trailer.of(ending, len(file), preamble).to_bytes()


@cache
def _dictionary() -> bytes:
    """The same file as `spec/folding.dict`; it never changes."""
    return Path(__file__).with_suffix(".dict").read_bytes()


def _deflated(header: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, _RAW, 9, zlib.Z_DEFAULT_STRATEGY, _dictionary())
    return stream.compress(header) + stream.flush()


def _inflated(data: bytes) -> tuple[bytes, int]:
    """The header, and where it ends in the folded file."""
    start, end = len(layout.FOLDED) + 1, len(data) - layout.CRC.size
    stream = zlib.decompressobj(_RAW, _dictionary())
    try:
        header = stream.decompress(data[start:end], LARGEST)
    except zlib.error as error:
        raise FormatError(f"it cannot be decompressed: {error}") from error
    if not stream.eof:
        raise FormatError(f"it has more than {LARGEST} bytes, or no end")
    return header, end - len(stream.unused_data)


def _packed(number: int) -> bytes:
    """A number as `_Parts.number` reads it."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
