"""Containers in memory: built by the writer, or forged field by field with every checksum right."""

import hashlib
import io

import msgpack
import numpy as np
import pytest

from codecs_core.arrays import ArraySpec
from codecs_core.container import Entry, Reader, Writer, digest, layout
from codecs_core.container.checksum import crc32c
from codecs_core.container.trailer import Trailer

MODEL = b"weights" * 9
SHA = hashlib.sha256(MODEL).hexdigest()


class Memory:
    """A source that notes what is read."""

    path = "memory"

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, n: int) -> bytes:
        self.reads.append((offset, n))
        return self.data[offset : offset + n]

    def close(self) -> None:
        pass

    def __str__(self) -> str:
        return "'memory'"


def encode(array):
    """A stand-in for a codec: the bytes of the array, reversed."""
    return array.tobytes()[::-1]


def build(arrays, *, chunk=2, models=None, embed=(), attrs=None, **fields):
    """Bytes of a container that holds `arrays`, a dict of name to array."""
    fields = {"codec": "test.reverse", **fields}
    entries = [Entry(name=name, spec=ArraySpec.of(a), chunk=chunk, **fields) for name, a in arrays.items()]
    file = io.BytesIO()
    writer = Writer(file, entries, models=models or {}, attrs=attrs or {})
    for data in embed:
        writer.write_model(hashlib.sha256(data).hexdigest(), data)
    for entry in entries:
        for i in range(entry.n_chunks):
            part = arrays[entry.name][entry.chunk_slice(i)]
            writer.write_chunk(entry.name, i, encode(part), digest(part))
    writer.close()
    return file.getvalue()


def read_all(data, **kwargs):
    """Everything a file holds: arrays by name, and embedded models."""
    with Reader(Memory(data), **kwargs) as reader:
        arrays = {}
        for name, entry in reader.entries.items():
            array = np.empty(entry.spec.shape, entry.spec.numpy)
            for i in range(entry.n_chunks):
                payload = reader.payload(name, i)
                part = np.frombuffer(payload[::-1], entry.spec.numpy).reshape(entry.chunk_spec(i).shape)
                assert reader.chunk(name, i)[1] == digest(part)
                assert reader.stored(name, i) == len(payload)
                array[entry.chunk_slice(i)] = part
            arrays[name] = array
        models = {sha256: reader.model(sha256) for sha256 in reader.models}
        return arrays, models, reader


class Forge:
    """The parts of a container, to be changed one by one and joined with checksums that hold."""

    def __init__(self, *, embed=True) -> None:
        self.header = {
            "attrs": {},
            "codecs": [{"config": {}, "id": "test.reverse", "model": 0, "package": "", "version": 1}],
            "entries": [["", "uint8", [3], 2, 0, {}]],
            "models": [{"name": "m", "sha256": bytes.fromhex(SHA)}],
        }
        self.packed = None  # bytes of the header, to have it other than canonical
        self.version = (layout.MAJOR, layout.MINOR)
        self.bits = (0, 0)
        self.frames = [self.model()] if embed else []
        self.frames += [self.chunk(0, b"ba"), self.chunk(1, b"c")]
        self.records = None  # a function that changes the list of records
        self.trailer = {}
        self.index_head = None
        self.after_index = b""

    @staticmethod
    def head(kind, flags, stored, crc, fields, magic=layout.FRAME_MAGIC):
        body = layout.FRAME.pack(magic, kind, flags, 20 + len(fields) + 4, stored, crc) + fields
        return body + crc32c(body).to_bytes(4, "little")

    def chunk(self, i, payload, *, entry=0, flags=1):
        fields = layout.CHUNK_FIELDS.pack(entry, i, bytes(16))
        return self.head(1, flags, len(payload), crc32c(payload), fields), payload, (entry, i)

    def model(self, payload=MODEL, sha256=SHA, *, number=0):
        raw = bytes.fromhex(sha256)
        fields = layout.MODEL_FIELDS.pack(number, raw)
        return self.head(2, 2, len(payload), crc32c(payload), fields), payload, (number, 0)

    def other(self, kind, flags, payload=b"?"):
        return self.head(kind, flags, len(payload), crc32c(payload), b"12345"), payload, (0, 0)

    def join(self):
        header = self.packed if self.packed is not None else msgpack.packb(self.header)
        preamble = layout.PREAMBLE.pack(layout.SIGNATURE, *self.version, *self.bits, len(header), crc32c(header), 0)[
            :-4
        ]
        preamble += crc32c(preamble).to_bytes(4, "little")
        data = preamble + header
        records = []
        for head, payload, (number, chunk) in self.frames:
            _, kind, flags, length, stored, _ = layout.FRAME.unpack_from(head)
            records.append([kind, flags, length, number, chunk, stored])
            data += head + payload
        if self.records:
            records = self.records(records)
        index = self.index_head or layout.INDEX.pack(layout.INDEX_MAGIC, layout.RECORD.size, len(records))
        index += b"".join(layout.RECORD.pack(*record) for record in records)
        trailer = {
            "index_offset": len(data),
            "index_length": len(index),
            "file_length": len(data) + len(index) + len(self.after_index) + layout.TRAILER.size,
            "index_crc": crc32c(index),
            "preamble_crc": int.from_bytes(preamble[-4:], "little"),
            **self.trailer,
        }
        return data + index + self.after_index + Trailer(**trailer).to_bytes()


@pytest.fixture(scope="session")
def kit():
    """The helpers of this folder, as one namespace."""

    class Kit:
        pass

    for name in ("Memory", "Forge", "build", "encode", "read_all", "MODEL", "SHA"):
        value = globals()[name]
        setattr(Kit, name, staticmethod(value) if callable(value) and not isinstance(value, type) else value)
    return Kit


@pytest.fixture(scope="session")
def small():
    """A small file with all there is: two entries, an embedded model and one only named, attributes."""
    named = "0" * 64
    entries = {"a": np.arange(6, dtype="u2").reshape(3, 2), "β": np.array(2.5)}
    return build(
        entries, models={SHA: "mnist", named: "other"}, embed=[MODEL], attrs={"k": [1, None, b"\0"]}, model=SHA
    )
