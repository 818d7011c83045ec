"""Models compressed: an .xz file, which Python's standard library makes and reads."""

from __future__ import annotations

import lzma

from codecs_core.errors import FormatError

#: The window of xz is never larger than this, so that a reader needs no more than this and a little beside the model.
WINDOW = 1 << 26
#: Contexts to choose from: bits of the byte before, and of the place within words of 32 bits.
_CONTEXTS = ({"lc": 3, "lp": 0}, {"lc": 0, "lp": 2})
#: Bytes of a model that say which contexts suit it.
_SAMPLE = 1 << 18


def pack(data: bytes) -> bytes | None:
    """A model as an .xz file; None if that is no shorter."""
    middle = data[max(0, len(data) - _SAMPLE) // 2 :][:_SAMPLE]
    best = min(_CONTEXTS, key=lambda context: len(_compress(middle, context)))
    packed = _compress(data, best)
    return packed if len(packed) < len(data) else None


def unpack(payload: bytes, length: int) -> bytes:
    """Inverse of `pack`, for a model of `length` bytes; no more memory is taken than these, the window, and a little.

    Raises
    ------
    FormatError
        If the payload is anything but one whole .xz file that holds this number of bytes, or is not shorter.
    """
    if len(payload) >= length:
        raise FormatError(f"its {len(payload)} bytes are not fewer than the {length} of the model that they compress")
    stream = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=WINDOW + (1 << 22))
    try:
        data = stream.decompress(payload, length + 1)
    except lzma.LZMAError as error:
        raise FormatError(f"its {len(payload)} bytes are no .xz file that a container holds: {error}") from error
    if len(data) != length or not stream.eof or stream.unused_data:
        raise FormatError(f"its {len(payload)} bytes are not one whole .xz file of {length} bytes")
    return data


def _compress(data: bytes, context: dict[str, int]) -> bytes:
    # a window beyond the data buys nothing
    window = min(WINDOW, max(1 << 12, 1 << (len(data) - 1).bit_length()))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": window, **context}]
    return lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters)
