"""Draw the pictures of docs/gallery.md from the samples: `make gallery`, a few minutes."""

import gzip
from pathlib import Path

import numpy as np

import codecs_core as cc
from codecs_core import media, registry
from codecs_core.report import bench, plots

ROOT = Path(__file__).parents[1]
BYTES = ["classic.png", "classic.bz2", "classic.lzma", "classic.webp", "classic.jxl"]
SETS = {
    "mnist-binary.npz": ["bbans.vae", *BYTES],
    "photos/parrots.png": ["idf.image", "ar.image", *BYTES],
}


def main() -> None:
    """Measure the samples with codecs that suit them, and draw."""
    shipped = {model.codec for model in registry.default().models}
    for name, wanted in SETS.items():
        sources = media.read([ROOT / "samples" / name])
        result = bench.run(sources, codecs=[id for id in wanted if id in BYTES or id in shipped])
        for path in plots.save(ROOT / "docs/assets", result, sources):
            print(path.relative_to(ROOT))
    between(ROOT / "docs/assets/lbb-between.png")
    plots.buckets().savefig(ROOT / "docs/assets/bbans-buckets.png", dpi=150)


def between(path: Path) -> None:
    """Ways from one digit to another, of ``lbb.flow``: a row each."""
    with gzip.open(ROOT / "samples/mnist.idx.gz") as file:
        digits = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    codec = cc.get_codec("lbb.flow", model="mnist")
    rows = [np.concatenate(codec.between(digits[i], digits[i + 1], 9), 1) for i in (0, 2, 4)]
    media.write(path, [("", np.concatenate(rows).repeat(2, 0).repeat(2, 1))], {"": {}})


if __name__ == "__main__":
    main()
