"""Caps on what a file may make the reader allocate. They come from the caller, never from the file."""

from __future__ import annotations

from dataclasses import dataclass

from codecs_core.errors import LimitExceededError

#: Stored bytes that any chunk is taken to have at least: one of a single value is next to nothing in a good codec.
_FREE = 64


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds a reader enforces before it allocates.

    Parameters
    ----------
    header_bytes, index_bytes
        Stored size of the header and of the index of a container.
    chunk_bytes
        Size of one chunk after decoding; also of one stored payload.
    array_bytes
        Size of one whole array after decoding.
    model_bytes
        Size of one model.
    entries, chunks
        Number of entries in a file, and of chunks in an entry.
    values_per_byte
        Values that one stored byte of a chunk may stand for; fewer than 64 bytes count as 64. A decoder takes time for each
        value, so that a small file that claims much keeps a machine busy for hours. The default only stops what is no real
        file: a black image of 512 x 512 in colour is 11 bytes of ``ar.image``. A service that decodes the files of strangers
        sets it to what its data has; photographs have 1 to 3 values a byte, documents and masks up to some hundreds.
    """

    header_bytes: int = 1 << 26
    index_bytes: int = 1 << 30
    chunk_bytes: int = 1 << 31
    array_bytes: int = 1 << 36
    model_bytes: int = 1 << 30
    entries: int = 1 << 20
    chunks: int = 1 << 26
    values_per_byte: int = 1 << 24

    def check(self, name: str, value: int, where: str) -> None:
        """Raise `LimitExceededError` if `value` exceeds the limit called `name`."""
        cap: int = getattr(self, name)
        if value > cap:
            raise LimitExceededError(
                f"{where} asks for {value} {name.replace('_', ' ')}, over the limit of {cap}; "
                f"if you trust it, raise Limits({name}=...) (--limit {name}=...)"
            )

    def check_claim(self, values: int, stored: int, where: str) -> None:
        """Raise `LimitExceededError` if the stored bytes are too few for the number of values."""
        self.check("values_per_byte", -(-values // max(_FREE, stored)), where)


DEFAULT_LIMITS = Limits()
