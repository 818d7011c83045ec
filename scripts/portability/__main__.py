"""The same bits on other processors: ``make portability``.

Files of every codec are written here, and decoded and encoded again on emulated machines; so are the cases of the exactness matrix. The
vectors are read there, by the package and by the mini reader. Without an emulator, the check of the compiled kernels is all there is. Exit
status 1 if anything differs. Where nothing had to be skipped, the matrix in ``docs/explanation/exactness.md`` is written again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import emulation
import page
from emulation import CACHE, ROOT, Machine, Unavailable

HERE = Path(__file__).parent
#: How many processes run at a time.
PROCESSES = 2


@dataclass(kw_only=True)
class Row:
    """A machine, and what is run on it.

    Parameters
    ----------
    name
        For people.
    machine
        How it is had; raises `Unavailable` if it cannot.
    tasks
        Names of `TASKS`.
    """

    name: str
    machine: Callable[[], Machine]
    tasks: tuple[str, ...]
    skipped: str = ""
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def aarch64(cpu: str) -> Callable[[], Machine]:
    """A machine with this processor, and the packages of the index."""

    def make() -> Machine:
        if sys.version_info[:2] != emulation.PYTHON:
            raise Unavailable(f"kernels for it take Python {'.'.join(map(str, emulation.PYTHON))} here, as there")
        packages = ["python3-minimal", "libpython3-stdlib", "libgomp1", "libstdc++6", "libatomic1"]
        root = emulation.debian("aarch64", "arm64", packages)
        site = emulation.wheels("aarch64", emulation.requirements())
        variables = {"QEMU_CPU": cpu, "NUMBA_CACHE_DIR": str(CACHE / "kernels/aarch64"), "OPENBLAS_NUM_THREADS": "1"}
        return Machine(
            qemu=emulation.qemu("aarch64"),
            root=root,
            python="python3.11",
            path=[emulation.project(), *emulation.SOURCES, site],
            variables=variables | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
        )

    return make


def s390x() -> Machine:
    """A big-endian machine with the packages of Debian, for which numba compiles nothing."""
    packages = ["python3-minimal", "libpython3-stdlib", "python3-numpy", "python3-pil", "python3-xxhash"]
    root = emulation.debian("s390x", "s390x", [*packages, "python3-zstandard", "python3-msgpack", "python3-numba"])
    pure = emulation.pure(emulation.wheels("aarch64", emulation.requirements()))
    variables = {"NUMBA_DISABLE_JIT": "1", "NPY_PROMOTION_STATE": "weak", "PYTHONWARNINGS": "ignore"}
    return _s390x(root, "python3.11", [emulation.project(), *emulation.SOURCES, pure], variables)


def s390x_new() -> Machine:
    """The same with what Debian will have next: numpy 2, and no numba."""
    packages = [
        "python3-minimal",
        "libpython3-stdlib",
        "python3-numpy",
        "python3-pil",
        "python3-xxhash",
        "python3-zstandard",
    ]
    return _s390x(emulation.debian("s390x-new", "s390x", packages, suite="sid"), "python3", [], {})


def _s390x(root: Path, python: str, path: list[Path], variables: dict[str, str]) -> Machine:
    libraries = ":".join(f"/usr/lib/s390x-linux-gnu/{name}" for name in ("blas", "lapack"))
    path = [*path, root / "usr/lib/python3/dist-packages"]
    variables = {**variables, "LD_LIBRARY_PATH": libraries}
    # the emulator's own libraries are static
    return Machine(qemu=emulation.qemu("s390x"), root=root, python=python, path=path, variables=variables)


ROWS = [
    Row(name="aarch64 with SME", machine=aarch64("max"), tasks=("files", "cases", "vectors", "tests")),
    Row(name="aarch64 with SVE", machine=aarch64("max,sme=off"), tasks=("tests",)),
    Row(name="aarch64 with NEON alone", machine=aarch64("neoverse-n1"), tasks=("files", "tests")),
    Row(name="s390x", machine=s390x, tasks=("vectors",)),
    Row(name="s390x, numpy 2", machine=s390x_new, tasks=("mini",)),
]


#: What each task runs, with ``FOLDER`` for a folder of its own that was written here.
TASKS: dict[str, list[str | Path]] = {
    "files": [HERE / "files.py", "read", "FOLDER"],
    "cases": [ROOT / "tests/exactness/child.py", "read", "FOLDER", "full"],
    "tests": [HERE / "tests.py"],
    "vectors": [HERE / "vectors.py"],
    "mini": [ROOT / "spec/mini/vectors.py"],
}


def write() -> None:
    """Write what the machines will read, and kernels for them."""
    here, there = CACHE / "kernels/here", CACHE / "kernels/aarch64"
    if not there.exists():  # those of here would be found, and none compiled
        shutil.rmtree(here, ignore_errors=True)
    for task in ("files", "cases", "tests"):
        folder = CACHE / "written" / task
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        script = [{"read": "write", "FOLDER": folder}.get(str(part), part) for part in TASKS[task]]
        command = [sys.executable, HERE / "cross.py", there, *script]
        settings = {**os.environ, "NUMBA_CACHE_DIR": str(here)}
        done = subprocess.run(list(map(str, command)), env=settings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{task} cannot be written: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def run(row: Row, machine: Machine, task: str) -> None:
    """Run a task, and keep what was said."""
    name, start = f"{row.name} {task}".replace(" ", "-"), time.monotonic()
    output, folder = CACHE / "said" / f"{name}.out", CACHE / "written" / task
    if task == "files":  # for what is encoded again
        shutil.rmtree(CACHE / "written" / name, ignore_errors=True)
        folder = shutil.copytree(folder, CACHE / "written" / name)
    status = machine.start([folder if part == "FOLDER" else part for part in TASKS[task]], output).wait()
    row.found[task] = results(task, output, status)
    wrong = [result for result in row.found[task] if result["verdict"] == "wrong"]
    seconds = time.monotonic() - start
    print(f"{row.name}, {task}: {len(row.found[task])} tried, {len(wrong)} wrong ({seconds:.0f} s)", flush=True)
    for result in wrong[:5]:
        print(f"  {json.dumps(result)}", flush=True)


def results(task: str, output: Path, status: int) -> list[dict[str, Any]]:
    """What a task found: for each thing tried its ``verdict``, ``right``, ``missing`` or ``wrong``."""
    lines = output.read_text("utf-8", "replace").splitlines()
    found = list({"files": _files, "cases": _cases, "vectors": _vectors, "mini": _mini, "tests": _tests}[task](lines))
    errors = output.with_suffix(".errors").read_text("utf-8", "replace").strip()
    if not found or status not in (0, 1) or (status and all(result["verdict"] != "wrong" for result in found)):
        last = (errors or "nothing was said").splitlines()[-1]
        found.append({"name": task, "verdict": "wrong", "why": f"it ended with status {status}: {last}"})
    return found


def _files(lines: list[str]) -> Any:
    for said in map(json.loads, lines):
        right = said["decodes"] is True and said.get("encodes", True) is True
        verdict = "missing" if "missing" in said else "right" if right else "wrong"
        yield {"name": said["codec"], "verdict": verdict, "why": said}


def _cases(lines: list[str]) -> Any:
    for name, said in (json.loads(lines[-1])["cases"] if lines else {}).items():
        yield {"name": name, "verdict": "right" if said["encodes"] and said["decodes"] else "wrong", "why": said}


def _vectors(lines: list[str]) -> Any:
    for said in map(json.loads, lines):
        verdict = {"ok": "right", "missing": "missing"}.get(said["result"], "wrong")
        yield {"name": said["codec"] or said["vector"], "verdict": verdict, "why": said["result"]}


def _mini(lines: list[str]) -> Any:
    for name, _, result in (line.partition(": ") for line in lines):
        yield {"name": name, "verdict": {"ok": "right", "missing": "missing"}.get(result, "wrong"), "why": result}


def _tests(lines: list[str]) -> Any:
    last = lines[-1] if lines else ""
    yield {
        "name": "tests",
        "verdict": "right" if " passed" in last and "fail" not in last else "wrong",
        "why": last,
    }


def emulated() -> bool:
    """Whether there is an emulator."""
    try:
        emulation.qemu("aarch64")
    except Unavailable as error:
        print(f"No emulator: {error}", flush=True)
        return False
    return True


def machines(rows: list[Row]) -> list[tuple[Row, Machine]]:
    """Those rows that can be had; of the others it is said why not."""
    found = []
    for row in rows:
        try:
            found.append((row, row.machine()))
        except Unavailable as error:
            row.skipped = str(error)
            print(f"{row.name}: skipped, {error}", flush=True)
    return found


def static() -> bool:
    """Whether nothing is wrong with the compiled kernels, as far as can be seen without another processor."""
    test = ROOT / "tests/exactness/test_kernels.py"
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "0", str(test)], cwd=ROOT, check=False)
    return done.returncode == 0


def main() -> int:
    """Run all rows that can be had."""
    parser = argparse.ArgumentParser(prog="make portability", description=__doc__)
    parser.add_argument("--row", action="append", help="only rows whose name begins so", metavar="NAME")
    only = tuple(parser.parse_args().row or ("",))
    rows = [row for row in ROWS if row.name.startswith(only)]
    CACHE.mkdir(exist_ok=True)
    (CACHE / "said").mkdir(exist_ok=True)
    if not emulated():
        print("There is no emulator: the kernels are looked at, and nothing is run on another processor.", flush=True)
        return 0 if static() else 1
    with ThreadPoolExecutor(PROCESSES) as pool:
        print("Writing files, and kernels for aarch64.", flush=True)
        ready = pool.submit(write)
        jobs = [(row, machine, task) for row, machine in machines(rows) for task in row.tasks]
        # a machine without kernels reads nothing that is written
        alone = [job for job in jobs if not job[0].name.startswith("aarch64")]
        running = [pool.submit(run, *job) for job in alone]
        ready.result()
        running += [pool.submit(run, *job) for job in jobs if job not in alone]
    for job in running:
        job.result()
    if not jobs:
        return 0 if static() else 1
    print(page.table(rows))
    wrong = sum(result["verdict"] == "wrong" for row in rows for found in row.found.values() for result in found)
    if not wrong and rows == ROWS and not any(row.skipped for row in rows):
        page.write(rows)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
