"""Run in a fresh process: ``child.py write FOLDER`` makes the reference, ``child.py read FOLDER`` is compared with it.

Prints JSON: for each case whether it encodes to the same bytes, and decodes the reference to the same values; and what is
special about the process, so that a test can tell that its environment was in force.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any


def about() -> dict[str, Any]:
    """What this process computes with."""
    import numba
    import numpy as np
    from cases import not_covered
    from llvmlite import binding

    from codecs_core.exact import blas

    threads = blas._openblas("get_num_threads")
    return {
        "simd": np.show_config(mode="dicts")["SIMD Extensions"].get("found", []),
        "openblas": blas.core() or None,
        "openblas_threads": threads() if threads else None,
        "numba_cpu": numba.config.CPU_NAME or binding.get_host_cpu_name(),
        "jit": not numba.config.DISABLE_JIT,
        "torch": "torch" in sys.modules,
        "not_covered": not_covered(),
    }


def main() -> None:
    """Do as the command line says."""
    verb, folder, size = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    # no warning may come from a coding path, in whatever way it is run
    warnings.simplefilter("error")
    if os.environ.get("EXACTNESS_TORCH"):
        import torch

        # another library in the process changed how the processor rounds very small numbers
        torch.set_flush_denormal(True)
    from cases import all_cases

    from codecs_core.errors import CodecsError

    result: dict[str, Any] = {}
    for name, case in all_cases(size).items():
        start = time.perf_counter()
        path, values = folder / f"{name}.bin", folder / f"{name}.txt"
        encoded = case.encode()
        if verb == "write":
            path.write_bytes(encoded)
            values.write_text(case.decode(encoded))
            result[name] = {"bytes": len(encoded)}
        else:
            result[name] = {"encodes": encoded == path.read_bytes(), "decodes": False}
            try:
                result[name]["decodes"] = case.decode(path.read_bytes()) == values.read_text()
            except CodecsError as error:
                result[name]["error"] = f"{type(error).__name__}: {error}"
        result[name]["seconds"] = round(time.perf_counter() - start, 3)
    print(json.dumps({"cases": result, "about": about()}))


if __name__ == "__main__":
    main()
