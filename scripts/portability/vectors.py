"""What a machine makes of what was written once: the vectors of the format, and the golden vectors of the plugins.

A line of JSON for each: ``ok``, ``missing`` if a library of a codec is not there, or what is wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain

import files

import codecs_core as cc
from codecs_core.errors import CodecsError
from codecs_core.jit import PLAIN
from codecs_core.registry import default
from codecs_core.testing import vectors

#: Codes of errors that say that something is not installed.
MISSING = ("missing-dependency", "unknown-codec", "plugin-load")


def main() -> None:
    """Read them all; where kernels are plain Python, those of the format, which are small."""
    start = time.process_time()
    for codec, name, result in chain(of_the_format(), () if PLAIN else of_the_plugins()):
        end = time.process_time()
        said = {"codec": codec, "vector": name, "result": result, "seconds": round(end - start, 1)}
        print(json.dumps(said), flush=True)
        start = end


def of_the_format() -> Iterator[tuple[str, str, str]]:
    """Files, with what the manifest says of them."""
    folder = files.ROOT / "spec/vectors"
    for vector in json.loads((folder / "manifest.json").read_text("utf-8"))["vectors"]:
        code = "ok"
        try:
            with cc.open(folder / vector["file"]) as file:
                for sha256 in file._reader.models:
                    file._reader.model(sha256)
                found = {name: entry[...] for name, entry in file.items()}
        except CodecsError as error:
            code, found = error.code, {}
        told = {name: said["sha256"] for name, said in vector.get("entries", {}).items()}
        right = code == vector.get("code", "ok") and {n: vectors.sha256(a) for n, a in found.items()} == told
        yield "", vector["file"], "ok" if right else "missing" if code in MISSING else f"{code}, or other values"


def of_the_plugins() -> Iterator[tuple[str, str, str]]:
    """Payloads, with the digest of what they stand for."""
    for folder in sorted(files.ROOT.glob("plugins/*/tests/vectors")):
        for codec_id in sorted({path.name.split("-v")[0] for path in folder.glob("*.json")}):
            for vector, model in vectors.read(folder, codec_id):
                try:
                    codec = default().codec_class(codec_id).from_config(vector.config, model=model)
                    array = codec.decode(vector.payload, vector.spec, version=vector.format_version)
                    result = "ok" if vectors.sha256(array) == vector.sha256 else "other values"
                except CodecsError as error:
                    result = "missing" if error.code in MISSING else f"{error.code}: {error}"
                yield codec_id, vector.stem, result


if __name__ == "__main__":
    main()
