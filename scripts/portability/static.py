"""What is in the kernels: ``static.py write FOLDER``, then ``static.py read FOLDER`` in a fresh process.

``write`` encodes with every codec, and every case of the exactness matrix, and looks at all kernels which that takes; ``read`` decodes what
was written, and looks at those which decoding takes. JSON on stdout: of each kind of finding, where.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import files
import kernels

from codecs_core.jit import cache as code_cache

sys.path.append(str(files.ROOT / "tests/exactness"))

#: What numba itself calls to write a number into the text of an error; no kernel of ours may name it.
NUMBAS_OWN = "log10"


def main() -> None:
    """Do as the command line says."""
    verb, folder = sys.argv[1], Path(sys.argv[2])
    code_cache.without_text = lambda data: data  # the text is what is looked at
    with contextlib.redirect_stdout(io.StringIO()):
        found = {"write": write, "read": read}[verb](folder)
    print(json.dumps(found))


def write(folder: Path) -> dict[str, Any]:
    """Write files and cases, and look at what encodes and decodes."""
    from cases import all_cases

    files.write(folder / "files")
    (folder / "cases").mkdir()
    for name, case in all_cases("full").items():
        data = case.encode()
        case.decode(data)
        (folder / "cases" / name).write_bytes(data)
    texts = list(kernels.compiled())
    found: dict[str, Any] = {"kernels": len(texts), "products": 0, "loose": {}, "fused": defaultdict(dict)}
    found["never compiled"] = sorted(name for name, kernel in kernels.entry_points() if not kernel.overloads)
    found["blind"] = [name for name, processor in kernels.PROCESSORS.items() if not kernels.can_be_seen(processor)]
    for name, text in texts:
        if loose := kernels.loose(text):
            found["loose"][name] = loose
        if " fmul " in text:
            found["products"] += 1
            for processor, where in kernels.PROCESSORS.items():
                if fused := kernels.fused(text, where):
                    found["fused"][processor][name] = fused
    return found


def read(folder: Path) -> dict[str, Any]:
    """Decode the files and the cases, and look for functions of a mathematical library."""
    from cases import all_cases

    import codecs_core as cc

    for path in sorted((folder / "files").glob("*/file.ccf")):
        with cc.open(path) as file:
            for entry in file.values():
                entry[...]
    for name, case in all_cases("full").items():
        case.decode((folder / "cases" / name).read_bytes())
    texts = list(kernels.compiled())
    calls = {name: sorted(kernels.library_calls(text) - {NUMBAS_OWN}) for name, text in texts}
    named = [NUMBAS_OWN] if NUMBAS_OWN in kernels.names_used() else []
    return {"kernels": len(texts), "library": {name: found for name, found in calls.items() if found}, "named": named}


if __name__ == "__main__":
    main()
