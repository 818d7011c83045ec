"""What is fuzzed: each target takes bytes, and may raise nothing but the project's own errors.

Checksums are off, since no mutation would get past them otherwise: a CRC32C equals whatever it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import codecs_core as cc
from codecs_core import entropy as e
from codecs_core.api.opening.decoder import Decoder
from codecs_core.container import Reader, canonical, folding, layout, recovery
from codecs_core.container.checksum import crc32c
from codecs_core.container.folding import fold, header_end, unfold
from codecs_core.container.header import Header
from codecs_core.container.index import Index
from codecs_core.container.walk import read_head, scan
from codecs_core.errors import CodecsError, FormatError
from codecs_core.limits import Limits
from codecs_core.models import Model
from codecs_core.registry import default
from codecs_core.report.info import describe
from codecs_core.testing import unstored

VECTORS = Path(__file__).parents[2] / "spec/vectors"
#: Small enough that an allocation beyond them is seen.
LIMITS = Limits(
    header_bytes=1 << 20,
    index_bytes=1 << 20,
    chunk_bytes=1 << 20,
    array_bytes=1 << 22,
    model_bytes=1 << 20,
    entries=1000,
    chunks=10_000,
)


class Memory:
    """A source of bytes."""

    path = "memory"

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]

    def close(self) -> None:
        pass


class AnyChecksum(int):
    """Equal to every number."""

    __hash__ = int.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


@contextmanager
def no_checksums():
    """While this is open, every CRC32C holds."""
    parts = ("folding", "frame", "preamble", "reader", "recovery", "trailer", "walk")
    patches = [patch(f"codecs_core.container.{part}.crc32c", lambda data: AnyChecksum()) for part in parts]
    patches.append(patch("codecs_core.container.recovery._crc", lambda source, at, n: AnyChecksum()))
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def start_of(data: bytes) -> tuple[Header, int]:
    _, header, end = read_head(Memory(data), data, LIMITS)
    return header, end


# --- targets -------------------------------------------------------------------------------------


def fuzz_header(data: bytes) -> None:
    """Headers: what is read is written again to the same bytes."""
    try:
        header = Header.from_bytes(data, LIMITS)
    except FormatError:
        header = Header.from_bytes(data, LIMITS, grid=True)
    if header.to_bytes() != data:
        raise AssertionError("a header is read that is not the one written")


def fuzz_messagepack(data: bytes) -> None:
    if canonical.pack(canonical.unpack(data)) != data:
        raise AssertionError("a value is read that is not the one written")


FILES = [vector("valid/names.ccf"), vector("valid/bbans-bernoulli.ccf")]
STARTS = [start_of(data) for data in FILES]


def fuzz_frames(data: bytes) -> None:
    """What follows a header: walked, searched, and what is whole written again."""
    if not data:
        return
    whole, (_, end) = FILES[data[0] % 2], STARTS[data[0] % 2]
    source = Memory(whole[:end] + data[1:])
    scan(source, limits=LIMITS)
    found = recovery.survey(source, limits=LIMITS)
    recovery.rescue(source, found, _Sink())


def fuzz_index(data: bytes) -> None:
    if len(data) < 3:
        return
    header, start = STARTS[data[0] % 2]
    end = start + int.from_bytes(data[1:3], "little")
    index = Index(data[3:], header, start, end, incomplete=bool(data[0] & 2))
    for number, entry in enumerate(header.entries):
        for i in index.chunks(number):
            index.chunk(number, int(i))
        index.chunk(number, entry.n_chunks - 1)


def fuzz_file(data: bytes) -> None:
    """Whole files: opened, described, decoded, recovered."""
    source = Memory(data)
    try:
        reader = Reader(source, limits=LIMITS)
    except CodecsError:
        recovery.rescue(source, recovery.survey(source, limits=LIMITS), _Sink())
        return
    describe(reader, "it")
    decoder = Decoder(reader, "it", limits=LIMITS, models=[], registry=default())
    for entry in list(reader.entries.values())[:5]:
        for i in reader.chunks(entry.name)[:5]:
            try:
                decoder.decode(entry, i)
            except CodecsError:
                continue


def fuzz_folded(data: bytes) -> None:
    """Folded files: what is read stands for a container that opens, and is folded to the same but for its deflate stream.

    A byte of features, two with the length of the header, the header, which is compressed here, and all else.
    """
    size = int.from_bytes(data[1:3], "little")
    data = layout.FOLDED + data[:1] + folding._deflated(data[3 : 3 + size]) + data[3 + size :]
    data += layout.CRC.pack(crc32c(data))
    file = unfold(data, limits=LIMITS)
    reader = Reader(Memory(file), limits=LIMITS)
    for name, entry in reader.entries.items():
        for i in range(entry.n_chunks):
            reader.chunk(name, i)
    again = fold(file, limits=LIMITS)
    if again is None:
        if len(data) < len(file):
            raise AssertionError("a container is read that cannot be folded")
    elif again[header_end(again) : -4] != data[header_end(data) : -4] or unfold(again, limits=LIMITS) != file:
        raise AssertionError("a folded file is read that is not the one written")


def fuzz_message(data: bytes) -> None:
    """Messages, popped by a distribution that the first byte chooses."""
    if not data:
        return
    message = e.Message.from_bytes(data[1:])
    for name in CODECS[data[0] % len(CODECS)]:
        CODES[name].pop(message)
    message.verify_end()


def fuzz_model(data: bytes) -> None:
    """Model files, and the networks in them."""
    model = Model.from_bytes(data)
    model.tensors()
    codec = cc.get_codec("bbans.vae", model=model)
    codec.check(cc.ArraySpec((2, 4, 3), "uint8"))


def fuzz_payload(data: bytes) -> None:
    """Payloads, of a codec that the first byte chooses."""
    if not data:
        return
    codec, spec = PAYLOADS[data[0] % len(PAYLOADS)]
    codec.decode(data[1:], spec, limits=LIMITS)


class _Sink:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


def _codes() -> dict[str, Any]:
    n = 9
    ramp = np.arange(n)
    two = np.stack([ramp, 9 - ramp], 1)
    tables = np.array([[1 << 17] * 2, [1, (1 << 18) - 1]])
    return {
        "uniform": e.Uniform(1000, n),
        "bernoulli": e.Bernoulli.from_log_odds(ramp * 40 - 160, precision=22),
        "categories": e.Categorical(np.array([[1, 2, 0, 5], [8, 0, 0, 0]]), index=ramp % 2),
        "mixture": e.CategoricalMixture(two, tables),
        "beta": e.BetaBinomial(255, 1 << ramp, 1 << (ramp * 3), precision=24),
        "bucketed": e.BucketedGaussian(ramp << 8, ramp - 200),
        "gaussian": e.DiscretizedGaussian(ramp << 8, ramp - 100),
        "logistics": e.LogisticMixture(two, two << 7, two),
        "channels": e.ChannelMixture(two, np.stack([two << 7] * 3, 1), np.stack([two] * 3, 1), np.stack([two] * 3, 1)),
        "fine": e.FineGaussian(ramp << 20, ramp << 7),
        "bits": e.Bits(ramp * 7),
        "gamma": e.EliasGamma(n),
        "delta": e.EliasDelta(n),
        "zipf": e.Zipf(90, n),
        "escape": e.Escape(e.Uniform(40, n)),
        "wide": e.Bits(np.full(17_000, 3)),
    }


CODES = _codes()
CODECS = [(name,) for name in CODES] + [("escape", "delta", "fine"), ("channels", "zipf"), ("gamma", "bits", "escape")]


def _payloads() -> list[tuple[cc.Codec, cc.ArraySpec]]:
    from codecs_bbans.testing import random_hierarchy, random_model

    bytewise = [(name, "int32", (9, 20)) for name in ("raw", "zlib", "bz2", "lzma", "zstd")] + [("raw", "bool", (50,))]
    images = [(name, "uint8", shape) for name in ("png", "webp", "jxl") for shape in ((9, 14), (7, 6, 7), (3, 5, 6, 3))]
    found = [(cc.get_codec(f"classic.{name}"), cc.ArraySpec(shape, dtype)) for name, dtype, shape in bytewise + images]
    items = cc.get_codec("classic.png", layout="items"), cc.ArraySpec((7, 6, 7), "uint8")
    models = [random_model(kind, (4, 3), hidden=8) for kind in ("mixture", "bernoulli")]
    vaes = [(cc.get_codec("bbans.vae", model=model), cc.ArraySpec((25, 4, 3), "uint8")) for model in models]
    names, tree = ("bbans.hvae", "bbans.hvae-lossy"), random_hierarchy(3)
    hierarchies = [(unstored(cc.get_codec(name, model=tree)), cc.ArraySpec((5, 6, 3), "uint8")) for name in names]
    return [*found, items, *vaes, *hierarchies]


PAYLOADS = _payloads()

TARGETS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("fuzz_"): value for name, value in sorted(globals().items()) if name.startswith("fuzz_")
}


def run(target: str, data: bytes) -> None:
    """Give bytes to a target; whatever comes out of it is a finding."""
    with suppress(CodecsError):
        TARGETS[target](data)


# --- where to start ------------------------------------------------------------------------------


def seeds(target: str) -> list[bytes]:
    """Inputs that are nearly right, made from the vectors."""
    files = [
        path.read_bytes() for group in ("valid", "unusual", "invalid") for path in sorted((VECTORS / group).iterdir())
    ]
    files = [data for data in files if len(data) < 8000]
    if target == "file":
        return files
    if target == "folded":
        found = []
        for data in files:
            with suppress(CodecsError):
                header, end = folding._inflated(data if data.startswith(layout.FOLDED) else b"")
                found.append(data[3:4] + len(header).to_bytes(2, "little") + header + data[end:-4])
        return found
    if target in ("header", "messagepack"):
        whole = [data for data in files if len(data) > 40 and data.startswith(layout.SIGNATURE)]
        return [data[32 : 32 + int.from_bytes(data[20:24], "little")] for data in whole]
    if target == "frames":
        return [bytes([k]) + whole[end:] for k, (whole, (_, end)) in enumerate(zip(FILES, STARTS, strict=True))]
    if target == "index":
        found = []
        for k, whole in enumerate(FILES):
            at = int.from_bytes(whole[-44:-36], "little")
            found += [bytes([k + bit]) + (at - STARTS[k][1]).to_bytes(2, "little") + whole[at:-44] for bit in (0, 2)]
        return found
    if target == "message":
        found = []
        for k, names in enumerate(CODECS):
            message = e.Message()
            for name in reversed(names):
                CODES[name].push(message, CODES[name].pop(e.Message()))
            found.append(bytes([k]) + message.to_bytes())
        return found
    if target == "model":
        from codecs_bbans.testing import random_model

        return [random_model(kind, (4, 3), hidden=8).data for kind in ("mixture", "bernoulli")]
    found = []
    for k, (codec, spec) in enumerate(PAYLOADS):
        array = (np.arange(spec.size) * 7 % 2).astype(spec.dtype).reshape(spec.shape)
        found.append(bytes([k]) + codec.encode(array))
    return found
