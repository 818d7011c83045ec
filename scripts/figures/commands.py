"""The commands that fill tables: a command for each column, or one for a whole table; DATA is the folder with the data."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STACK, PHOTO, IDF, LBB = "benchmarks/stack.py", "benchmarks/ar.py", "benchmarks/idf.py", "benchmarks/lbb.py"
HVAE = "benchmarks/hvae.py"
REC, BLOCK = "benchmarks/rec.py", "benchmarks/rec_blocks.py"
MNIST, CIFAR10 = "DATA/mnist/mnist_test.npz", "DATA/cifar10/test-*.webp"
STACKS = {
    "`mnist-binary`": [STACK, "ar.stack/mnist-binary", MNIST],
    "`mnist`": [STACK, "ar.stack/mnist", MNIST],
    "`cifar10`": [STACK, "ar.stack/cifar10", CIFAR10],
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
CIFAR = {"`cifar10`, 10,000 test images": [PHOTO, "cifar10", CIFAR10, "--no-classical", "--json"]}
DIGITS = {"digits": ["benchmarks/bbans.py", MNIST, "--json"]}
EFFORT = {"effort": ["benchmarks/bbans_effort.py", MNIST, "--gap", "100", "--json"]}


IDFS = {
    "`cifar10`, 10,000 test images": [IDF, "cifar10", CIFAR10, "--json"],
    "`photo`, 39 photographs": [IDF, "photo", "DATA/photos/val", "--json"],
}
HVAES = {
    "`cifar10`, 10,000 test images": [HVAE, "cifar10", CIFAR10, "--no-classical", "--json"],
    "`photo`, 39 photographs": [HVAE, "photo", "DATA/photos/val", "--no-classical", "--json"],
}
LADDERS = {
    "1,000 test images of CIFAR-10": [HVAE, "cifar10", "DATA/cifar10/test-00.webp", "--ladder", "--json"],
    "8 photographs of 768 x 512": [HVAE, "photo", "DATA/photos/full", "--ladder", "--json"],
}
LBBS = {
    "`cifar10`, 10,000 test images": [LBB, "cifar10", CIFAR10, "--only", "rate", "speed", "--json"],
    "`mnist`, 2,000 test images": [LBB, "mnist", MNIST, "--only", "rate", "speed", "--items", "2000", "--json"],
}
BOXES = {
    "boxes": [LBB, "cifar10", CIFAR10, "--only", "growth", "black_box", "--plots", "docs/assets", "--json"],
}
SAMPLERS = {
    "samplers": [
        *(REC, "steps", "lengths", "peaks", "laws", "speed", "laplace"),
        *("--plots", "docs/assets", "--json", "JSON"),
    ]
}
BLOCKS = {
    "blocks": [BLOCK, "blocks", "--samples", "3200", "--json", "JSON"],
    "lattice": [BLOCK, "lattice", "--samples", "100800", "--json", "JSON"],
}
SINGLE = {"single": [REC, "single", "--mnist", MNIST, "--items", "100", "--json", "JSON"]}
RUNGS = {"rungs": ["benchmarks/rec_ladder.py", MNIST, "--json"]}
REALISM = {"realism": ["benchmarks/rec_realism.py", "DATA/cifar10", "--items", "500", "--json"]}
DISTORTION = {
    "distortion": [
        *(REC, "distortion", "--colour", "DATA/cifar10", "--items", "200"),
        *("--plots", "docs/assets", "--json", "JSON"),
    ]
}
PHOTOGRAPHS = {"photographs": ["benchmarks/rec_photos.py", "DATA/photos/full", "--json", "JSON"]}
INR = {
    "inr": [
        *("benchmarks/inr.py", "DATA/cifar10/test-00.webp", "--picture", "docs/assets/inr-groups.png"),
        *("--json", "JSON"),
    ]
}
INR_PHOTOS = {"photos": ["benchmarks/inr_photos.py", "DATA/photos/val", "DATA/photos/full", "--json", "JSON"]}
SOUND = {"sound": ["benchmarks/inr_sound.py", "DATA/arrays/aud_digits_jackson.npz", "--json", "JSON"]}
ENTROPY = {"entropy": ["benchmarks/entropy.py", "--repeats", "15", "--json"]}
ARRAYS = {
    "arrays": ["benchmarks/ar_array.py", "DATA/arrays", "--baselines", "DATA/arrays/baselines.csv"],
    "auto": ["benchmarks/choosing.py", "DATA/arrays", "--json", "JSON"],
}
BOUNDED = {"arrays": ["benchmarks/bounded.py", "DATA/arrays", "--json"]}
BUCKETS = {"buckets": ["benchmarks/bbans.py", MNIST, "mnist", "--buckets", "--json"]}
PARTICLES = {
    "particles": [
        *("benchmarks/bbans.py", MNIST, "mnist", "--particles", "1", "8", "64", "--weighted-items", "400"),
        *("--picture", "docs/assets/bbans-particles.svg", "--json"),
    ]
}
PROFILES = {
    nbytes: ["benchmarks/profiles.py", "DATA/arrays", "--chunk", nbytes, "--json"]
    for nbytes in ("4096", "16384", "1048576")
}
LENET = {
    "lenet": [
        *("plugins/rec/scripts/train_lenet.py", "DATA/mnist/mnist_train.npz", MNIST),
        *("build/figures/lenet.ccf", "--json", "JSON"),
    ]
}
COMPILING = {
    f"`{codec}`": ["benchmarks/compiling.py", codec, "--json"]
    for codec in (
        "ar.array",
        "ar.image",
        "ar.stack",
        "bbans.vae",
        "bbans.hvae",
        "idf.image",
        "lbb.flow",
        "rec.vae-lossless",
    )
}
ENTRIES = {"entries": ["benchmarks/entries.py", "--json"]}
ANNEALING = {"annealing": ["benchmarks/annealing.py", MNIST, "--json"]}
EXACT = {"speeds": ["benchmarks/exact.py", "--json"], "frozen": ["benchmarks/exact.py", "--freeze", "300", "--json"]}
ZARR = {"zarr": ["benchmarks/integrations.py", MNIST, "--json"]}


def run(data: Path, command: list[str]) -> Any:
    """What a benchmark prints as JSON, or writes to the file that its command calls JSON."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        script, *rest = [word for part in command for word in _words(part, data, file)]
        done = subprocess.run(
            [sys.executable, str(ROOT / script), *rest], stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True
        )
        return json.loads(file.read_text("utf-8") if file.exists() else done.stdout)


def _words(part: str, data: Path, file: Path) -> list[str]:
    if part == "JSON":
        return [str(file)]
    if not part.startswith("DATA/"):
        return [part]
    name = part.removeprefix("DATA/")
    return [str(path) for path in sorted(data.glob(name))] if "*" in name else [str(data / name)]
