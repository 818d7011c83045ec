"""The matrix as a part of ``docs/explanation/exactness.md``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from emulation import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = ROOT / "docs/explanation/exactness.md"
BEGIN, END = "<!-- matrix: written by make portability -->\n", "<!-- end of the matrix -->\n"


def write(rows: Sequence[Any]) -> None:
    """Put the matrix between its marks."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}", "utf-8")


def table(rows: Sequence[Any]) -> str:
    """Codec by machine, and below it what else was run."""
    codecs = sorted({result["name"] for row in rows for result in row.found.get("files", [])})
    lines = [
        "| codec | " + " | ".join(row.name for row in rows) + " |",
        "|---|" + "---|" * len(rows),
        *(f"| `{codec}` | " + " | ".join(_codec(row, codec) for row in rows) + " |" for codec in codecs),
    ]
    for task, what in _TASKS.items():
        lines.append(f"| {what} | " + " | ".join(_task(row, task) for row in rows) + " |")
    return "\n".join([*lines, "", _versions(), ""])


_TASKS = {
    "cases": "cases of the exactness matrix",
    "vectors": "vectors, by the package",
    "mini": "vectors, by the mini reader",
    "tests": "shapes that SME kernels get wrong",
}


def _codec(row: Any, codec: str) -> str:
    if row.skipped:
        return "skipped"
    parts = []
    files = [result for result in row.found.get("files", []) if result["name"] == codec]
    if files:
        parts.append(_count(files, "files"))
    golden = [result for result in row.found.get("vectors", []) if result["name"] == codec]
    if golden and not files:
        parts.append(f"decodes: {_count(golden, 'vectors')}")
    return "; ".join(parts) or "not run"


def _task(row: Any, task: str) -> str:
    if row.skipped:
        return "skipped"
    found = row.found.get(task)
    return "not run" if found is None else _count(found, "")


def _count(results: list[dict[str, Any]], what: str) -> str:
    """How many of how many are right, and what is missing."""
    missing = [result for result in results if result["verdict"] == "missing"]
    right = sum(result["verdict"] == "right" for result in results)
    said = f"{right} of {len(results) - len(missing)} {what}".strip()
    return (
        said + (f", {len(missing)} skipped" if missing else "")
        if len(results) > len(missing)
        else "skipped: a library is missing"
    )


def _versions() -> str:
    """Which libraries the machines have."""
    found = {}
    for wheel in sorted(CACHE.glob("wheels-aarch64/*.whl")):
        name, version = wheel.name.split("-")[:2]
        if name in ("numpy", "numba", "llvmlite", "pillow", "imagecodecs", "zstandard"):
            found[name] = version
    aarch64 = ", ".join(f"{name} {version}" for name, version in found.items())
    debian = {}
    for root in ("s390x", "s390x-new"):
        packages = sorted((CACHE / "debian" / root / "cache/archives").glob("python3-*.deb"))
        parts = [re.match(r"python3-(numpy|numba|pil)_(?:\d+%3a)?([\d.]+)", package.name) for package in packages]
        names = {"numpy": "numpy", "numba": "numba", "pil": "Pillow"}
        debian[root] = ", ".join(f"{names[part[1]]} {part[2].rstrip('.')}" for part in parts if part)
    return (
        f"aarch64: Python 3.11, {aarch64}. s390x: {debian['s390x']}, older than the package asks for, and kernels as plain Python; "
        f"s390x, numpy 2: {debian['s390x-new']}, without numba, so that only the mini reader runs."
    )
