"""Draw the pictures of docs/gallery.md from the samples: `make gallery`, a few minutes."""

from pathlib import Path

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
    plots.buckets().savefig(ROOT / "docs/assets/bbans-buckets.png", dpi=150)


if __name__ == "__main__":
    main()
