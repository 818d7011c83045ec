"""The same input gives the same bytes, whoever asks and whatever was asked before; and no input changes."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.arrays import ArraySpec
from codecs_core.codec import Codec
from codecs_core.testing.subject import Subject, called, require, same

#: Threads at once, and calls in each.
THREADS, CALLS = 4, 3
#: Items a chunk.
CHUNKS = (1, 3, 64)


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
    from codecs_core.container import Reader

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.ccf"
        path.write_bytes(file)
        with Reader.open(path) as reader:
            [name] = reader.entries
            return [reader.payload(name, i) for i in range(reader.entries[name].n_chunks)]
