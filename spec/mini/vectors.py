"""Hold the mini reader against the vectors: ``python spec/mini/vectors.py [MANIFEST]``.

A vector passes if every array has the values, or reading ends with the code, that the manifest says. One that needs a codec or
library that this reader lacks is ``missing``.
"""

import hashlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from reader import Refused, little_endian, read


def check(vector, folder):
    """``ok``, ``missing``, or what is wrong."""
    data = (folder / vector["file"]).read_bytes()
    if hashlib.sha256(data).hexdigest() != vector["sha256"]:
        return "another file than the manifest says"
    if "XXH3" in vector["needs"] and find_spec("xxhash") is None:
        return "missing"
    try:
        found = {name: describe(array) for name, array in read(data).items()}
    except Refused as error:
        if vector["needs"] and error.code in ("missing", "unknown-codec"):
            return "missing"
        due = vector.get("code", "ok")
        return "ok" if error.code == due else f"got {error}, expected {due}"
    if vector["expect"] == "error":
        return f"got ok, expected {vector['code']}"
    return "ok" if found == vector["entries"] else "other values than expected"


def describe(array):
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "sha256": hashlib.sha256(little_endian(array)).hexdigest(),
    }


def main(manifest):
    results = {v["file"]: check(v, manifest.parent) for v in json.loads(manifest.read_text())["vectors"]}
    for name, result in results.items():
        print(f"{name}: {result}")
    return any(result not in ("ok", "missing") for result in results.values())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parents[1] / "vectors/manifest.json")))
