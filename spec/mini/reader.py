"""A reader of ``.ccf`` files in plain Python and numpy, written from the text of ``spec/``: ``python spec/mini/reader.py FILE.ccf``.

It reads the container and stored payloads, with ``canonical.py``, ``crc.py`` and ``folded.py`` beside it. The codecs have files
beside it: ``classic.py``, and one for each of the learned ones, which build on ``entropy.py`` and ``exact.py``. Some codecs take a
library (zstandard, Pillow, imagecodecs); without it, such files are refused. So does XXH3 (xxhash); without it, digests are not
compared.
"""

import hashlib
import lzma
import math
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import ar
import arrays
import bbans
import canonical
import classic
import exact
import folded
import hvae
import idf
import inr
import lbb
import rec
import stack
from crc import crc32c
from refused import Refused, library, require

SIGNATURE = b"\x89CCF\r\n\x1a\n"
CHUNK, MODEL, PACKED = 1, 2, 3
KINDS = {CHUNK: (1, 48), MODEL: (2, 60), PACKED: (1, 68)}  # flags, length of the head
INCOMPLETE, GRID = 1, 4
DTYPES = {f"{kind}{8 << i}" for kind in ("int", "uint") for i in range(4)}
DTYPES |= {"bool", "float16", "float32", "float64", "complex64", "complex128"}
HEADER_BYTES, INDEX_BYTES, ENTRIES, CHUNKS, ARRAY_BYTES, CHUNK_BYTES = (1 << n for n in (26, 30, 20, 26, 36, 31))
MODEL_BYTES = 1 << 30


def little_endian(array):
    """The bytes of an array as a file holds them; numpy puts arrays together in the byte order of the machine."""
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def same_digest(data, due):
    try:
        return library("xxhash").xxh3_128_digest(data) == due
    except Refused:
        return True


# --- the container -------------------------------------------------------------------------------


def values(found, kinds, what):
    """Values of a list, or of a map with just these keys, each of just this type."""
    if type(kinds) is dict:
        require(type(found) is dict and sorted(found) == sorted(kinds), "format", f"{what} has other keys")
        found, kinds = [found[key] for key in kinds], list(kinds.values())
    require(type(found) is list and len(found) == len(kinds), "format", f"{what} has {len(kinds)} values")
    for v, kind in zip(found, kinds, strict=True):
        require(type(v) in (kind if type(kind) is tuple else (kind,)), "format", f"{what} has a value of another type")
    return found


def holds_bytes(v):
    return type(v) is bytes or any(map(holds_bytes, v.values() if type(v) is dict else v if type(v) is list else []))


class Entry:
    def __init__(self, found, codecs, grids):
        found = values(found, [str, str, list, (int, list) if grids else int, int, dict], "an entry")
        self.name, self.dtype, shape, step, self.number, self.attrs = found
        require(self.dtype in DTYPES and len(shape) <= 32, "format", "an unknown dtype, or more than 32 axes")
        require(all(type(n) is int and n >= 0 for n in shape), "format", "a length that is no natural number")
        require(0 <= self.number < len(codecs), "format", "a codec out of range")
        self.shape, size, self.grid = tuple(shape), np.dtype(self.dtype).itemsize, type(step) is list
        self.steps = self.grid_steps(step) if self.grid else self.first_steps(step)
        require(math.prod(max(n, 1) for n in shape) * size < 1 << 63, "format", "a shape too large")
        self.config, self.codec, self.model, _, self.version = codecs[self.number]
        self.counts = [-(-n // step) for n, step in zip(shape, self.steps, strict=False)]
        self.chunks = math.prod(self.counts)
        require(self.chunks <= 1 << 32, "format", "too many chunks")
        require(self.chunks <= CHUNKS and math.prod(shape) * size <= ARRAY_BYTES, "limit", "an array too large")
        require(not self.chunks or math.prod(self.chunk_shape(0)) * size <= CHUNK_BYTES, "limit", "a chunk too large")

    def first_steps(self, step):
        require(1 <= step < 1 << 63, "format", "a chunk out of range")
        return [step] if self.shape else []

    def grid_steps(self, steps):
        """Lengths of chunks along all axes."""
        good = len(steps) == len(self.shape) and all(type(n) is int for n in steps)
        require(good, "format", "a grid of other axes")
        good = all(1 <= step <= max(1, n) for step, n in zip(steps, self.shape, strict=True))
        require(good and any(map(int.__lt__, steps[1:], self.shape[1:])), "format", "a grid out of range")
        return steps

    def place(self, i):
        """Where a chunk lies in the array, along the axes that are cut."""
        found = []
        for axis in reversed(range(len(self.steps))):
            i, at = divmod(i, self.counts[axis])
            start = at * self.steps[axis]
            found.insert(0, slice(start, min(start + self.steps[axis], self.shape[axis])))
        return tuple(found)

    def chunk_shape(self, i):
        place = self.place(i)
        return (*(one.stop - one.start for one in place), *self.shape[len(place) :])


def parse_header(data, grids):
    kinds = {"attrs": dict, "codecs": list, "entries": list, "models": list}
    try:
        _, codecs, entries, models = values(canonical.unpack(data, "entries"), kinds, "the header")
    except canonical.Malformed as error:
        raise Refused("format", str(error)) from error
    require(len(entries) <= ENTRIES, "limit", "too many entries")
    models = [values(m, {"name": str, "sha256": bytes}, "a model")[1] for m in models]
    require(all(len(sha) == 32 for sha in models), "format", "a SHA-256 of another length")
    require(models == sorted(set(models)), "format", "models that are not distinct and in order")
    record = {"config": dict, "id": str, "model": (int, type(None)), "package": str, "version": int}
    codecs = [values(c, record, "a codec") for c in codecs]
    for config, codec, model, _, version in codecs:
        require(codec and 0 <= version < 1 << 32 and not holds_bytes(config), "format", "a codec out of range")
        require(model is None or 0 <= model < len(models), "format", "a codec with a model that is not there")
    entries = [Entry(e, codecs, grids) for e in entries]
    require(grids == any(e.grid for e in entries), "format", "a bit for grids, and none of them")
    used = list(dict.fromkeys(e.number for e in entries))
    distinct = len(set(map(repr, codecs))) == len(codecs)
    require(distinct and used == list(range(len(codecs))), "format", "codecs twice, or not in the order of their use")
    names = {e.name for e in entries}
    distinct = len(names) == len(entries) and ("" not in names or len(names) == 1)
    require(distinct, "format", "names that are not distinct")
    return entries, models


def check_kind(kind, flags, length):
    require(flags < 4 and length >= 24, "format", "flags or a length of a head that no frame has")
    require(kind not in KINDS or (flags, length) == KINDS[kind], "format", "a frame with flags of another type")
    require(kind in KINDS or not flags & 1, "unsupported-feature", f"a critical frame of the unknown type {kind}")


def parse_head(data, at):
    """Type, length of the head, stored bytes, CRC of the payload, fields of the type; None where no frame starts."""
    if at + 24 > len(data) or data[at : at + 4] != b"\x89CFr":
        return None
    kind, flags, length, stored, crc = struct.unpack_from("<BBHQI", data, at + 4)
    head = data[at : at + length]
    if length < 24 or len(head) < length or crc32c(head[:-4]).to_bytes(4, "little") != head[-4:]:
        return None
    check_kind(kind, flags, length)
    return kind, length, stored, crc, head[20:-4]


def unpacked(payload, length):
    """A model that is compressed."""
    require(length <= MODEL_BYTES, "limit", "a model too large")
    require(len(payload) < length, "format", "a compressed model that is no shorter")
    try:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, 68 << 20)
        data = stream.decompress(payload, length + 1)
    except lzma.LZMAError as error:
        raise Refused("format", str(error)) from error
    require(stream.eof and not stream.unused_data and len(data) == length, "format", "no .xz file of its length")
    return data


class File:
    """A container in memory."""

    def __init__(self, data):
        data = folded.unfold(data, parse_header) if data.startswith(folded.SIGNATURE) else data
        self.data, start = data, data[:8]
        require(start == SIGNATURE or SIGNATURE.startswith(start), "not-a-container", f"it starts with {start.hex()}")
        require(len(data) >= 32, "truncated", "it ends inside the preamble")
        major, _, incompat, _, length, crc, self.crc = struct.unpack_from("<HHIIIII", data, 8)
        require(crc32c(data[:28]) == self.crc, "corrupt", "the preamble is damaged")
        known = major == 1 and not incompat & ~(INCOMPLETE | GRID)
        require(known, "unsupported-feature", f"version {major}, bits {incompat:#x}")
        require(length <= HEADER_BYTES, "limit", "the header is too long")
        self.start = 32 + length
        require(self.start <= len(data), "truncated", "it ends inside the header")
        require(crc32c(data[32 : self.start]) == crc, "corrupt", "the header is damaged")
        self.entries, self.models = parse_header(data[32 : self.start], bool(incompat & GRID))
        self.places, self.embedded = {}, {}
        self.read_index(*self.find_index())
        whole = sum(e.chunks for e in self.entries) == len(self.places)
        require(whole or incompat & INCOMPLETE, "format", "chunks are missing")

    def find_index(self):
        size, trailer = len(self.data), self.data[-44:]
        if trailer[36:] != SIGNATURE[::-1] or crc32c(trailer[:32]).to_bytes(4, "little") != trailer[32:36]:
            self.no_trailer()
        offset, length, file_length, crc, preamble_crc = struct.unpack_from("<QQQII", trailer)
        require(file_length <= size, "truncated", f"it is {size} bytes of {file_length}")
        ends = file_length == offset + length + 44 == size
        require(ends and preamble_crc == self.crc, "corrupt", "a trailer of another file")
        require(length <= INDEX_BYTES, "limit", "the index is too long")
        index = self.data[offset : offset + length]
        require(crc32c(index) == crc, "corrupt", "the index is damaged")
        return index, offset

    def no_trailer(self):
        at, size = self.start, len(self.data)
        while (head := parse_head(self.data, at)) and at + head[1] + head[2] <= size:
            at += head[1] + head[2]
        whole = self.data[at : at + 4] == b"\x89CIx" and at + 16 <= size
        if whole:
            length, count = struct.unpack_from("<IQ", self.data, at + 4)
            whole = at + 16 + length * count + 44 <= size
        raise Refused("corrupt" if whole else "truncated", "there is no trailer at its end")

    def read_index(self, index, end):
        require(len(index) >= 16 and index[:4] == b"\x89CIx", "format", "no index")
        length, count = struct.unpack_from("<IQ", index, 4)
        require(length == 20 and 16 + 20 * count == len(index), "format", "an index of another length")
        at = self.start
        for kind, flags, head, number, i, stored in struct.iter_unpack("<BBHIIQ", index[16:]):
            check_kind(kind, flags, head)
            if kind == CHUNK:
                known = number < len(self.entries) and i < self.entries[number].chunks
                require(known and (number, i) not in self.places, "format", "a chunk that is not there, or twice")
                self.places[number, i] = at, head, stored
            if kind in (MODEL, PACKED):
                known = number < len(self.models) and i == 0 and not self.places
                require(known and number not in self.embedded, "format", "a model unknown, twice, or after a chunk")
                self.embedded[number] = kind, (at, head, stored)
            at += head + stored
        require(at == end, "format", "frames that do not end where the index starts")
        require(all(place[2] <= CHUNK_BYTES for place in self.places.values()), "limit", "a payload too long")

    def frame(self, place, kind, start):
        """Payload of a frame, and what its fields hold after the bytes `start`."""
        (at, length, stored), head = place, parse_head(self.data, place[0])
        same = head and head[:3] == (kind, length, stored) and head[4].startswith(start)
        payload = self.data[at + length : at + length + stored]
        require(same and crc32c(payload) == head[3], "corrupt", f"the frame at offset {at} is damaged")
        return payload, head[4][len(start) :]

    def model(self, number):
        require(number in self.embedded, "model-not-found", "the model is not embedded")
        kind, place = self.embedded[number]
        payload, fields = self.frame(place, kind, struct.pack("<I", number))
        require(fields[:32] == self.models[number], "corrupt", "a frame of another model")
        if kind == PACKED:
            payload = unpacked(payload, int.from_bytes(fields[32:], "little"))
        same = fields[:32] == hashlib.sha256(payload).digest()
        require(same, "corrupt", "a model of another SHA-256")
        return payload

    def chunk(self, number, i):
        """A decoded chunk."""
        entry = self.entries[number]
        require((number, i) in self.places, "missing-chunk", f"chunk {i} of entry {entry.name!r} is missing")
        payload, due = self.frame(self.places[number, i], CHUNK, struct.pack("<II", number, i))
        array = decode(self, entry, payload, entry.chunk_shape(i))
        require(same_digest(little_endian(array), due), "decode-mismatch", f"chunk {i} of entry {entry.name!r}")
        return array

    def array(self, number):
        """A decoded entry."""
        entry = self.entries[number]
        array = np.empty(entry.shape, entry.dtype)
        for i in range(entry.chunks):
            array[entry.place(i)] = self.chunk(number, i)
        return array


# --- codecs --------------------------------------------------------------------------------------


def decode(file, entry, payload, shape):
    name, dtype = entry.codec.removeprefix("classic."), np.dtype(entry.dtype).newbyteorder("<")
    require(
        entry.codec in {*LEARNED, *UNTRAINED, "inr.coin"} or (name in classic.NAMES and name != entry.codec),
        "unknown-codec",
        entry.codec,
    )
    first = name in STORES_FIRST or entry.codec in UNTRAINED
    newest = {"ar.array": 4, "ar.bounded": 3, "ar.image": 5, "bbans.vae": 3, "bbans.hvae": 3, "rec.vae": 3}
    newest = newest.get(name, 1 if first or name in ("raw", "jpeg") else 2)
    stores = entry.version >= 2 or first
    require(1 <= entry.version <= newest, "unsupported-feature", f"version {entry.version} of {entry.codec}")
    size = -(-math.prod(shape) // 8) if entry.dtype == "bool" else math.prod(shape) * dtype.itemsize
    require(not stores or len(payload) <= size, "corrupt", f"{len(payload)} bytes for values of {size}")
    try:
        if stores and len(payload) == size:
            array = stored(payload, entry.dtype, math.prod(shape))
        elif entry.codec == "inr.coin":
            array = inr.decode_coin(payload, shape, entry.dtype, entry.config)
        elif entry.codec in UNTRAINED:
            profile = []
            if entry.model is not None:
                model = exact.parse_model(file.model(entry.model))
                exact.check(model[0] == entry.codec == "ar.array", "the model of another codec")
                exact.check(model[1].get("version") == 2, "another version of profiles")
                profile = [model[2]]
            array = UNTRAINED[entry.codec](payload, shape, entry.dtype, *profile)
        elif entry.codec in LEARNED:
            require(entry.model is not None, "model", "a codec without its model")
            model = exact.parse_model(file.model(entry.model))
            exact.check(model[0] == MODELS_OF.get(entry.codec, entry.codec), "the model of another codec")
            versions = {"version": entry.version} if name in ("ar.image", "bbans.hvae", "bbans.vae", "rec.vae") else {}
            array = LEARNED[entry.codec](model, entry.config, payload, shape, entry.dtype, **versions)
        else:
            array = classic.decode(name, entry.version, entry.config, payload, shape, dtype)
    except exact.Unfit as error:
        raise Refused("model", str(error)) from error
    except ImportError as error:
        raise Refused("missing", str(error)) from error
    except Refused:
        raise
    except Exception as error:  # Corrupt, Exhausted, and what libraries raise
        raise Refused("corrupt", f"{type(error).__name__}: {error}") from error
    return array.astype(dtype).reshape(shape)


def stored(payload, dtype, count):
    if dtype != "bool":
        return np.frombuffer(payload, np.dtype(dtype).newbyteorder("<"))
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), bitorder="little")
    require(not bits[count:].any(), "corrupt", "bits behind the last boolean")
    return bits[:count]


LEARNED = {"ar.image": ar.decode, "bbans.vae": bbans.decode, "idf.image": idf.decode, "lbb.flow": lbb.decode}
LEARNED |= {"ar.stack": stack.decode, "bbans.hvae": hvae.decode, "inr.image": inr.decode}
LEARNED |= {"inr.sound": inr.decode_sound}
UNTRAINED = {"ar.array": arrays.decode, "ar.bounded": arrays.decode, "rec.weights": rec.decode_weights}
LEARNED |= {"rec.vae": rec.decode, "rec.vae-lossless": rec.decode, "rec.vae-latents": rec.decode_latents}
LEARNED |= {"bbans.hvae-lossy": hvae.decode_lossy}
#: Codecs that take the models of another; and those, without those of `UNTRAINED`, that store from version 1 on.
MODELS_OF = {"bbans.hvae-lossy": "bbans.hvae", "rec.vae-latents": "rec.vae-lossless"}
STORES_FIRST = {
    "filtered",
    "pcodec",
    "ar.stack",
    "bbans.hvae",
    "bbans.hvae-lossy",
    "rec.vae-latents",
    "inr.image",
    "inr.sound",
    "inr.coin",
}


# --- files ---------------------------------------------------------------------------------------


def read(data):
    """Every array of a file by its name; embedded models that no array needs are looked at too."""
    file = File(data)
    for number in file.embedded:
        file.model(number)
    return {entry.name: file.array(i) for i, entry in enumerate(file.entries)}


if __name__ == "__main__":
    for name, array in read(Path(sys.argv[1]).read_bytes()).items():
        print(name, array.dtype, array.shape, hashlib.sha256(little_endian(array)).hexdigest())
