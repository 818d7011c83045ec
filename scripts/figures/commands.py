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
    "8 of 768 x 512": [
        *(
            PHOTO,
            "photo",
            "DATA/photos/full",
            "--effort",
            "1",
            "3",
            "5",
            "7",
            "--plot",
            "docs/assets/ar-speed.svg",
            "--json",
        )
    ],
    "39, smallest": [PHOTO, "photo", "DATA/photos/val", "--level", "smallest", "--json"],
    "8, smallest": [PHOTO, "photo", "DATA/photos/full", "--level", "smallest", "--json"],
    "8, fast": [PHOTO, "photo", "DATA/photos/full", "--level", "fast", "--json"],
}
KINDS = {
    "kinds": [
        *("benchmarks/ar_kinds.py", *(f"DATA/photos/full/{number}.webp" for number in ("05", "13", "23"))),
        *("--crop", "320", "--level", "fast", "standard", "--json"),
    ]
}
DIGITS = {"digits": ["benchmarks/bbans.py", "DATA/mnist/mnist_test.npz", "--json"]}


def run(data: Path, command: list[str]) -> Any:
    """What a benchmark prints, as JSON."""
    script, *rest = (part.replace("DATA", str(data)) if part.startswith("DATA/") else part for part in command)
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *rest], stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True
    )
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


def kinds_table(found: dict[str, Any]) -> str:
    """Images that are no photographs of 8 bits, and linear photographs, whose rates are averaged: bits per value of payloads."""
    images: dict[str, Any] = found["kinds"]
    linear = [row for name, row in images.items() if name.startswith("linear")]
    ways = ("fast", "standard", "fast, planes apart", "JPEG XL 7", "JPEG-LS")
    mean = {way: sum(row[way] for row in linear) / len(linear) for way in ways}
    rows = {
        f"{len(linear)} linear photographs of 320 x 320, 14 bits": mean,
        "shaded spheres, 8 bits": images["rendered, 8 bits"],
        "the same, 16 bits": images["rendered, 16 bits"],
        "a page of glyphs and boxes": images["page"],
        "a map of nine colours": images["map"],
    }
    heads = {"JPEG XL 7": "JPEG XL effort 7", "JPEG-LS": "JPEG-LS, planes apart"}
    lines = [f"| | {' | '.join(heads.get(way, way) for way in ways)} |", f"|---|{'--:|' * len(ways)}"]
    lines += [f"| {name} | {' | '.join(f'{row[way]:.3f}' for way in ways)} |" for name, row in rows.items()]
    return "\n".join(lines)


def digits_table(found: dict[str, Any]) -> str:
    """BB-ANS on MNIST: a column for each model."""
    rows = {
        "file, bits per pixel": lambda m: f"{m['file_bits_per_value']:.4f}",
        "over its information content": lambda m: f"{m['file_over_content']:+.2%}",
        "integer bound, bits per pixel": lambda m: f"{m['integer_bound']:.4f}",
        "xz / bz2 / gzip, bits per pixel": lambda m: " / ".join(
            f"{m['classical'][k]:.3f}" for k in ("xz", "bz2", "gzip")
        ),
        "encode / decode, MB/s": lambda m: f"{m['encode_mb_per_second']:.1f} / {m['decode_mb_per_second']:.1f}",
    }
    return _table({f"`{model['model']}`": model for model in found["digits"]["models"]}, rows)


def _table(columns: dict[str, Any], rows: dict[str, Any]) -> str:
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    lines += [f"| {name} | {' | '.join(map(cell, columns.values()))} |" for name, cell in rows.items()]
    return "\n".join(lines)
