"""What comes back is what went in; the same input gives the same bytes, whoever asks; and no input changes."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.capabilities import SupportsInformation, SupportsPreview, SupportsScale
from codecs_core.codec import Codec
from codecs_core.container import Reader
from codecs_core.errors import ConfigError
from codecs_core.scale import Grid
from codecs_core.stored import store, stored_size
from codecs_core.testing.payloads import unstored
from codecs_core.testing.strategies import LAYOUTS
from codecs_core.testing.subject import Subject, called, require, same

#: Threads at once, and calls in each.
THREADS, CALLS = 4, 3
#: Resolutions beside that of what was encoded.
SCALES = Fraction(1, 2), Fraction(5, 3)
#: Items a chunk.
CHUNKS = (1, 3, 64)


class Values(Subject):
    """Clauses 1, 3, 8, 10 and 11."""

    def test_round_trip(self) -> None:
        """Clause 1: decoding gives the array back to the last bit; of a lossy codec, within its bound."""
        worst = 0.0
        for codec in map(unstored, self.codecs()):

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                nonlocal worst
                decoded = codec.decode(codec.encode(array), ArraySpec.of(array))
                if codec.info.kind == "lossless":
                    require(same(decoded, array), f"{called(codec, array)} does not come back as it was")
                    return
                distance = _distance(decoded, array)
                worst = max(worst, distance)
                bound = np.inf if self.max_error is None else self.max_error
                require(distance <= bound, f"{called(codec, array)} comes back {distance} off, over {self.max_error}")

            self.for_all(codec, check)
        if self.codec_class().info.kind == "lossy":
            self.detail = f"at most {worst:g} off" + ("; no bound is declared" if self.max_error is None else "")

    def test_layouts(self) -> None:
        """Clause 3: an array gives the same bytes however it lies in memory."""
        for codec in self.codecs():

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                payload = codec.encode(array)
                for name, lay_out in LAYOUTS.items():
                    require(
                        codec.encode(lay_out(array)) == payload, f"{called(codec, array)} in {name} has other bytes"
                    )

            self.for_all(codec, check)
        self.detail = ", ".join(LAYOUTS)

    def test_stored(self) -> None:
        """Clause 10: a payload is no longer than the values, nor is it empty but where there are none; stored values come back."""
        if self.codec_class().stores_from is None:
            raise SkipTest("the codec has no stored payloads")
        for codec in self.codecs():

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                spec, payload = ArraySpec.of(array), codec.encode(array)
                require(
                    len(payload) <= stored_size(spec),
                    f"{called(codec, array)} takes more than {stored_size(spec)} bytes",
                )
                require(
                    bool(payload) == bool(spec.size), f"{called(codec, array)} has a payload of {len(payload)} bytes"
                )
                require(
                    same(codec.decode(store(array), spec), array), f"{called(codec, array)} does not come back stored"
                )
                if len(payload) == stored_size(spec):
                    require(payload == store(array), f"{called(codec, array)} has a code as long as its values")

            self.for_all(codec, check)

    def test_previews(self) -> None:
        """Clause 8: a preview has the shape and dtype of what was encoded; a codec without previews says so."""
        codec = self.codec()
        has = isinstance(codec, SupportsPreview)
        for array in self.taken(codec):
            spec, payload = ArraySpec.of(array), codec.encode(array)
            for levels in (0, 1, 99):
                try:
                    coarse = codec.preview(payload, spec, levels)
                except ConfigError:
                    require(not has, f"{called(codec, array)} has no preview of {levels} levels")
                else:
                    require(ArraySpec.of(coarse) == spec, f"the preview of {called(codec, array)} is {coarse.shape}")
        self.detail = "it has previews" if has else "it has none"

    def test_scale(self) -> None:
        """Clause 8: at scale 1 there is what is decoded, at others an array of the grid's shape; a codec without scale says so."""
        codec = self.codec()
        if not isinstance(codec, SupportsScale):
            try:
                codec.scaled(b"", ArraySpec((1,), "uint8"), 2)
            except ConfigError:
                self.detail = "it has none"
                return
            raise AssertionError(f"codec {codec.id} has no scale, and does not say so")
        for array in self.taken(codec):
            spec, payload = ArraySpec.of(array), codec.encode(array)
            axes, whole = codec._axes(spec), codec.decode(payload, spec)
            require(same(codec.scaled(payload, spec, 1), whole), f"{called(codec, array)} is another at scale 1")
            for scale in SCALES:
                shown = codec.scaled(payload, spec, scale)
                shape = Grid.of(spec.shape, axes, scale).shape
                require(
                    ArraySpec.of(shown) == ArraySpec(shape, spec.dtype),
                    f"{called(codec, array)} at scale {scale} has the shape {shown.shape}, not {shape}",
                )
        self.detail = f"scales 1, {', '.join(map(str, SCALES))}"

    def test_information(self) -> None:
        """Clause 11: every value has a finite number of bits; a codec that does not tell them says so."""
        codec = self.codec()
        if not isinstance(codec, SupportsInformation):
            try:
                codec.information(self.taken(codec)[0])
            except ConfigError:
                self.detail = "it does not tell"
                return
            raise AssertionError(f"codec {codec.id} does not tell which values its bits go to, and does not say so")
        for array in self.taken(codec):
            bits = codec.information(array)
            require(
                bits.dtype == np.float64 and bits.shape == array.shape,
                f"the bits of {called(codec, array)} are {bits.dtype} of shape {bits.shape}",
            )
            require(
                bool(np.isfinite(bits).all()), f"some values of {called(codec, array)} have no finite number of bits"
            )
            require(same(codec.information(array), bits), f"{called(codec, array)} has other bits the second time")
        self.detail = "it tells"


class Purity(Subject):
    """Clause 2."""

    def test_input_stays(self) -> None:
        """Clause 2: encoding and decoding change neither array nor payload, nor what was decoded before."""
        for codec in self.codecs():

            def check(array: NDArray[Any], codec: Codec = codec) -> None:
                array = array.copy()  # what hypothesis draws may be read-only
                before, spec = array.tobytes(), ArraySpec.of(array)
                payload = codec.encode(array)
                require(array.tobytes() == before, f"encoding changed its input: {called(codec, array)}")
                held = bytearray(payload)
                first = codec.decode(memoryview(held), spec)  # type: ignore[arg-type]
                require(held == payload, f"decoding changed its payload: {called(codec, array)}")
                kept = first.tobytes()
                second = codec.decode(payload, spec)
                if second.flags.writeable and second.size:
                    second.view(np.uint8 if second.ndim else second.dtype)[...] = 1
                require(first.tobytes() == kept, f"two results share memory: {called(codec, array)}")
                require(codec.decode(payload, spec).tobytes() == kept, f"a result is kept: {called(codec, array)}")

            self.for_all(codec, check)

    def test_same_bytes(self) -> None:
        """Clause 2: the same array gives the same bytes again, after others, and from another instance."""
        for codec, other in zip(self.codecs(), self.codecs(), strict=True):

            def check(array: NDArray[Any], codec: Codec = codec, other: Codec = other) -> None:
                payload = codec.encode(array)
                require(codec.encode(array) == payload, f"{called(codec, array)} has other bytes the second time")
                require(other.encode(array) == payload, f"{called(codec, array)} has other bytes from another instance")

            self.for_all(codec, check)

    def test_threads(self) -> None:
        """Clause 2: threads that share an instance give the bytes and values of one alone."""
        for codec in self.codecs():
            arrays = self.taken(codec)
            alone = [codec.encode(array) for array in arrays]

            def work(number: int, codec: Codec = codec, arrays: Any = arrays, alone: Any = alone) -> None:
                for k in range(len(arrays) * CALLS):
                    array, payload = arrays[(k + number) % len(arrays)], alone[(k + number) % len(arrays)]
                    require(codec.encode(array) == payload, f"{called(codec, array)} has other bytes among threads")
                    decoded = codec.decode(payload, ArraySpec.of(array))
                    require(
                        codec.info.kind == "lossy" or same(decoded, array),
                        f"{called(codec, array)} does not come back among threads",
                    )

            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(work, range(THREADS)))
        self.detail = f"{THREADS} threads"

    def test_chunks(self) -> None:
        """Clause 2: a chunk has the same bytes whatever else is in the file and however many are coded at once."""
        for codec in self.codecs():
            arrays = [array for array in self.taken(codec) if array.ndim]
            for array in arrays[:1]:
                for chunk in (*CHUNKS, codec.default_chunk(ArraySpec.of(array))):
                    files = [_file(codec, array, chunk, jobs) for jobs in (1, 2)]
                    require(files[0] == files[1], f"{called(codec, array)} in chunks of {chunk} depends on the jobs")
                    parts = _loaded(files[0])
                    due = [codec.encode(array[i : i + chunk]) for i in range(0, len(array), chunk)]
                    require(
                        _payloads(files[0]) == due,
                        f"{called(codec, array)}: a chunk of {chunk} has other bytes in a file",
                    )
                    require(
                        codec.info.kind == "lossy" or same(parts, array),
                        f"{called(codec, array)} does not come back in chunks of {chunk}",
                    )
        self.detail = f"chunks of {', '.join(map(str, CHUNKS))}, 1 and 2 jobs"


def _file(codec: Codec, array: NDArray[Any], chunk: int, jobs: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.ccf"
        cc.save(path, array, codec=codec, chunk=chunk, jobs=jobs, embed_model=True)
        return path.read_bytes()


def _loaded(file: bytes) -> NDArray[Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.ccf"
        path.write_bytes(file)
        return np.asarray(cc.load(path))


def _payloads(file: bytes) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.ccf"
        path.write_bytes(file)
        with Reader.open(path) as reader:
            [name] = reader.entries
            return [reader.payload(name, i) for i in range(reader.entries[name].n_chunks)]


def _distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(invalid="ignore"):
        off = np.abs(a.astype(wide) - b.astype(wide))
    alike = (a == b) | ((a != a) & (b != b))  # infinities, and what is no number
    return float(np.nan_to_num(np.where(alike, 0.0, off), nan=np.inf).max(initial=0.0))
