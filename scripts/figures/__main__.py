"""The figures of pages: ``make figures DATA=FOLDER``, or some of the tables: ``make figures DATA=FOLDER ARGS='stacks photos'``.

What was measured is kept in ``build/figures``, commit by commit, so that an interrupted run goes on where it was. When a table is complete,
its figures go to ``docs/assets/figures``, with commit, machine and date, the table goes into its pages,
and figures that sentences quote follow it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pages
import quotes
import sizes

#: Where the picture of the sizes is.
PICTURE = pages.ROOT / "docs/assets/sizes.svg"


def remembering(path: Path) -> sizes.Once:
    """What calls a function under a name, keeps what it gives in a file, and does not call it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def once(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if name not in known:
            known[name] = function(*arguments)
            path.write_text(json.dumps(known), "utf-8")
            print(f"{name}: {json.dumps(known[name])[:200]}", flush=True)
        return known[name]

    return once


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(prog="make figures", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with the data that scripts/figures names")
    parser.add_argument("tables", nargs="*", choices=[*pages.TABLES, []], metavar="TABLE", help="by default all")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        parser.error(f"{asked.data} must be a folder with the data")
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=pages.ROOT, capture_output=True, text=True, check=True
    )
    commit = head.stdout.strip()
    about = {
        "commit": commit,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    pages.ASSETS.mkdir(exist_ok=True)
    for name in asked.tables or pages.TABLES:
        once = remembering(pages.ROOT / f"build/figures/{commit}-{name}.json")
        figures = pages.TABLES[name].measure(asked.data, once)
        (pages.ASSETS / f"{name}.json").write_text(json.dumps({**about, "figures": figures}, indent=1) + "\n", "utf-8")
        pages.write(name)
        if name == "sizes":
            sizes.draw(figures, PICTURE)
        quotes.write()


if __name__ == "__main__":
    main()
