"""Folded files, written from the text of ``spec/container.md``: the container that one stands for is computed, and read as any other."""

import struct
import zlib
from pathlib import Path

from crc import crc32c
from refused import Refused, require

SIGNATURE, LARGEST, GRID = b"\x89Cf", 4096, 4
MODEL, PACKED = 2, 3
DICTIONARY = Path(__file__).parents[1] / "folding.dict"


def unfold(data, parse_header):
    """The container; `parse_header` gives entries, with their numbers of chunks, and the SHA-256 of models."""
    require(len(data) >= 9, "truncated", "it ends inside a folded container")
    require(len(data) <= LARGEST, "corrupt", "a folded container too long")
    require(crc32c(data[:-4]).to_bytes(4, "little") == data[-4:], "corrupt", "a folded container is damaged")
    features = data[3]
    require(not features & ~GRID, "unsupported-feature", f"bits {features:#x} of a folded container")
    header, rest = inflate(data[4:-4])
    entries, models = parse_header(header, bool(features & GRID))
    count = sum(entry.chunks for entry in entries)
    kinds, rest = rest[: len(models)], rest[len(models) :]
    require(len(kinds) == len(models) and set(kinds) <= {0, MODEL, PACKED}, "format", "kinds of models")
    require(16 * count <= len(rest), "format", "too few digests")
    digests, rest = rest[: 16 * count], rest[16 * count :]
    sizes = {}
    for number, kind in enumerate(kinds):
        if kind == PACKED:
            sizes[number], rest = varint(rest)
    payloads = split(rest, sum(map(bool, kinds)) + count)
    frames = []
    for number, kind in enumerate(kinds):
        if kind:
            fields = struct.pack("<I32s", number, models[number])
            fields += struct.pack("<Q", sizes[number]) if kind == PACKED else b""
            frames.append((kind, {MODEL: 2, PACKED: 1}[kind], number, 0, fields, payloads.pop(0)))
    for number, entry in enumerate(entries):
        for i in range(entry.chunks):
            fields, digests = struct.pack("<II", number, i) + digests[:16], digests[16:]
            frames.append((1, 1, number, i, fields, payloads.pop(0)))
    data = container(header, features, frames)
    require(len(data) <= LARGEST, "format", "the container is too long")
    return data


def inflate(data):
    stream = zlib.decompressobj(-15, DICTIONARY.read_bytes())
    try:
        header = stream.decompress(data, LARGEST)
    except zlib.error as error:
        raise Refused("format", str(error)) from error
    require(stream.eof, "format", "the header is too long, or has no end")
    return header, stream.unused_data


def varint(data):
    """A number, and what follows it."""
    n = next((i for i, byte in enumerate(data[:10]) if byte < 128), 10) + 1
    require(n <= min(10, len(data)), "format", "a number without an end")
    value = sum((byte & 127) << 7 * i for i, byte in enumerate(data[:n]))
    require(value < 1 << 64 and (n == 1 or data[n - 1]), "format", "a number too long")
    return value, data[n:]


def split(data, n):
    """The payloads: lengths of all but the last, then each of them."""
    lengths, found = [], []
    for _ in range(n - 1):
        length, data = varint(data)
        lengths.append(length)
    for length in lengths:
        require(length <= len(data), "format", "a payload beyond the end")
        found.append(data[:length])
        data = data[length:]
    require(n > 0 or not data, "format", "bytes after the header")
    return [*found, data][:n]


def container(header, grid, frames):
    """The bytes of an ordinary file."""

    def sealed(data):
        return data + crc32c(data).to_bytes(4, "little")

    fields = struct.pack("<HHIIII", 1, grid // GRID, grid, 0, len(header), crc32c(header))
    preamble = sealed(b"\x89CCF\r\n\x1a\n" + fields)
    data, records = preamble + header, b""
    for kind, flags, number, i, fields, payload in frames:
        length, stored = 24 + len(fields), len(payload)
        head = struct.pack("<4sBBHQI", b"\x89CFr", kind, flags, length, stored, crc32c(payload))
        data += sealed(head + fields) + payload
        records += struct.pack("<BBHIIQ", kind, flags, length, number, i, stored)
    index = struct.pack("<4sIQ", b"\x89CIx", 20, len(frames)) + records
    size = len(data) + len(index) + 44
    trailer = struct.pack("<QQQI4s", len(data), len(index), size, crc32c(index), preamble[-4:])
    return data + index + sealed(trailer) + b"\n\x1a\n\rFCC\x89"
