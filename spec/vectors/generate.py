"""Write the vectors of whole files: ``python spec/vectors/generate.py`` makes ``valid``, ``unusual``, ``invalid`` and ``manifest.json``.

What stands in the committed files is final once the format is frozen. Payloads of zlib, PNG and the like are as the installed
libraries make them: other versions make other files, which hold the same arrays.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import zstandard
from codecs_ar.codec import ImageCodec
from codecs_ar.stack.testing import random_model as random_stack
from codecs_ar.testing import random_model as random_autoregression
from codecs_bbans.hvae.codec import HierarchicalCodec
from codecs_bbans.testing import EveryNameCodec, OlderHierarchicalCodec, random_hierarchy, random_model
from codecs_idf.testing import random_model as random_flow
from codecs_inr.testing import DrawnCodec, DrawnCoin, DrawnSound
from codecs_inr.testing import random_model as random_field
from codecs_lbb.testing import random_model as random_local_flow
from codecs_rec.lossy.codec import LossyCodec
from codecs_rec.lossy.model import SEARCHED, LossyVAE
from codecs_rec.testing import OlderLossyCodec, random_lossy, random_photograph, random_picture
from codecs_rec.testing import random_model as random_relative
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import DTYPES
from codecs_core.container import Entry, Writer, digest, layout, scan
from codecs_core.container.checksum import crc32c
from codecs_core.container.folding import fold
from codecs_core.container.grid import Chunk
from codecs_core.container.recovery import rescue, survey
from codecs_core.container.trailer import Trailer
from codecs_core.models import Model
from codecs_core.testing import unstored

HERE = Path(__file__).parent
Array = NDArray[Any]
#: What a reader may lack, by the codec: a library, or the codec.
NEEDS = {"classic.zstd": "zstandard", "classic.png": "PNG", "classic.webp": "WebP", "classic.jxl": "JPEG XL"}
NEEDS |= {"classic.jpeg": "JPEG XL", "classic.pcodec": "pcodec"}
NEEDS |= {
    name: name
    for name in (
        "ar.image",
        "ar.stack",
        "bbans.hvae",
        "bbans.hvae-lossy",
        "idf.image",
        "inr.coin",
        "inr.image",
        "inr.sound",
        "lbb.flow",
        "rec.vae",
        "rec.vae-latents",
    )
}
#: Of these, encoders of other versions make other payloads.
FOREIGN = ("zlib", "bz2", "lzma", "zstd", "png", "webp", "jxl", "jpeg", "filtered", "pcodec")
DATA = np.arange(60, dtype=np.uint8).reshape(5, 12)


class Memory:
    """A source of bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]

    def close(self) -> None:
        pass


def xz(data: bytes, **more: Any) -> bytes:
    """An .xz file as a container holds models."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20, **more}]
    return lzma.compress(data, lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters)


def old(codec: str, **config: Any) -> cc.Codec:
    """A codec as it was in version 1, without stored payloads."""
    return unstored(cc.get_codec(codec, **config))


class _FirstVAE(LossyVAE):
    """The best that a long search finds for each block, whatever the effort."""

    def indices(
        self, y: NDArray[np.int64], k: NDArray[np.int64], quality: int, *, search: int, length: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return super().indices(y, k, quality, search=SEARCHED["smallest"] if search else 0, length=length)


@dataclass(frozen=True, kw_only=True)
class FirstLossyCodec(LossyCodec):
    """``rec.vae`` without the last step of its search: as the vectors of payload version 3 were written."""

    @cached_property
    def _vae(self) -> LossyVAE:
        return _FirstVAE(self._own())


@dataclass(frozen=True, kw_only=True)
class Unlevelled(ImageCodec):
    """``ar.image`` as it was up to version 2: its payloads name no level."""

    def _encode(self, chunk: Array) -> bytes:
        return super()._encode(chunk)[1:]


@dataclass(frozen=True, kw_only=True)
class Apart(ImageCodec):
    """``ar.image`` whose planes have messages of their own however few values there are; those of 16 bits are at the level smallest."""

    LEAST_APART = 1

    def _encode(self, chunk: Array) -> bytes:
        return ImageCodec._encode(replace(self, effort="smallest") if chunk.dtype == np.uint16 else self, chunk)


# --- whole files ---------------------------------------------------------------------------------


def build(
    arrays: dict[str, Array],
    codec: str | cc.Codec = "classic.raw",
    *,
    chunk: Chunk = 2,
    chunks: Mapping[str, Chunk] | None = None,
    embed: bool = True,
    reverse: bool = False,
    attrs: dict[str, Any] | None = None,
    change: Callable[[bytes], bytes] = lambda payload: payload,
    seal: Callable[[bytes], bytes] = lambda digest: digest,
    version: int = 1,
    packed: bool = False,
    **config: Any,
) -> bytes:
    """A file of arrays under one codec. `change` and `seal` are given payloads and digests, to have them otherwise."""
    made = cc.get_codec(codec, **config) if isinstance(codec, str) else codec
    made = made if made.stores_from is not None and version >= made.stores_from else unstored(made)
    model = made.model
    entries = [
        Entry(
            name=name,
            spec=cc.ArraySpec.of(array),
            chunk=(chunks or {}).get(name, chunk),
            codec=made.id,
            codec_version=version,
            config=made.config(),
            model=model and model.sha256,
            package="codecs-" + made.id.partition(".")[0],
            attrs=attrs or {},
        )
        for name, array in arrays.items()
    ]
    file = io.BytesIO()
    writer = Writer(file, entries, models={model.sha256: "random"} if model else {}, attrs=attrs or {})
    if model and embed:
        writer.write_model(model.sha256, model.data, xz(model.data) if packed else None)
    chunks = [(entry, i) for entry in entries for i in range(entry.n_chunks)]
    for entry, i in reversed(chunks) if reverse else chunks:
        part = arrays[entry.name][entry.chunk_slice(i)]
        payload = made.encode(part)
        decoded = part if made.info.kind == "lossless" else made.decode(payload, entry.chunk_spec(i))
        writer.write_chunk(entry.name, i, change(payload), seal(digest(decoded)))
    writer.close()
    return file.getvalue()


class Forge:
    """A file of one entry, to be changed part by part and joined with checksums that hold."""

    def __init__(self) -> None:
        self.header: Any = {
            "attrs": {},
            "codecs": [{"config": {}, "id": "classic.raw", "model": None, "package": "", "version": 1}],
            "entries": [["", "uint8", [3], 2, 0, {}]],
            "models": [],
        }
        self.packed: bytes | None = None
        self.version, self.bits = (layout.MAJOR, layout.MINOR), (0, 0)
        self.frames = [self.chunk(0, b"ab"), self.chunk(1, b"c")]
        self.records: Callable[[list[list[int]]], list[list[int]]] = list
        self.index_head: bytes | None = None
        self.trailer: dict[str, int] = {}
        self.between = b""

    def frame(
        self, kind: int, flags: int, fields: bytes, payload: bytes, number: int, chunk: int
    ) -> tuple[bytes, list[int]]:
        body = (
            layout.FRAME.pack(layout.FRAME_MAGIC, kind, flags, 24 + len(fields), len(payload), crc32c(payload)) + fields
        )
        record = [kind, flags, 24 + len(fields), number, chunk, len(payload)]
        return body + layout.CRC.pack(crc32c(body)) + payload, record

    def chunk(self, i: int, payload: bytes, *, entry: int = 0, flags: int = layout.CRITICAL) -> tuple[bytes, list[int]]:
        seal = digest(np.frombuffer(payload, np.uint8))
        return self.frame(layout.CHUNK, flags, layout.CHUNK_FIELDS.pack(entry, i, seal), payload, entry, i)

    def model(self, data: bytes, *, number: int = 0, sha256: bytes | None = None) -> tuple[bytes, list[int]]:
        fields = layout.MODEL_FIELDS.pack(number, sha256 or hashlib.sha256(data).digest())
        return self.frame(layout.MODEL, layout.SAFE_TO_COPY, fields, data, number, 0)

    def packed_model(
        self, data: bytes, payload: bytes, *, length: int | None = None, flags: int = layout.CRITICAL
    ) -> tuple[bytes, list[int]]:
        sha256 = hashlib.sha256(data).digest()
        fields = layout.PACKED_FIELDS.pack(0, sha256, len(data) if length is None else length)
        return self.frame(layout.PACKED, flags, fields, payload, 0, 0)

    def named(self, data: bytes) -> None:
        """Let the entry need a model."""
        self.header["models"] = [{"name": "m", "sha256": hashlib.sha256(data).digest()}]
        self.header["codecs"][0]["model"] = 0

    def join(self) -> bytes:
        header = self.packed if self.packed is not None else msgpack.packb(self.header)
        preamble = layout.PREAMBLE.pack(layout.SIGNATURE, *self.version, *self.bits, len(header), crc32c(header), 0)[
            :-4
        ]
        preamble += layout.CRC.pack(crc32c(preamble))
        data = preamble + header + b"".join(frame for frame, _ in self.frames)
        records = self.records([list(record) for _, record in self.frames])
        index = self.index_head or layout.INDEX.pack(layout.INDEX_MAGIC, layout.RECORD.size, len(records))
        index += b"".join(layout.RECORD.pack(*record) for record in records)
        trailer = {
            "index_offset": len(data),
            "index_length": len(index),
            "file_length": len(data) + len(index) + len(self.between) + layout.TRAILER.size,
            "index_crc": crc32c(index),
            "preamble_crc": int.from_bytes(preamble[-4:], "little"),
        }
        return data + index + self.between + Trailer(**(trailer | self.trailer)).to_bytes()


def forged(**changes: Any) -> bytes:
    forge = Forge()
    for name, value in changes.items():
        setattr(forge, name, value)
    return forge.join()


def with_entry(*values: Any, **more: Any) -> bytes:
    forge = Forge()
    forge.header["entries"] = [list(values)]
    for name, value in more.items():
        setattr(forge, name, value)
    return forge.join()


def flip(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


# --- the vectors ---------------------------------------------------------------------------------


def raw(seed: int, shape: tuple[int, ...], high: int = 256) -> Array:
    """Integers of raw bits, which every numpy draws alike."""
    bits = np.asarray(np.random.Philox(seed).random_raw(int(np.prod(shape)))) >> np.uint64(32)
    return (bits.astype(np.int64) * high >> 32).astype(np.uint8).reshape(shape)


def picture(height: int, width: int, channels: int = 1, dtype: str = "uint8") -> Array:
    y, x, c = np.mgrid[:height, :width, :channels]
    values = (7 * y + 5 * x * (c + 1) + (x * y) % 11).astype(dtype)
    return values[:, :, 0] if channels == 1 else values


def huge(payload: bytes) -> bytes:
    """A payload of `classic.jpeg` whose image says that it has 2^30 rows of as many pixels."""
    at = payload.index(b"\xff\x0a") + 2
    return payload[:at] + ((1 << 1 + 2 + 30 + 3) - 1 & ~1 & ~(6 << 33)).to_bytes(5, "little") + payload[at + 5 :]


def of_dtype(name: str) -> Array:
    if name == "bool":
        return np.array([[True, False, True], [False, False, True]])
    if name.startswith("complex"):
        return np.array([[1 + 2j, -0.0, np.nan], [np.inf, 1e-30j, -5]], name)
    if name.startswith("float"):
        return np.array([[0.1, -0.0, np.nan], [np.inf, -np.inf, 6e-8]], name)
    limits = np.iinfo(name)
    return np.array([[0, limits.min, limits.max], [1, 2, 3]], name)


def valid() -> Iterator[tuple[str, str, bytes, dict[str, Array]]]:
    """Name, feature, file, arrays."""

    def one(
        name: str, feature: str, array: Array, codec: str | cc.Codec, **more: Any
    ) -> tuple[str, str, bytes, dict[str, Array]]:
        return name, feature, build({"": array}, codec, **more), {"": array}

    dtypes = {name: of_dtype(name) for name in sorted(DTYPES)}
    yield "raw", "one entry without a name", *([build({"": DATA})]), {"": DATA}
    yield "dtypes", "an entry of every dtype", build(dtypes), dtypes
    named = {"a/b": DATA, "ä €": DATA[::-1].copy(), "c": np.float64(2.5) * DATA}
    attrs = {"list": [1, -1, 1 << 63, None, True, 0.5], "map": {"é": b"\x00bytes", "z": ""}}
    yield "names", "several entries, their names, attributes", build(named, attrs=attrs), named
    yield "chunks", "a last chunk that is shorter", build({"": DATA}, chunk=4), {"": DATA}
    cube = raw(24, (5, 6, 7)).astype(np.int16) * 3
    yield "grid", "a grid of chunks in two axes and in three, beside an entry without one", *grids(cube)
    for codec in ("zlib", "bz2", "lzma", "zstd"):
        yield one(
            codec, f"classic.{codec}", np.repeat(DATA.astype(np.int32) * 1000, 3, axis=0), f"classic.{codec}", chunk=9
        )
    colours, stack = picture(9, 14, 3), np.stack([picture(6, 7) + i for i in range(8)])
    for codec in ("png", "webp", "jxl"):
        name = f"classic.{codec}"
        yield one(f"{codec}-grey", f"{name}: a grey image", picture(9, 14), name, chunk=9)
        yield one(f"{codec}-colour", f"{name}: an image in colour, in bands", colours, name, chunk=5)
        yield one(f"{codec}-alpha", f"{name}: four channels, some fully transparent", picture(9, 14, 4), name, chunk=9)
        yield one(f"{codec}-stack", f"{name}: a stack as a grid with an empty cell", stack[:7], name, chunk=7)
        yield one(f"{codec}-items", f"{name}: a stack image by image", stack, name, chunk=8, layout="items")
    yield one("png-16", "classic.png: 16 bits", picture(9, 14, dtype="uint16") * 300, "classic.png", chunk=9)
    yield one("jxl-16", "classic.jxl: 16 bits in colour", picture(9, 14, 3, "uint16") * 300, "classic.jxl", chunk=9)
    photo = np.frombuffer((HERE / "picture.jpg").read_bytes(), np.uint8)
    yield one("jpeg", "classic.jpeg: a JPEG file", photo, "classic.jpeg", chunk=len(photo))
    yield one("jpeg-plain", "classic.jpeg: bytes that are no JPEG file", DATA[0], "classic.jpeg", chunk=12)
    for likelihood, high in ("mixture", 256), ("bernoulli", 2):
        codec = cc.get_codec("bbans.vae", model=random_model(likelihood, (4, 3), hidden=8))
        yield one(
            f"bbans-{likelihood}", f"bbans.vae: {likelihood}, model embedded", raw(1, (25, 4, 3), high), codec, chunk=15
        )
        small = cc.get_codec("bbans.vae", model=random_model(likelihood, (4, 3), hidden=8), effort="smallest")
        feature = f"bbans.vae, version 3: {likelihood}, refined posteriors"
        yield one(f"bbans-smallest-{likelihood}", feature, raw(76, (30, 4, 3), high), small, chunk=30, version=3)
    yield one("bbans-bool", "bbans.vae: booleans", raw(2, (6, 4, 3), 2).astype(bool), codec, chunk=6)
    yield one("bbans-batches", "bbans.vae: steps of more than one size", raw(3, (40, 4, 3), 2), codec, chunk=40)
    flow = cc.get_codec("idf.image", model=random_flow(1, width=6))
    yield one("idf", "idf.image: a stack of odd size", raw(4, (2, 7, 9, 1)), flow)
    small = {"features": 3, "width": 4}
    levels = OlderHierarchicalCodec(model=random_hierarchy(3, latents=(2, 1), **small))
    yield one("hvae", "bbans.hvae: a stack of odd size, two levels", 120 + raw(72, (2, 7, 9, 3), 16), levels)
    level = OlderHierarchicalCodec(model=random_hierarchy(1, latents=(2,), **small))
    yield one("hvae-grey", "bbans.hvae: grey, in bands, one level", 120 + raw(73, (25, 19), 16), level, chunk=20)
    local = Unlevelled(model=random_autoregression(3, width=20))
    yield one("ar-alpha", "ar.image: four channels, in bands", raw(5, (7, 6, 4), 90), local, chunk=4)
    grey = Unlevelled(model=random_autoregression(1))
    yield one("ar-16", "ar.image: grey images of 16 bits", raw(6, (2, 9, 5)).astype(np.uint16) * 200, grey)
    quick = cc.get_codec("ar.image", model=random_autoregression(3), effort="fast")
    bands = raw(62, (2, 7, 8, 5)).astype(np.int32) * 999 - 70_000
    yield one("ar-fast", "ar.image: level fast, five bands of wide integers", bands, quick, version=3)
    wide = cc.get_codec("ar.image", model=random_autoregression(3))
    yield one("ar-bands", "ar.image: five bands of wide integers, by networks", bands[:1, :4, :5], wide, version=3)
    colours = (raw(63, (4, 7, 3), 5) * 9 + raw(64, (1, 1, 3)) // 2).astype(np.uint8)
    small = cc.get_codec("ar.image", model=random_autoregression(3), effort="smallest")
    yield one("ar-smallest", "ar.image: level smallest, steps of colours", colours, small, chunk=5, version=3)
    small = cc.get_codec("ar.image", model=random_autoregression(1), effort="smallest")
    slopes = np.add.outer(np.arange(5) * 900, np.arange(7) * 350) + raw(65, (2, 5, 7))
    yield one(
        "ar-smallest-16", "ar.image: level smallest, grey images of 16 bits", slopes.astype(np.uint16), small, version=3
    )
    second = cc.get_codec(
        "ar.image", model=random_autoregression(3, components=1, width=2, second=True), effort="smallest"
    )
    slopes = np.add.outer(np.arange(11) * 7, np.arange(12) * 3)[..., None] + raw(80, (11, 12, 3), 6)
    yield one("ar-second", "ar.image: level smallest, a second opinion", slopes.astype(np.uint8), second, version=5)
    colours = 100 + raw(78, (12, 9, 3), 3)
    planes = {"a": colours, "b": colours[:5] * np.int64(4_000_037), "c": colours[:7].astype(np.uint16)}
    apart = Apart(model=random_autoregression(3, components=1, width=1))
    data = build(planes, apart, chunk=7, version=4, packed=True)
    yield "ar-packed", "ar.image: a message for each plane, in colour, wide integers, level smallest", data, planes
    sparse = np.where(raw(60, (4, 5, 4, 3), 10) == 0, raw(61, (4, 5, 4, 3)), 0).astype(np.uint8)
    for name, (shape, high, more) in {
        "": ((5, 4, 1), 256, {}),
        "-colour": ((5, 4, 3), 256, {}),
        "-referred": ((5, 4, 3), 256, {"referred": True}),
        "-binary": ((5, 4, 1), 2, {"symbols": 2}),
    }.items():
        step = cc.get_codec("ar.stack", model=random_stack(shape, **more))
        x = sparse[..., : shape[2]] if high == 256 else (sparse[..., 0] > 0)
        yield one(f"stack{name}", f"ar.stack: {name[1:] or 'grey'}, model embedded", x, step, chunk=3)
    yield one("lbb", "lbb.flow: a stack", raw(7, (3, 4, 8, 3)), cc.get_codec("lbb.flow", model=random_local_flow(3)))
    for likelihood, high in ("mixture", 256), ("bernoulli", 2), ("colour", 256):
        shape = (2, 2, 3) if likelihood == "colour" else (4, 3)
        relative = cc.get_codec("rec.vae-lossless", model=random_relative(likelihood, shape))
        yield one(f"rec-{likelihood}", f"rec.vae-lossless: {likelihood}", raw(8, (5, *shape), high), relative, chunk=3)
    lossy, array = unstored(OlderLossyCodec(model=random_lossy((4, 3)), quality=1)), raw(9, (5, 4, 3))
    found = lossy.decode(lossy.encode(array), cc.ArraySpec.of(array))
    yield (
        "rec-lossy",
        "rec.vae: what is decoded is not what was encoded",
        build({"": array}, lossy, chunk=5),
        {"": found},
    )
    small: dict[str, Any] = {
        "hidden": (2,),
        "frequencies": 1,
        "latents": (1, 1),
        "groups": 2,
        "linear": True,
        "index_bits": 3,
        "window": 9,
    }
    for name, drawn, feature in (
        ("inr", DrawnCodec(model=random_field()), "inr.image: patches that reach beyond an image"),
        ("inr-linear", DrawnCodec(model=random_field((3, 4, 1), linear=True)), "inr.image: a basis"),
        (
            "inr-latents",
            DrawnCodec(model=random_field((4, 8, 3), **small)),
            "inr.image: latents, a basis, and indices in windows",
        ),
        (
            "inr-shared",
            DrawnCodec(model=random_field((3, 2, 3), shared=(2, 3))),
            "inr.image: patches that share what they have in common",
        ),
        ("inr-coin", DrawnCoin(width=4, digits=7), "inr.coin"),
    ):
        array = raw(62, (2, 11, 7, 1 if name == "inr-linear" else 3))
        found = drawn.decode(unstored(drawn).encode(array), cc.ArraySpec.of(array))
        yield name, feature, build({"": array}, drawn, chunk=2), {"": found}
    sound = DrawnSound(model=random_field((5, 1), linear=True))
    array = (raw(63, (23, 2)).astype(np.int32) * 250 - 32000).astype(np.int16)
    found = np.concatenate([sound.decode(sound.encode(x), cc.ArraySpec.of(x)) for x in (array[:12], array[12:])])
    feature = "inr.sound: two channels, and indices for numbers of several patches"
    yield "inr-sound", feature, build({"": array}, sound, chunk=12), {"": found}
    yield from stored()
    yield from folded_files(cube)


def folded_files(cube: Array) -> Iterator[tuple[str, str, bytes, dict[str, Array]]]:
    """Small files folded."""
    yield "folded", "a folded file of one entry without a name, in one chunk", folded({"": DATA}, chunk=5), {"": DATA}
    named = {"a/b": DATA, "ä €": DATA[::-1].copy(), "c": np.float64(2.5) * DATA}
    attrs = {"list": [1, -1, 1 << 63, None, True, 0.5], "map": {"é": b"\x00bytes", "z": ""}}
    yield "folded-names", "a folded file of several entries and chunks", folded(named, attrs=attrs), named
    plain, arrays = grids(cube)
    yield "folded-grid", "a folded file of arrays that are cut along several axes", whole(fold(plain)), arrays
    vae, items = cc.get_codec("bbans.vae", model=random_model("bernoulli", (4, 3), hidden=8)), raw(1, (3, 4, 3), 2)
    packed = folded({"": items}, vae, packed=True, chunk=2)
    yield "folded-model", "a folded file with a compressed model", packed, {"": items}


def folded(arrays: dict[str, Array], codec: str | cc.Codec = "classic.raw", **more: Any) -> bytes:
    return whole(fold(build(arrays, codec, **more)))


def whole(file: bytes | None) -> bytes:
    """A file that could be folded."""
    assert file is not None
    return file


def grids(cube: Array) -> tuple[bytes, dict[str, Array]]:
    arrays = {"tiles": DATA, "plain": DATA[:3], "cube": cube}
    chunks = {"tiles": (2, 5), "plain": 2, "cube": (5, 4, 3)}
    return build(arrays, "classic.zlib", chunks=chunks, version=2), arrays


def stored() -> Iterator[tuple[str, str, bytes, dict[str, Array]]]:
    """Files of payloads of version 2: of a code, of values, of no values."""

    def parts(flat: Array, noise: Array) -> dict[str, Array]:
        return {"code": flat, "stored": noise, "empty": noise[:0]}

    for name in ("zlib", "bz2", "lzma", "zstd"):
        arrays = parts(np.repeat(DATA.astype(np.int32) * 1000, 9, axis=0), raw(10, (3, 5)).astype(np.int16) * 257)
        arrays |= {"bits": raw(11, (9, 3), 2).astype(bool), "same": np.zeros((999, 2), bool)}
        yield (
            f"stored-{name}",
            f"classic.{name}, version 2",
            build(arrays, f"classic.{name}", chunk=999, version=2),
            arrays,
        )
    for name in ("png", "webp", "jxl"):
        arrays = parts(picture(40, 50), raw(12, (6, 7)))
        yield (
            f"stored-{name}",
            f"classic.{name}, version 2",
            build(arrays, f"classic.{name}", chunk=99, version=2),
            arrays,
        )
    volume = np.cumsum(raw(22, (3, 14, 12), 7).astype(np.int16) - 3, axis=1, dtype=np.int16)
    arrays = {
        "signed": volume,
        "half": np.sqrt(np.abs(volume)).astype(np.float16),
        "bool": volume > 0,
        "int8": volume.astype(np.int8),
    }
    for name in ("png", "jxl"):
        feature = f"classic.{name}, version 2: signed integers, half floats, booleans, volumes"
        yield f"{name}-numbers", feature, build(arrays, f"classic.{name}", chunk=5, version=2), arrays
    table = np.stack([np.arange(200) ** 2, raw(23, (200,)).astype(np.int64)], axis=1)
    arrays |= {
        "table": table,
        "wide": volume.astype(np.float64) / 10,
        "complex": volume + 1j * volume[::-1],
        "one": np.array(5.0),
    }
    arrays |= {"noise": raw(24, (99,)), "empty": table[:0]}
    for method in ("xz", "zstd"):
        feature = f"classic.filtered: {method}"
        yield f"filtered-{method}", feature, build(arrays, "classic.filtered", chunk=999, method=method), arrays
    del arrays["bool"]
    yield "pcodec", "classic.pcodec", build(arrays, "classic.pcodec", chunk=999), arrays
    vae = cc.get_codec("bbans.vae", model=random_model("bernoulli", (4, 3), hidden=8))
    flow, local = cc.get_codec("idf.image", model=random_flow(1, width=6)), random_autoregression(3, width=20)
    relative = cc.get_codec("rec.vae-lossless", model=random_relative("bernoulli", (4, 3)))
    for name, codec, flat, noise in (
        ("bbans", vae, raw(13, (99, 4, 3), 2), raw(14, (9, 4, 3), 2).astype(bool)),
        ("idf", flow, 128 + raw(15, (40, 50, 1), 2), raw(16, (7, 9, 1))),
        ("ar", Unlevelled(model=local), picture(20, 30, 3), raw(17, (5, 6, 3))),
        ("lbb", cc.get_codec("lbb.flow", model=random_local_flow(3)), raw(18, (40, 4, 8, 3), 2), raw(19, (3, 4, 8, 3))),
        ("rec", relative, raw(20, (9, 4, 3), 2), raw(21, (1, 4, 3), 2).astype(bool)),
    ):
        arrays = parts(flat, noise)
        yield f"stored-{name}", f"{codec.id}, version 2", build(arrays, codec, chunk=99, version=2), arrays
    arrays, model = parts(raw(22, (9, 4, 3)), raw(23, (1, 4, 3))), random_lossy((4, 3))
    for name, version, lossy in ("stored-rec-lossy", 2, OlderLossyCodec), ("rec-partitioned", 3, FirstLossyCodec):
        codec = lossy(model=model)
        found = {name: codec.decode(codec.encode(a), cc.ArraySpec.of(a)) for name, a in arrays.items()}
        yield name, f"rec.vae, version {version}", build(arrays, codec, chunk=99, version=version), found
    artist = LossyCodec(model=random_lossy((4, 2), width=2, classes=1, detail=True), quality=1, detail=70)
    found = {"a": artist.decode(artist.encode(x := raw(83, (2, 4, 2))), cc.ArraySpec.of(x))}
    yield "rec-detail", "rec.vae: detail that is drawn", build({"a": x}, artist, chunk=99, version=3), found
    small = cc.get_codec("rec.vae", model=random_picture())
    arrays = {"image": raw(81, (35, 50, 3)), "stack": raw(82, (2, 17, 9, 3)), "pixel": raw(83, (1, 1, 3))}
    found = {name: small.decode(small.encode(a), cc.ArraySpec.of(a)) for name, a in arrays.items()}
    yield "rec-picture", "rec.vae: pictures of any size", build(arrays, small, chunk=99, version=3), found
    for name, search in ("rec-photograph", True), ("rec-photograph-shifted", False):
        grids = LossyCodec(model=random_photograph(), quality=1 + search, search=search)
        arrays = {"image": raw(88, (21, 30, 3)), "stack": raw(89, (2, 9, 17, 3)), "pixel": raw(90, (1, 1, 3))}
        found = {key: grids.decode(grids.encode(a), cc.ArraySpec.of(a)) for key, a in arrays.items()}
        yield (
            name,
            f"rec.vae: photographs{'' if search else ' on shifted grids'}",
            build(arrays, grids, chunk=99, version=3),
            found,
        )
    arrays = parts(128 + raw(74, (40, 50), 2), raw(75, (7, 9)))
    level = OlderHierarchicalCodec(model=random_hierarchy(1, latents=(2,), features=3, width=4))
    yield "stored-hvae", "bbans.hvae: code and stored values", build(arrays, level, chunk=99), arrays
    named = EveryNameCodec(model=random_hierarchy(3, latents=(2, 1), features=3, width=4))
    arrays = {f"{rows % 8 + 1} bits": 120 + raw(79, (2, rows, 10, 3), 16) for rows in (7, 8, 12)}
    feature = "bbans.hvae, version 2: latents named by 8, 5 and 1 bits"
    yield "hvae-named", feature, build(arrays, named, chunk=99, version=2), arrays
    told = HierarchicalCodec(model=random_hierarchy(1, latents=(2,), features=3, width=4), effort="smallest")
    arrays = {"a": 118 + raw(84, (2, 17, 16), 12)}
    yield "hvae-told", "bbans.hvae, version 3: numbers that correct", build(arrays, told, chunk=99, version=3), arrays
    tree, x = random_hierarchy(3, latents=(2, 1, 3), features=3, width=4), 60 + raw(76, (3, 17, 10, 3), 130)
    for levels in 0, 2:
        coarse = cc.get_codec("bbans.hvae-lossy", model=tree, levels=levels)
        found = {"a": coarse.decode(coarse.encode(x), cc.ArraySpec.of(x))}
        feature = f"bbans.hvae-lossy: {levels or 'all'} levels of three"
        yield f"hvae-lossy-{levels or 'all'}", feature, build({"a": x}, coarse, chunk=99), found
    for likelihood, levels in ("mixture", 0), ("bernoulli", 1), ("colour", 2):
        shape = (2, 2, 3) if likelihood == "colour" else (4, 3)
        coarse = cc.get_codec("rec.vae-latents", model=random_relative(likelihood, shape), levels=levels)
        x = raw(78, (5, *shape), 2 if likelihood == "bernoulli" else 256)
        found = {"a": coarse.decode(coarse.encode(x), cc.ArraySpec.of(x))}
        feature = f"rec.vae-latents: {likelihood}, {levels or 'all'} levels of two"
        yield f"rec-latents-{likelihood}", feature, build({"a": x}, coarse, chunk=3), found
    weights, arrays = (
        cc.get_codec("rec.weights", deviation=0.25),
        parts(raw(70, (9, 5)) / np.float32(64) - 2, raw(71, (1,))),
    )
    arrays = {name: a.astype(np.float32) for name, a in arrays.items()} | {"zero": np.zeros((2, 3), np.float32)}
    found = {name: weights.decode(weights.encode(a), cc.ArraySpec.of(a)) for name, a in arrays.items()}
    yield "rec-weights", "rec.weights: samples around values", build(arrays, weights, chunk=99, version=1), found


def unusual() -> Iterator[tuple[str, str, bytes, dict[str, Array] | str]]:
    """Name, feature, file, arrays or the code of an error."""
    empty = {"a": np.empty((0, 3), np.int16), "b": np.empty((3, 0), np.uint8), "c": np.array(7, np.uint32)}
    yield "empty-and-0d", "arrays without values, and without axes", build(empty), empty
    yield "no-entries", "a file without entries", build({}), {}
    deep = {"": np.zeros((1,) * 32, np.uint8)}
    yield "axes", "32 axes", build(deep), deep
    yield "order", "chunks in reverse order", build({"": DATA}, reverse=True), {"": DATA}
    small = np.frombuffer(b"abc", np.uint8)
    yield "compatible-bits", "compatible bits that no reader knows", forged(bits=(0, 0xFFFFFFFF)), {"": small}
    yield "minor", "a later minor version", forged(version=(1, 999)), {"": small}
    forge = Forge()
    forge.frames.insert(1, forge.frame(99, 0, b"fields", b"an ancillary frame", 1 << 31, 5))
    yield "ancillary-frame", "a frame of an unknown type that is not critical", forge.join(), {"": small}
    forge = Forge()
    forge.header["attrs"] = attrs = {}
    for _ in range(14):
        attrs["d"] = {}
        attrs = attrs["d"]
    yield "depth", "maps nested as deep as may be", forge.join(), {"": small}
    big = {f"{i:03}": np.array([i], np.uint16) for i in range(300)}
    yield "many-entries", "more entries than a short list holds", build(big, chunk=1), big
    unread = random_model("bernoulli", (4, 3), hidden=8)
    codec = cc.get_codec("bbans.vae", model=unread)
    yield "bbans-empty", "bbans.vae: no items", build({"": raw(1, (0, 4, 3), 2)}, codec), {"": raw(1, (0, 4, 3), 2)}
    yield (
        "model-named",
        "a model that is not embedded",
        build({"": raw(1, (2, 4, 3), 2)}, codec, embed=False),
        "model-not-found",
    )
    packed = build({"": raw(1, (3, 4, 3), 2)}, codec, packed=True, chunk=3)
    yield "model-packed", "a model that is compressed", packed, {"": raw(1, (3, 4, 3), 2)}
    forge = Forge()
    forge.header["codecs"][0]["id"] = "nobody.nothing"
    yield "unknown-codec", "a codec that nobody has", forge.join(), "unknown-codec"
    whole = build({"": DATA})
    damaged = flip(whole, scan(Memory(whole)).frames[1].payload_offset)
    file = io.BytesIO()
    rescue(Memory(damaged), survey(Memory(damaged)), file)
    yield "incomplete", "a recovered file that lacks a chunk", file.getvalue(), "missing-chunk"
    yield "grid-order", "chunks of a grid in reverse order", build({"": DATA}, chunk=(5, 5), reverse=True), {"": DATA}
    empty = {"a": np.empty((0, 9), np.int16), "b": np.empty((4, 0, 9), np.uint8)}
    no_values = build(empty, chunks={"a": (1, 5), "b": (2, 1, 4)})
    yield "grid-empty", "grids of arrays without values have no chunks", no_values, empty
    corner = {"": raw(25, (1,) * 30 + (2, 2))}
    yield "grid-axes", "a grid of 32 axes", build(corner, chunk=(1,) * 32), corner
    whole = build({"": DATA}, chunk=(2, 5))
    damaged = flip(whole, scan(Memory(whole)).frames[4].payload_offset)
    file = io.BytesIO()
    rescue(Memory(damaged), survey(Memory(damaged)), file)
    yield "grid-incomplete", "a recovered file that lacks a chunk of a grid", file.getvalue(), "missing-chunk"
    yield from folded_rarely()
    complete = {"": small}
    yield "incomplete-bit", "the incomplete bit on a file that lacks nothing", forged(bits=(1, 0)), complete


class FoldedForge:
    """A folded file, to be changed part by part and joined under a CRC that holds."""

    def __init__(self) -> None:
        self.features = 0
        self.header: Any = Forge().header
        self.deflate = partial(deflated, level=9)
        self.kinds = b""
        self.digests = b"".join(digest(np.frombuffer(part, np.uint8)) for part in (b"ab", b"c"))
        self.lengths, self.payloads = b"\2", b"abc"

    def join(self) -> bytes:
        header = self.header if isinstance(self.header, bytes) else msgpack.packb(self.header)
        start = layout.FOLDED + bytes([self.features]) + self.deflate(header)
        body = start + self.kinds + self.digests + self.lengths + self.payloads
        return body + layout.CRC.pack(crc32c(body))


def deflated(header: bytes, level: int) -> bytes:
    """A raw deflate stream; of level 0, the bytes as they are."""
    stream = zlib.compressobj(level, wbits=-15, zdict=(HERE.parent / "folding.dict").read_bytes())
    return stream.compress(header) + stream.flush()


def refolded(**changes: Any) -> bytes:
    forge = FoldedForge()
    for name, value in changes.items():
        setattr(forge, name, value)
    return forge.join()


def folded_rarely() -> Iterator[tuple[str, str, bytes, dict[str, Array] | str]]:
    """Folded files that are allowed and rare."""
    small = {"": np.frombuffer(b"abc", np.uint8)}
    plain = partial(deflated, level=0)
    yield "folded-stored", "a folded header that is not compressed", refolded(deflate=plain), small
    slow = lambda header: b"\0\0\0\xff\xff" * 9 + deflated(header, 1)  # noqa: E731
    yield "folded-blocks", "a folded header after blocks of no bytes", refolded(deflate=slow), small
    yield "folded-nothing", "a folded file without entries", folded({}), {}
    empty = {"a": np.empty((0, 3), np.int16), "b": np.empty((3, 0), np.uint8), "c": np.array(7, np.uint32)}
    yield "folded-empty", "a folded file of arrays without values, and without axes", folded(empty), empty
    size = 4096 - len(build({"": raw(26, (999,))}, chunk=9999)) + 999
    largest = {"": raw(26, (size,))}
    yield "folded-largest", "a folded file of a container of 4096 bytes", folded(largest, chunk=9999), largest
    named = FoldedForge()
    named.header["models"] = [{"name": "m", "sha256": bytes(32)}]
    named.header["codecs"][0] |= {"model": 0, "id": "bbans.vae"}
    named.kinds = b"\0"
    yield "folded-named", "a folded file of a model that is not embedded", named.join(), "model-not-found"


def folded_refused() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Folded files that break the rules."""
    good = FoldedForge().join()
    yield "folded-signature", "a folded file cut within the signature", good[:2], "truncated", 2
    yield "folded-short", "a folded file of less than 9 bytes", good[:8], "truncated", 8
    yield "folded-cut", "a folded file cut short", good[:-1], "corrupt", None
    yield "folded-more", "bytes after a folded file", good + b"more", "corrupt", len(good)
    yield "folded-long", "a folded file of more than 4096 bytes", good + bytes(4097 - len(good)), "corrupt", None
    yield "folded-damaged", "a bit of a folded file changed", flip(good, len(good) - 6), "corrupt", None
    yield "folded-bit", "a feature of folded files that nobody knows", refolded(features=8), "unsupported-feature", 3
    yield "folded-incomplete", "a folded file that may lack chunks", refolded(features=1), "unsupported-feature", 3
    model = Forge()
    model.named(b"a model")

    def of(shape: list[int], chunk: Chunk | list[int]) -> dict[str, Any]:
        return {**Forge().header, "entries": [["", "uint8", shape, chunk, 0, {}]]}

    nothing = {"digests": b"", "lengths": b"", "payloads": b""}
    for name, feature, changes in (
        ("grid", "says that there is a grid where there is none", {"features": 4}),
        ("no-grid", "has a grid and does not say so", {"header": of([1, 3], [1, 2])}),
        ("header", "has a header that is not canonical", {"header": msgpack.packb(Forge().header) + b"\xc0"}),
        ("bomb", "has a header of 2^20 bytes", {"header": bytes(1 << 20)}),
        ("deflate", "has a header that is no deflate stream", {"deflate": lambda header: b"\7" + header}),
        ("endless", "has a header without an end", {**nothing, "deflate": lambda h: deflated(h, 9)[:-2]}),
        ("digests", "has fewer digests than chunks", {**nothing, "payloads": bytes(31)}),
        ("claims", "claims 2^25 chunks", {"header": of([1 << 26], 2)}),
        ("kind", "has a model of a kind that there is not", {"header": model.header, "kinds": b"\1"}),
        ("number", "has a number longer than it needs to be", {"lengths": b"\x82\0"}),
        ("number-wide", "has a number of more than 64 bits", {"lengths": b"\xff" * 9 + b"\2"}),
        ("number-endless", "has a number of more than ten bytes", {"lengths": b"\x80" * 10 + b"\1"}),
        ("payload", "has a payload that goes beyond the end", {"lengths": b"\4"}),
        ("left", "has bytes and no payload", {**nothing, "header": of([0], 2), "payloads": b"?"}),
        ("large", "stands for more than 4096 bytes", {"payloads": bytes(3900)}),
    ):
        yield f"folded-{name}", f"a folded file that {feature}", refolded(**changes), "format", None
    claim = refolded(header=of([1 << 40], 1 << 39))
    yield "folded-limit", "a folded file that claims 2^40 bytes", claim, "limit", None
    wrong = refolded(payloads=b"abd")
    yield "folded-digest", "intact bytes of a folded file that decode to something else", wrong, "decode-mismatch", None
    false = refolded(header=model.header, kinds=b"\2", lengths=b"\7\2", payloads=b"a lie !abc")
    yield "folded-model", "a folded file with a model that is not what its header says", false, "corrupt", None


def invalid() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Name, feature, file, code, and the offset of what is wrong where there is one."""
    good = build({"": DATA})
    found = scan(Memory(good))
    frames, index, trailer = found.frames, found.end, len(good) - layout.TRAILER.size
    yield "png", "another format", b"\x89PNG\r\n\x1a\n" + bytes(50), "not-a-container", 0
    yield "line-ends", "line ends converted", good.replace(b"\r\n", b"\n"), "not-a-container", 0
    for name, n in ("nothing", 0), ("signature", 5), ("preamble", 31), ("header", 60), ("head", frames[1].offset + 9):
        yield f"cut-{name}", f"cut within the {name}", good[:n], "truncated", n
    for name, n in ("payload", frames[1].end - 1), ("index", index + 20), ("trailer", len(good) - 1):
        yield f"cut-{name}", f"cut within the {name}", good[:n], "truncated", n
    yield "gap", "bytes missing in the middle", good[: index - 9] + good[index:], "truncated", None
    for name, at in (
        ("preamble", 21),
        ("header", 50),
        ("head", frames[1].offset + 30),
        ("payload", frames[1].payload_offset + 3),
        ("index", index + 33),
        ("trailer", trailer + 3),
        ("end", len(good) - 1),
    ):
        yield f"damaged-{name}", f"a bit of the {name} changed", flip(good, at), "corrupt", at
    yield "more", "bytes after the end", good + b"more", "corrupt", len(good)
    yield "twice", "a file after itself", good + good, "corrupt", None
    parts = build({"": DATA}, attrs={"k": 1}), build({"": DATA}, attrs={"k": 2})
    yield "other-trailer", "start and end of different files", parts[0][:200] + parts[1][200:], "corrupt", None
    yield (
        "swapped-frame",
        "a frame that is not the one the index says",
        good[: frames[0].offset] + good[frames[1].offset : frames[1].end] + good[frames[1].offset :],
        "corrupt",
        frames[0].offset,
    )
    yield (
        "digest",
        "intact bytes that decode to something else",
        build({"": DATA}, seal=lambda _: bytes(16)),
        "decode-mismatch",
        None,
    )

    yield "major", "a later major version", forged(version=(2, 0)), "unsupported-feature", 8
    yield "draft", "a draft of version 1", forged(version=(0, 2)), "unsupported-feature", 8
    for bit in (1, 31):
        yield f"incompatible-{bit}", f"incompatible bit {bit}", forged(bits=(1 << bit, 0)), "unsupported-feature", 12
    forge = Forge()
    forge.frames.append(forge.frame(99, 1, b"", b"", 0, 0))
    yield "critical-frame", "a critical frame of an unknown type", forge.join(), "unsupported-feature", None
    yield (
        "codec-version",
        "a later version of a codec's payloads",
        build({"": DATA}, version=2),
        "unsupported-feature",
        None,
    )

    yield from headers()
    yield from grids_refused()
    yield from indices()
    yield from packed_models()
    yield from folded_refused()
    yield from payloads()
    yield from models()


def headers() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Headers that break the rules, under checksums that hold."""
    plain = msgpack.packb(Forge().header)
    for name, feature, packed in (
        ("long-integer", "an integer longer than it needs to be", plain.replace(b"\x02\x00\x80", b"\xcc\x02\x00\x80")),
        ("long-text", "a text with a length longer than it needs to be", plain.replace(b"\xa5attrs", b"\xd9\x05attrs")),
        ("float-32", "a float of 32 bits", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xca\x3f\x00\x00\x00")),
        (
            "nan",
            "a float that is not finite",
            plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xcb\x7f\xf8" + bytes(6)),
        ),
        ("extension", "an extension value", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xd4\x05\x00")),
        ("never-used", "the byte c1", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xc1")),
        ("keys-order", "keys out of order", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x82\xa1b\x00\xa1a\x00")),
        ("keys-twice", "a key twice", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x82\xa1a\x00\xa1a\x01")),
        ("keys-integer", "a key that is no text", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\x01\x00")),
        ("utf-8", "text that is not UTF-8", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xa1\xff")),
        ("surrogate", "text with a surrogate", plain.replace(b"\xa5attrs\x80", b"\xa5attrs\x81\xa1a\xa3\xed\xa0\x80")),
        ("deep", "maps nested too deep", plain.replace(b"\xa5attrs\x80", b"\xa5attrs" + b"\x81\xa1d" * 15 + b"\x80")),
        ("ends-early", "MessagePack that ends early", plain[:-1]),
        ("goes-on", "bytes after the map", plain + b"\xc0"),
        ("no-map", "a header that is no map", b"\x90"),
        (
            "huge-list",
            "a list that claims 2^31 items",
            plain.replace(b"\xa6models\x90", b"\xa6models\xdd\x7f\xff\xff\xff"),
        ),
    ):
        yield f"header-{name}", feature, forged(packed=packed), "format", 32
    record = Forge().header["codecs"][0]
    entry = ["", "uint8", [3], 2, 0, {}]
    for name, feature, keys in (
        ("key-missing", "a key that is missing", {"attrs": None}),
        ("key-unknown", "a key that nobody knows", {"more": {}}),
        ("entry-short", "an entry of five values", {"entries": [entry[:5]]}),
        ("entry-map", "an entry as a map, as in 0.1", {"entries": [{"name": ""}]}),
        ("shape-true", "true for a length of 1", {"entries": [["", "uint8", [True], 2, 0, {}]]}),
        ("chunk-float", "a float for a chunk", {"entries": [["", "uint8", [3], 2.0, 0, {}]]}),
        ("chunk-0", "chunks of no items", {"entries": [["", "uint8", [3], 0, 0, {}]]}),
        ("shape-negative", "a negative length", {"entries": [["", "uint8", [-3], 2, 0, {}]]}),
        ("axes-33", "33 axes", {"entries": [["", "uint8", [1] * 33, 2, 0, {}]]}),
        ("dtype", "a dtype that nobody knows", {"entries": [["", "float128", [3], 2, 0, {}]]}),
        ("codec-beyond", "a codec that is not listed", {"entries": [["", "uint8", [3], 2, 1, {}]]}),
        ("codec-unused", "a codec that no entry uses", {"codecs": [record, {**record, "version": 2}]}),
        (
            "codec-twice",
            "a codec that is listed twice",
            {"codecs": [record, record], "entries": [["a", *entry[1:]], ["b", "uint8", [0], 2, 1, {}]]},
        ),
        ("config-bytes", "settings that hold bytes", {"codecs": [{**record, "config": {"a": [b"a"]}}]}),
        ("codec-empty", "a codec without an id", {"codecs": [{**record, "id": ""}]}),
        ("codec-model", "a codec with a model that is not listed", {"codecs": [{**record, "model": 0}]}),
        ("names-twice", "two entries of one name", {"entries": [["a", *entry[1:]], ["a", "uint8", [0], 2, 0, {}]]}),
        ("name-empty", "an entry without a name beside another", {"entries": [entry, ["a", "uint8", [0], 2, 0, {}]]}),
        ("model-short", "a SHA-256 of 31 bytes", {"models": [{"name": "", "sha256": bytes(31)}]}),
        ("models-order", "models out of order", {"models": [{"name": "", "sha256": bytes([i] * 32)} for i in (2, 1)]}),
        ("shape-wraps", "lengths whose product is 2^64", {"entries": [["", "uint8", [0, 1 << 32, 1 << 32], 2, 0, {}]]}),
    ):
        changed = {key: value for key, value in sorted({**Forge().header, **keys}.items()) if value is not None}
        yield f"header-{name}", feature, forged(packed=msgpack.packb(changed)), "format", 32
    for name, feature, shape, chunk in (
        ("array", "an array of 2^40 bytes", [1 << 40], 1 << 30),
        ("chunks", "2^27 chunks", [1 << 27], 1),
        ("chunk", "a chunk of 2^35 bytes", [1 << 35], 1 << 35),
    ):
        yield f"claims-{name}", feature, with_entry("", "uint8", shape, chunk, 0, {}), "limit", 32
    preamble = layout.PREAMBLE.pack(layout.SIGNATURE, layout.MAJOR, layout.MINOR, 0, 0, 1 << 27, 0, 0)[:-4]
    yield (
        "claims-header",
        "a header of 2^27 bytes",
        preamble + layout.CRC.pack(crc32c(preamble)) + bytes(50),
        "limit",
        20,
    )


def grids_refused() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Grids that break the rules, under checksums that hold."""
    bits = (layout.GRID, 0)
    tile, last = Forge().chunk(0, b"abcd"), Forge().chunk(3, b"e")
    frames = [tile, Forge().chunk(1, b"ab"), Forge().chunk(2, b"cd"), last]
    for name, feature, chunk, more in (
        ("no-bit", "a grid without its bit", [2, 2], {"bits": (0, 0)}),
        ("bit-alone", "the bit for grids without one", 2, {}),
        ("short", "a length for one axis of two", [2], {}),
        ("long", "lengths for three axes of two", [2, 2, 1], {}),
        ("none", "no lengths", [], {}),
        ("zero", "chunks of no length", [2, 0], {}),
        ("negative", "chunks of a negative length", [2, -2], {}),
        ("true", "true for a length", [2, True], {}),
        ("float", "a float for a length", [2, 2.0], {}),
        ("beyond", "chunks longer than their axis", [4, 2], {}),
        ("first", "a grid that cuts the first axis alone", [2, 3], {}),
        ("missing", "a chunk that is missing", [2, 2], {"frames": frames[:3]}),
        ("twice", "a chunk twice, another not at all", [2, 2], {"frames": [*frames[:3], tile]}),
        ("more", "a chunk twice", [2, 2], {"frames": [*frames, last]}),
        ("number", "a chunk that the grid does not have", [2, 2], {"frames": [*frames[:3], Forge().chunk(4, b"e")]}),
    ):
        made = with_entry("", "uint8", [3, 3], chunk, 0, {}, **({"bits": bits, "frames": frames} | more))
        yield f"grid-{name}", feature, made, "format", 32 if not {"frames"} & set(more) else None
    overlap = with_entry("", "uint8", [3, 3], [2, 2], 0, {}, bits=bits, frames=[tile, tile, tile, last])
    yield "grid-overlap", "one chunk in the place of three", overlap, "format", None
    other = [Forge().chunk(0, b"ab"), *frames[1:]]
    large = with_entry("", "uint8", [3, 3], [2, 2], 0, {}, bits=bits, frames=other)
    yield "grid-size", "a chunk of fewer values than its place has", large, "corrupt", None
    for name, feature, shape, chunk, code in (
        ("many", "2^62 chunks", [1 << 31, 1 << 31], [1, 1], "format"),
        ("chunks", "2^27 chunks of an array that is no larger", [1 << 13, 1 << 14], [1, 1], "limit"),
        ("chunk", "a chunk of 2^34 bytes", [1 << 18, 1 << 18], [1 << 17, 1 << 17], "limit"),
    ):
        yield f"claims-grid-{name}", feature, with_entry("", "uint8", shape, chunk, 0, {}, bits=bits), code, 32


def indices() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Frames and indices that break the rules, under checksums that hold."""
    size = layout.RECORD.size
    for name, feature, changes in (
        ("magic", "an index without its magic", {"index_head": layout.INDEX.pack(b"\x89CIX", size, 2)}),
        (
            "record-length",
            "records of another length",
            {"index_head": layout.INDEX.pack(layout.INDEX_MAGIC, size + 1, 2)},
        ),
        ("count", "a wrong number of records", {"index_head": layout.INDEX.pack(layout.INDEX_MAGIC, size, 3)}),
        ("missing", "a chunk that is missing", {"frames": [Forge().chunk(0, b"ab")]}),
        ("twice", "a chunk twice, another not at all", {"frames": [Forge().chunk(0, b"ab")] * 2}),
        ("more", "a chunk twice", {"frames": [Forge().chunk(i, b"ab"[i:]) for i in (0, 1, 1)]}),
        ("beyond", "a chunk that the entry does not have", {"frames": [Forge().chunk(i, b"ab") for i in (0, 2)]}),
        (
            "entry-beyond",
            "a chunk of an entry that is not there",
            {"frames": [Forge().chunk(0, b"ab"), Forge().chunk(0, b"c", entry=1)]},
        ),
        ("flags", "a chunk with other flags", {"frames": [Forge().chunk(0, b"ab"), Forge().chunk(1, b"c", flags=0)]}),
        ("flag-4", "a flag that is not defined", {"frames": [*Forge().frames, Forge().frame(99, 4, b"", b"", 0, 0)]}),
        ("short", "frames that end before the index", {"records": lambda r: [r[0], [*r[1][:5], r[1][5] - 1]]}),
        ("wraps", "lengths whose sum wraps around", {"records": lambda r: [[*r[0][:5], (1 << 64) - 1], r[1]]}),
    ):
        yield f"index-{name}", feature, forged(**changes), "format", None
    yield "index-gap", "bytes between index and trailer", forged(between=b"hidden"), "corrupt", None
    yield (
        "trailer-wraps",
        "an index offset near 2^64",
        forged(trailer={"index_offset": (1 << 64) - 44}),
        "corrupt",
        None,
    )
    claims = forged(trailer={"index_offset": 0, "index_length": (1 << 31)})
    yield "trailer-index", "an index that is longer than the file", claims, "corrupt", None
    for name, feature, order in ("twice", "a model twice", [2, 2, 0, 1]), ("late", "a model after a chunk", [0, 2, 1]):
        forge = Forge()
        forge.named(b"a model")
        parts = [*forge.frames, forge.model(b"a model")]
        forge.frames = [parts[i] for i in order]
        yield f"model-{name}", feature, forge.join(), "format", None
    forge = Forge()
    forge.frames.insert(0, forge.model(b"a model"))
    yield "model-unknown", "a model that the header does not have", forge.join(), "format", None
    for name, sha256 in ("other", b"another model"), ("false", b"a model"):
        forge = Forge()
        forge.named(b"a model")
        data = b"a model" if name == "other" else b"a lie"
        forge.frames.insert(0, forge.model(data, sha256=hashlib.sha256(sha256).digest()))
        yield f"model-{name}", "a model that is not what the header or its frame says", forge.join(), "corrupt", None


def packed_models() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Compressed models that are not what their heads say, under checksums that hold."""
    data = bytes(range(256)) * 40
    good = xz(data)

    def file(*frames: tuple[bytes, list[int]], after: bool = False) -> bytes:
        forge = Forge()
        forge.named(data)
        forge.frames = [*forge.frames, *frames] if after else [*frames, *forge.frames]
        return forge.join()

    for name, feature, payload, length in (
        ("bomb", "2^24 bytes in place of the model", xz(bytes(1 << 24)), None),
        ("short", "fewer bytes than its head says", good, len(data) + 1),
        ("long", "more bytes than its head says", good, len(data) - 1),
        ("cut", "a stream that ends early", good[:-9], None),
        ("over", "bytes after the stream", good + b"more", None),
        ("noise", "no stream", bytes(99), None),
        ("longer", "a stream that is no shorter than the model", xz(data), 10),
        ("empty", "no stream at all, of no bytes", b"", 0),
    ):
        yield (
            f"packed-{name}",
            f"a compressed model: {feature}",
            file(Forge().packed_model(data, payload, length=length)),
            "format",
            None,
        )
    lie = file(Forge().packed_model(data, xz(data[::-1])))
    yield "packed-other", "a compressed model of another SHA-256", lie, "corrupt", None
    claim = file(Forge().packed_model(data, good, length=1 << 40))
    yield "packed-claim", "a compressed model that claims 2^40 bytes", claim, "limit", None
    twice = file(Forge().packed_model(data, good), Forge().model(data))
    yield "packed-twice", "a model twice, once compressed", twice, "format", None
    yield (
        "packed-late",
        "a compressed model after a chunk",
        file(Forge().packed_model(data, good), after=True),
        "format",
        None,
    )
    flags = file(Forge().packed_model(data, good, flags=layout.SAFE_TO_COPY))
    yield "packed-flags", "a compressed model with the flags of another", flags, "format", None


def payloads() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Payloads that no encoder makes, under checksums that hold."""
    bomb = zlib.compress(bytes(1 << 20), 9)
    long, short = bytes(60), bytes(1)
    stream = zstandard.ZstdCompressor(write_checksum=False)
    sized = stream.compress(bytes(1 << 20))
    for name, feature, codec, change in (
        ("raw-short", "fewer bytes than the array has", "raw", lambda p: p[1:]),
        ("raw-long", "more bytes than the array has", "raw", lambda p: p + b"x"),
        ("zlib-bomb", "a stream of a megabyte", "zlib", lambda p: bomb),
        ("zlib-early", "a stream that ends early", "zlib", lambda p: p[:-3]),
        ("zlib-over", "bytes after the stream", "zlib", lambda p: p + b"x"),
        ("zlib-short", "a stream of fewer bytes", "zlib", lambda p: zlib.compress(short)),
        ("bz2-noise", "no stream", "bz2", lambda p: long),
        ("bz2-over", "two streams", "bz2", lambda p: p + p),
        ("lzma-noise", "no stream", "lzma", lambda p: long),
        ("lzma-over", "bytes after the stream", "lzma", lambda p: p + b"x"),
        ("zstd-bomb", "a frame that states a megabyte", "zstd", lambda p: sized),
        ("zstd-over", "bytes after the frame", "zstd", lambda p: p + b"x"),
        ("png-size", "an image of another size", "png", lambda p: old("classic.png").encode(picture(3, 3))),
        ("png-noise", "no image", "png", lambda p: long),
        ("webp-size", "an image of another size", "webp", lambda p: old("classic.webp").encode(picture(3, 3))),
        ("jxl-noise", "no image", "jxl", lambda p: b"\x3c" + long),
    ):
        data = build({"": DATA}, f"classic.{codec}", change=change, chunk=5)
        yield f"payload-{name}", f"classic.{codec}: {feature}", data, "corrupt", None
    photo = np.frombuffer((HERE / "picture.jpg").read_bytes(), np.uint8)
    large = cc.get_codec("classic.jpeg").encode(photo)
    for name, feature, change in (
        ("flag", "a flag that there is not", lambda p: b"\2" + p[1:]),
        ("empty", "no flag", lambda p: b""),
        ("short", "fewer bytes than the array has", lambda p: p[:-1]),
        ("noise", "no JPEG XL file", lambda p: b"\1" + p),
        ("size", "a JPEG file of another length", lambda p: large),
        ("pixels", "more pixels than a JPEG file of such length has", lambda p: huge(large)),
    ):
        data = build({"": DATA[0]}, "classic.jpeg", change=change, chunk=12)
        yield f"payload-jpeg-{name}", f"classic.jpeg: {feature}", data, "corrupt", None
    for name, feature, change in (
        ("long", "a payload longer than the values", lambda p: p + b"x"),
        ("bits", "bits behind the last boolean", lambda p: p[:-1] + b"\x80"),
    ):
        data = build({"": raw(11, (9, 3), 2).astype(bool)}, "classic.zlib", change=change, chunk=9, version=2)
        yield f"stored-{name}", f"classic.zlib, version 2: {feature}", data, "corrupt", None
    flags = np.array([True, False])
    yield "payload-bool", "a boolean of 2", build({"": flags}, change=lambda p: b"\2\0"), "corrupt", None
    stack = np.stack([picture(3, 4)] * 2)
    items = {"chunk": 2, "layout": "items"}
    longer = build({"": stack}, "classic.png", change=lambda p: bytes([p[0] | 0x80, 0]) + p[1:], **items)
    yield "payload-png-length", "classic.png: a length longer than it needs to be", longer, "corrupt", None
    codec = cc.get_codec("bbans.vae", model=random_model("mixture", (4, 3), hidden=8))
    for name, feature, change in (
        ("noise", "a message that does not end where it began", lambda p: bytes(p[:-1]) + bytes([p[-1] ^ 3 or 1])),
        ("short", "a message of too few words", lambda p: p[-8:]),
        ("zero", "a message whose last byte is zero", lambda p: p + b"\0"),
        ("empty", "no message", lambda p: b""),
    ):
        data = build({"": raw(1, (3, 4, 3))}, codec, change=change, chunk=3)
        yield f"payload-bbans-{name}", f"bbans.vae: {feature}", data, "corrupt", None
    small = cc.get_codec("bbans.vae", model=random_model("bernoulli", (4, 3), hidden=8), effort="smallest")
    data = build({"": raw(76, (30, 4, 3), 2)}, small, chunk=30, version=2)
    yield "payload-bbans-effort", "bbans.vae: an effort that version 2 had not", data, "corrupt", None


def models() -> Iterator[tuple[str, str, bytes, str, int | None]]:
    """Models that do not fit their codec, embedded under their true SHA-256."""
    good = random_model("bernoulli", (4, 3), hidden=8)
    codec = old("bbans.vae", model=good)
    x = raw(1, (2, 4, 3), 2)
    tensors = good.tensors()

    def changed(**new: Any) -> Model:
        kept = {key: new.get(key.replace(".", "_"), value) for key, value in tensors.items()}
        config = {**good.config, **new.get("config", {})}
        return Model.create(codec="bbans.vae", config=config, tensors={k: v for k, v in kept.items() if v is not None})

    bias = tensors["decoder.1.bias"]
    for name, feature, model in (
        ("probe", "a network that gives other integers than its probe", changed(decoder_1_bias=bias + 4096)),
        ("no-probe", "a network without a probe", changed(decoder_probe=None)),
        ("no-tensor", "a network that lacks a tensor", changed(encoder_0_shift=None)),
        ("shape", "networks that do not fit the items", changed(config={"item_shape": [4, 4]})),
        ("likelihood", "a likelihood that nobody knows", changed(config={"likelihood": "cauchy"})),
        ("bound", "a network whose sums go beyond 2^53", changed(decoder_1_bias=bias + (1 << 53))),
        (
            "codec",
            "a model of another codec",
            Model.create(codec="nobody.nothing", config=good.config, tensors=tensors),
        ),
        ("more", "bytes after the last tensor", good.data + b"more"),
        ("short", "a model file that is cut short", good.data[:-9]),
        ("safetensors", "no model file", b"no model at all"),
    ):
        data = model if isinstance(model, bytes) else model.data
        forge = Forge()
        forge.named(data)
        forge.header["codecs"][0] |= {"id": "bbans.vae", "package": "codecs-bbans"}
        forge.header["entries"] = [["", "uint8", [2, 4, 3], 2, 0, {}]]
        payload = codec.encode(x)
        fields = layout.CHUNK_FIELDS.pack(0, 0, digest(x))
        forge.frames = [forge.model(data), forge.frame(layout.CHUNK, layout.CRITICAL, fields, payload, 0, 0)]
        yield f"unfit-{name}", f"bbans.vae: {feature}", forge.join(), "model", None


# --- files ---------------------------------------------------------------------------------------


def needs(data: bytes) -> list[str]:
    """What a reader may lack."""
    header = data[:2000]
    found = {need for name, need in NEEDS.items() if name.encode() in header}
    return sorted(found | ({"zstandard"} if b"method\xa4zstd" in header else set()))


def described(arrays: dict[str, Array]) -> dict[str, Any]:
    return {
        name: {
            "dtype": array.dtype.name,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(np.asarray(array, array.dtype.newbyteorder("<")).tobytes()).hexdigest(),
        }
        for name, array in arrays.items()
    }


def vectors() -> Iterator[tuple[dict[str, Any], bytes]]:
    """What the manifest says of a file, and the file."""

    def about(group: str, name: str, feature: str, data: bytes) -> dict[str, Any]:
        stated = {"file": f"{group}/{name}.ccf", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        digests = ["XXH3"] if name in ("digest", "unfit-probe", "folded-digest") else []
        return {**stated, "feature": feature, "needs": digests + needs(data)}

    for group, source in ("valid", valid()), ("unusual", unusual()):
        for name, feature, data, expected in source:
            if isinstance(expected, str):
                yield {**about(group, name, feature, data), "expect": "error", "code": expected}, data
            else:
                yield {**about(group, name, feature, data), "expect": "ok", "entries": described(expected)}, data
    for name, feature, data, code, offset in invalid():
        found = {**about("invalid", name, feature, data), "expect": "error", "code": code}
        yield (found if offset is None else {**found, "offset": offset}), data


def main() -> None:
    """Write the files that are not there yet; those that are there are frozen, whatever an encoder would make of them today."""
    listed = []
    for about, data in vectors():
        path = HERE / about["file"]
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            data = path.read_bytes()
            about |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        path.write_bytes(data)
        listed.append(about)
    manifest = {"format": f"ccf {layout.MAJOR}.{layout.FOLDED_MINOR}", "vectors": listed}
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
