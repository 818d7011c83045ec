"""One image by several threads: ``python benchmarks/ar_threads.py MODEL IMAGE``.

An image of one band is saved and loaded with each number of threads in turn, by the clock, several times over, and the least is told.
What a machine of more cores would take is computed from the CPU times of all slabs, as `codecs_ar.pipeline` gives them to threads.
"""

from __future__ import annotations

import argparse
import heapq
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from codecs_ar import passes, pipeline
from codecs_ar.codec import ImageCodec
from codecs_ar.neighbours import MARGIN
from codecs_ar.planes import Planes
from codecs_ar.workspace import Coded
from numpy.typing import NDArray
from PIL import Image

import codecs_core as cc


def by_the_clock(codec: ImageCodec, x: NDArray[Any], jobs: int, repeats: int) -> dict[str, float]:
    """Seconds to save and to load, the least of some repeats."""
    found: dict[str, list[float]] = {"encode": [], "decode": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.ccf"
        for _ in range(repeats):
            start = time.perf_counter()
            cc.save(path, x, codec=codec, jobs=jobs)
            middle = time.perf_counter()
            back = cc.load(path, models=codec.model, jobs=jobs)
            stop = time.perf_counter()
            if not np.array_equal(back, x):
                raise SystemExit("it did not decode to what was encoded")
            found["encode"].append(middle - start)
            found["decode"].append(stop - middle)
    return {verb: min(seconds) for verb, seconds in found.items()}


def slabs(codec: ImageCodec, x: NDArray[Any]) -> NDArray[np.float64]:
    """Seconds of each row of each plane: those of its slab, divided among its rows."""
    planes = Planes.of(x[None])
    coded = [Coded.empty(planes.values[0].size) for _ in range(planes.count)]
    rows, found = max(1, pipeline.SLAB // planes.width), np.zeros((planes.count, planes.height))
    for one, seconds in zip(passes.over(planes, codec._coder.expert, coded=coded), found, strict=True):
        while one.done < one.rows:
            start, first = time.thread_time(), one.done
            one.go_on(min(first + rows, one.rows))
            seconds[first : one.done] = (time.thread_time() - start) / (one.done - first)
    return found


def schedule(seconds: NDArray[np.float64], width: int, threads: int) -> float:
    """Seconds until the last plane is done: the first thread takes the first plane that may go on, the others the last one."""
    (count, height), rows = seconds.shape, max(1, pipeline.SLAB // width)
    done, free, idle, now = [0] * count, set(range(count)), set(range(threads)), 0.0
    running: list[tuple[float, int, int, int]] = []
    while min(done) < height:
        for thread in sorted(idle):
            reach = [height, *(d if d == height else d - MARGIN for d in done)]
            able = [i for i in sorted(free) if done[i] < reach[i]]
            if able:
                plane = able[-1 if thread else 0]
                until = min(done[plane] + rows, reach[plane])
                took = float(seconds[plane, done[plane] : until].sum())
                heapq.heappush(running, (now + took, thread, plane, until))
                idle.remove(thread)
                free.remove(plane)
        now, thread, plane, until = heapq.heappop(running)
        done[plane] = until
        idle.add(thread)
        free.add(plane)
    return now


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name or path")
    parser.add_argument("image", type=Path)
    parser.add_argument("--level", default="standard", help="of effort")
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2], help="threads, by the clock")
    parser.add_argument("--computed", type=int, nargs="*", default=[1, 2, 3, 8], help="threads, computed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    codec = cc.get_codec("ar.image", model=arguments.model, effort=arguments.level)
    if not isinstance(codec, ImageCodec):
        raise SystemExit("that is no model of ar.image")
    x = np.asarray(Image.open(arguments.image).convert("RGB"))
    by_the_clock(codec, x[:8, :8].copy(), 1, 1)  # compiles, or finds what is compiled
    found: dict[str, Any] = {"image": arguments.image.name, "shape": x.shape, "level": arguments.level}
    found["seconds"] = {jobs: by_the_clock(codec, x, jobs, arguments.repeats) for jobs in arguments.jobs}
    if arguments.computed and arguments.level == "standard":
        times = slabs(codec, x)
        found["cpu_seconds_of_planes"] = times.sum(axis=1).tolist()
        found["computed_seconds"] = {n: schedule(times, x.shape[1], n) for n in arguments.computed}
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
