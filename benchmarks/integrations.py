"""The figures of zarr, dask and remote files on MNIST: ``python benchmarks/integrations.py mnist_test.npz``.

Two dask workers, each a process, write the images through ``bbans.vae`` into an array of zarr; another process reads it back and compares.
``docs/benchmarks.md`` says what the rows mean.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import dask.array as da
import fsspec
import numpy as np
import zarr
from distributed import Client, LocalCluster
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

import codecs_core as cc
from codecs_core.adapters.zarr import CodecsCore

READ_BACK = """
import sys, numpy as np, zarr
images = np.load(sys.argv[1])["images"][: int(sys.argv[3])]
print(np.array_equal(zarr.open_array(sys.argv[2], mode="r")[:], images))
"""
IMPORT_ZARR = """
import sys, zarr
print(sum(name.partition(".")[0] in ("torch", "codecs_core") for name in sys.modules))
"""


class Counting(LocalFileSystem):
    """Local files as if they were far away: every range that is asked for is noted."""

    protocol = "counting"
    asked: ClassVar[list[int]] = []

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("counting://")))

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """Read a range."""
        data = bytes(super().cat_file(path, start=start, end=end, **kwargs))
        self.asked.append(len(data))
        return data


def fresh(code: str, *arguments: object) -> str:
    """What a process of its own prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def files(folder: Path) -> dict[str, bytes]:
    """The files of a store by their names in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def create(path: Path, images: NDArray[np.uint8], chunk: int) -> Any:
    """An empty array of zarr for the images."""
    return zarr.create_array(
        path,
        shape=images.shape,
        chunks=(chunk, *images.shape[1:]),
        dtype=images.dtype,
        serializer=CodecsCore("bbans.vae", model="mnist"),
        compressors=None,
    )


def written(data: Path, images: NDArray[np.uint8], chunk: int, folder: Path) -> dict[str, Any]:
    """Rows of the array that dask's workers write."""
    start = time.perf_counter()
    create(folder / "one.zarr", images, chunk)[:] = images
    alone = time.perf_counter() - start
    container = cc.save(folder / "digits.ccf", images, codec="bbans.vae", model="mnist", chunk=chunk)["bytes"]["total"]
    with (
        cc.open(folder / "digits.ccf") as file,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        digits = da.from_array(file[""], chunks=file[""].chunks)
        da.store(digits, create(folder / "first.zarr", images, chunk), lock=False)  # the workers import what they need
        start = time.perf_counter()
        da.store(digits, create(folder / "two.zarr", images, chunk), lock=False)
        together = time.perf_counter() - start
    one, two = files(folder / "one.zarr"), files(folder / "two.zarr")
    adapter = sum(map(len, two.values()))
    return {
        "chunks": len(two) - 1,
        "read_back_identical": fresh(READ_BACK, data, folder / "two.zarr", len(images)) == "True",
        "same_bytes_as_one_process": one == two,
        "zarr_bytes": adapter,
        "container_bytes": container,
        "zarr_over_container": adapter / container - 1,
        "one_process_seconds": alone,
        "two_workers_seconds": together,
    }


def fetched(images: NDArray[np.uint8], folder: Path) -> dict[str, Any]:
    """Rows of the table for a remote file, when one image of it is read."""
    fsspec.register_implementation("counting", Counting)
    with cc.open(f"counting://{folder}/digits.ccf") as file:
        opening = list(Counting.asked)
        middle = len(images) // 2
        identical = np.array_equal(file[""][middle], images[middle])
        sizes = file.info()["bytes"]
    return {
        "item_identical": identical,
        "requests": len(Counting.asked),
        "bytes_to_open": sum(opening),
        "bytes_of_the_chunk": sum(Counting.asked) - sum(opening),
        "bytes_fetched": sum(Counting.asked),
        "bytes_of_header_and_index": sizes["header"] + sizes["index"],
        "bytes_of_the_file": sizes["total"],
    }


def main() -> int:
    """Measure and print; the exit status is 1 if something did not come back as it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the test images of MNIST, as `images` of a .npz file")
    parser.add_argument("--items", type=int, default=10_000, help="use only the first N images")
    parser.add_argument("--chunk", type=int, default=500, help="images per chunk")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    images = np.load(arguments.data)["images"][: arguments.items]
    with tempfile.TemporaryDirectory() as name:
        found = written(arguments.data, images, arguments.chunk, Path(name)) | fetched(images, Path(name))
    found["import_zarr_loads_nothing_of_ours"] = fresh(IMPORT_ZARR) == "0"
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for key, value in found.items():
            shown = f"{value:,}" if isinstance(value, int) else f"{value:+.2%}" if "over" in key else f"{value:.2f}"
            print(f"{key.replace('_', ' '):36} {value if isinstance(value, bool) else shown}")
    return 0 if all(value is not False for value in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
