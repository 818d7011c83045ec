"""Decodes a golden vector of every codec of some plugins, the longest of the newest version, where torch must not be installed.

usage: python scripts/decode_vectors.py PLUGIN...
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from codecs_core.registry import default
from codecs_core.testing.vectors import read, sha256

PLUGINS = Path(__file__).parents[1] / "plugins"


def main(plugins: list[str]) -> int:
    """Decode, and say what was decoded; 1 if torch is there, a plugin has no vector, or one decodes to other values."""
    if find_spec("torch") is not None:
        print("torch is installed, which no decoder needs", file=sys.stderr)
        return 1
    registry = default()
    for plugin in plugins:
        folder = PLUGINS / plugin / "tests/vectors"
        ids = sorted({path.name.partition("-v")[0] for path in folder.glob("*-v*.json")})
        for id in ids:
            vector, model = max(read(folder, id), key=lambda one: (one[0].format_version, len(one[0].payload)))
            codec = registry.codec_class(id).from_config(vector.config, model=model)
            decoded = codec.decode(vector.payload, vector.spec, version=vector.format_version)
            if sha256(decoded) != vector.sha256:
                print(f"{vector.stem} decodes to other values than it did", file=sys.stderr)
                return 1
            print(f"{id}: {vector.dtype} of shape {vector.shape}")
        if not ids:
            print(f"{folder} has no golden vectors", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
