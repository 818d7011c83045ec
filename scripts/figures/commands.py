"""Tables that benchmarks fill: which commands are run, and which of their figures a table shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STACK, PHOTO = "benchmarks/stack.py", "benchmarks/ar.py"
#: Columns of tables, and the command of each; DATA is the folder with the data.
STACKS = {
    "`mnist-binary`": [STACK, "ar.stack/mnist-binary", "DATA/mnist/mnist_test.npz"],
    "`mnist`": [STACK, "ar.stack/mnist", "DATA/mnist/mnist_test.npz"],
    "glyphs": [STACK, "--glyphs", "--minutes", "10"],
}
PHOTOS = {
    "39 of 250 x 200": [PHOTO, "photo", "DATA/photos/val", "--json"],
    "8 of 768 x 512": [PHOTO, "photo", "DATA/photos/full", "--json"],
    "the same, fast": [PHOTO, "photo", "DATA/photos/full", "--level", "fast", "--json"],
}


def run(data: Path, command: list[str]) -> Any:
    """What a benchmark prints, as JSON."""
    script, *rest = (part.replace("DATA", str(data)) if part.startswith("DATA/") else part for part in command)
    done = subprocess.run([sys.executable, str(ROOT / script), *rest], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def stacks_table(found: dict[str, Any]) -> str:
    """Stacks of small images: a column for each model."""
    columns = {name: next(iter(stack.values())) for name, stack in found.items()}
    rows = {
        "images": lambda s: f"{s['images']:,}",
        "file, bits per value": lambda s: f"{s['file']['bits_per_value']:.4f}",
        "file over information content": lambda s: f"{s['file_over_information']:+.2%}",
        "file, bytes": lambda s: f"{s['file']['bytes']:,}",
        "model in the file, bytes": lambda s: f"{s['model_in_the_file']:,}",
        "file and model": lambda s: f"{s['file_and_model']:,}",
        "xz": lambda s: f"{s['classical']['xz']:,}",
        "JPEG XL, one sprite, effort 9": lambda s: f"{s['classical']['JPEG XL, one sprite']:,}",
        "file and model are smaller than xz, than JPEG XL, from this number of images on": lambda s: ", ".join(
            "never" if n is None else f"{n:,}" for n in s["pays_from"].values()
        ),
        "bytes of an image alone, and in a stack": lambda s: ", ".join(f"{n:.1f}" for n in s["alone"].values()),
        "encoding, decoding, MB/s": lambda s: (
            f"{s['file']['encode_mb_per_second']:.2f}, {s['file']['decode_mb_per_second']:.2f}"
        ),
    }
    return _table(columns, rows)


def photos_table(found: dict[str, Any]) -> str:
    """Photographs: a column for each folder and level."""
    rows = {
        "file, bits per value": lambda p: f"{p['file_bits_per_value']:.3f}",
        "JPEG XL effort 7": lambda p: f"{p['classical']['JPEG XL effort 7']['bits_per_value']:.3f}",
        "WebP": lambda p: f"{p['classical']['WebP']['bits_per_value']:.3f}",
        "PNG": lambda p: f"{p['classical']['PNG']['bits_per_value']:.3f}",
        "encoding, decoding, MB/s": lambda p: f"{p['encode_mb_per_second']:.2f}, {p['decode_mb_per_second']:.2f}",
        "JPEG XL in the same run, on one thread": lambda p: ", ".join(
            f"{p['classical']['JPEG XL effort 7'][f'{verb}_mb_per_second']:.2f}" for verb in ("encode", "decode")
        ),
    }
    return _table(found, rows)


def _table(columns: dict[str, Any], rows: dict[str, Any]) -> str:
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    lines += [f"| {name} | {' | '.join(map(cell, columns.values()))} |" for name, cell in rows.items()]
    return "\n".join(lines)
