"""What the kit does in fresh processes: ``python -m codecs_core.testing.child VERB FOLDER TRIALS``, with JSON on stdout.

``decode`` decodes the file it finds there and the codes beside it, then encodes the arrays beside it once more; ``damage`` decodes
damaged payloads.
"""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Bytes that a process may grow by while it decodes damaged payloads, beside 16 times the array they were.
ALLOWANCE = 1 << 28
#: Arrays of each config whose payloads are damaged.
ARRAYS = 2


def main() -> None:
    """Do as the command line says."""
    verb, folder, trials = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("error")  # none may come from a coding path
    if os.environ.get("EXACTNESS_TORCH"):
        import torch

        torch.set_flush_denormal(True)
    said = damage(folder, trials) if verb == "damage" else decode(folder)
    print(json.dumps(said))


def decode(folder: Path) -> dict[str, Any]:
    """Digests of the arrays in ``file.ccf``, or why there are none; and of the payloads of the same arrays, encoded here."""
    import hashlib

    import numpy as np

    import codecs_core as cc
    from codecs_core.arrays import ArraySpec
    from codecs_core.errors import CodecsError
    from codecs_core.testing.payloads import unstored
    from codecs_core.testing.vectors import sha256

    found: dict[str, Any] = {"decoded": {}, "encoded": {}}
    with cc.open(folder / "file.ccf") as file:
        for name, entry in file.items():
            try:
                found["decoded"][name] = sha256(entry[...])
            except CodecsError as error:
                found["decoded"][name] = f"{type(error).__name__}: {error}"
    for name, codec in _codecs(folder).items():
        array, code = np.load(folder / f"{name}.npy"), (folder / f"{name}.code").read_bytes()
        found["encoded"][name] = hashlib.sha256(codec.encode(array)).hexdigest()
        try:
            found["decoded"][f"the code of {name}"] = sha256(unstored(codec).decode(code, ArraySpec.of(array)))
        except CodecsError as error:
            found["decoded"][f"the code of {name}"] = f"{type(error).__name__}: {error}"
    return found


def damage(folder: Path, trials: int) -> dict[str, Any]:
    """Decode damaged payloads of every array; the errors that should not be, and how far the process grew."""
    import numpy as np

    from codecs_core.arrays import ArraySpec
    from codecs_core.errors import CodecsError
    from codecs_core.testing.payloads import cuts, flips

    found: dict[str, Any] = {"cuts": 0, "flips": 0, "specs": 0, "wrong": []}
    tried: list[Any] = []
    for name, codec in _stored_and_not(folder):
        if tried.count(codec) == ARRAYS:
            continue
        tried.append(codec)
        array = np.load(folder / f"{name}.npy")
        payload, spec = codec.encode(array), ArraySpec.of(array)
        for _ in range(2):
            codec.decode(payload, spec)
        before = _peak()
        damaged = [("cuts", *trial, spec) for trial in cuts(payload, trials)]
        damaged += [("flips", *trial, spec) for trial in flips(payload, trials)]
        damaged += [("specs", f"as {other.shape}", payload, other) for other in _other_specs(codec, spec)]
        for kind, trial, changed, due in damaged:
            (folder / "at").write_text(f"{kind}: entry {name}, {trial}", "utf-8")
            found[kind] += 1
            try:
                codec.decode(changed, due)
            except CodecsError:
                continue
            except BaseException as error:
                found["wrong"].append(f"{kind}: {type(error).__name__}: {error} ({trial}: {changed[:40].hex()})")
        grown = _peak() - before
        if grown > ALLOWANCE + 16 * spec.nbytes:
            found["wrong"].append(f"memory: {grown >> 20} MiB more than for the payload as it was")
    return found


def _stored_and_not(folder: Path) -> Iterator[tuple[str, Any]]:
    """The codec of every entry; where it stores payloads, also as it would be if it did not."""
    from codecs_core.testing.payloads import unstored

    for name, codec in _codecs(folder).items():
        yield name, codec
        if codec.stores_from is not None:
            yield name, unstored(codec)


def _other_specs(codec: Any, spec: Any) -> list[Any]:
    """Shapes that the payload was not made for, one of them of 2^20 bytes, which a few bytes may not claim for nothing."""
    from codecs_core.arrays import ArraySpec
    from codecs_core.errors import UnsupportedArrayError

    items = spec.shape[0] if spec.shape else 0
    many = (1 << 20) // max(1, spec.nbytes // max(1, items))
    found = []
    for count in (0, 1, items + 1, 2 * items, many) if spec.shape else ():
        other = ArraySpec((count, *spec.shape[1:]), spec.dtype)
        try:
            codec.check(other)
        except UnsupportedArrayError:
            continue
        if other != spec:
            found.append(other)
    return found


def _codecs(folder: Path) -> dict[str, Any]:
    """The codec of every entry of the file."""
    import codecs_core as cc
    from codecs_core.container import Reader
    from codecs_core.models import Model

    found = {}
    with Reader.open(folder / "file.ccf") as reader:
        for name, entry in reader.entries.items():
            data = None if entry.model is None else reader.model(entry.model)
            model = None if data is None else Model.from_bytes(data)
            found[name] = cc.get_codec(entry.codec, model=model, **entry.config)
    return found


def _peak() -> int:
    """The most memory that this process ever had, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux carries `ru_maxrss` over from the process that started this one
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text("utf-8"), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
