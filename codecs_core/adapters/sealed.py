"""One chunk outside a container, with the checks that a container makes.

A sealed chunk is the magic ``89 43 43 73``, the version of the codec's payload (32 bits), the xxh3-128 of the decoded array, the
CRC32C of all of this and of what follows, and the payload; integers are little endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from codecs_core.api.saving.chunk import encode
from codecs_core.container import digest
from codecs_core.container.checksum import crc32c
from codecs_core.errors import CorruptDataError, DecodeMismatchError, UnsupportedFeatureError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Codec
    from codecs_core.limits import Limits

MAGIC = b"\x89CCs"
_SEAL = struct.Struct("<4sI16s")
_CRC = struct.Struct("<I")
#: Bytes that a seal adds to a payload.
SIZE = _SEAL.size + _CRC.size


def seal(codec: Codec, array: NDArray[Any], spec: ArraySpec, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Encode one chunk and seal it.

    Raises
    ------
    UnsupportedArrayError
        If the codec cannot take it.
    LimitExceededError
        If `unseal` would not take it.
    """
    where = f"a chunk for codec {codec.id}"
    limits.check("chunk_bytes", spec.nbytes, where)
    payload, check = encode(codec, array, spec, limits=limits)
    limits.check_claim(spec.size, len(payload), where)
    head = _SEAL.pack(MAGIC, codec.format_version, check)
    return head + _CRC.pack(crc32c(head + payload)) + payload


def unseal(codec: Codec, data: bytes, spec: ArraySpec, where: str, *, limits: Limits = DEFAULT_LIMITS) -> NDArray[Any]:
    """Check and decode one chunk.

    Parameters
    ----------
    where
        What it is called in messages.

    Raises
    ------
    CorruptDataError
        If the bytes are damaged, are none of `seal`, or cannot be decoded.
    UnsupportedFeatureError
        If a newer version of the codec wrote them.
    LimitExceededError
        If it is more than `limits` allow.
    DecodeMismatchError
        If the bytes are intact and decode to something else than was encoded.
    """
    if len(data) < SIZE or not data.startswith(MAGIC):
        raise CorruptDataError(f"{where} is {len(data)} bytes that are no chunk of codecs_core")
    _, version, check = _SEAL.unpack_from(data)
    (expected,) = _CRC.unpack_from(data, _SEAL.size)
    payload = data[SIZE:]
    found = crc32c(data[: _SEAL.size] + payload)
    if found != expected:
        raise CorruptDataError(
            f"{where} is damaged: the CRC32C of its {len(data)} bytes is {found:08x}, expected {expected:08x}; "
            f"get it again from where it came from"
        )
    if version > codec.format_version:
        raise UnsupportedFeatureError(
            f"{where} was written by version {version} of codec {codec.id}, and the installed one reads up to version "
            f"{codec.format_version}; upgrade the package that provides it"
        )
    try:
        array = codec.decode(payload, spec, version=version, limits=limits)
    except CorruptDataError as error:
        raise CorruptDataError(f"{where}: {error}") from error
    if digest(array) != check:
        raise DecodeMismatchError(
            f"{where}: the stored bytes are intact, but this machine or this version of codec {codec.id} (payload version "
            f"{version}, installed {codec.format_version}) decodes them to something else than was encoded; do not use the "
            f"result, and report it together with the chunk"
        )
    return array
