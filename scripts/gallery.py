"""Draw the pictures of docs/gallery.md from the samples: `make gallery`, a few minutes."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

import codecs_core as cc
from codecs_core import media, registry
from codecs_core.report import bench, plots
from codecs_core.report.plots.drawing import blank

ROOT = Path(__file__).parents[1]
BYTES = ["classic.png", "classic.bz2", "classic.lzma", "classic.webp", "classic.jxl"]
SETS = {
    "mnist-binary.npz": ["bbans.vae", *BYTES],
    "photos/parrots.png": ["idf.image", "ar.image", *BYTES],
}

#: Images in a row of the picture of `ar.stack`, and the random bits of its samples.
ITEMS, SEED = 12, 1


def stacks() -> Any:
    """Digits, what each of their pixels costs, and what the models `mnist` and `cifar10` of `ar.stack` hold likely."""
    codecs = {name: cc.get_codec("ar.stack", model=cc.load_model(f"ar.stack/{name}")) for name in ("mnist", "cifar10")}
    (source,) = media.read([ROOT / "samples/mnist.idx.gz"]).values()
    digits = source.load()[:ITEMS]
    bits = codecs["mnist"].information(digits)
    samples = {name: codec.sample(ITEMS, seed=SEED) for name, codec in codecs.items()}
    rows = [
        ("twelve digits", np.hstack(digits), "gray"),
        (f"bits per pixel: {bits.mean():.2f} on average", np.hstack(bits), "magma"),
        ("samples of mnist", np.hstack(samples["mnist"]), "gray"),
        ("samples of cifar10", np.hstack(samples["cifar10"]), None),
    ]
    figure, panes = blank(8, 3.6, rows=len(rows))
    for axes, (title, picture, colours) in zip(panes, rows, strict=True):
        axes.set_axis_off()
        drawn = axes.imshow(picture, cmap=colours, interpolation="nearest")
        axes.set_title(title, fontsize="small", loc="left")
        if colours == "magma":
            figure.colorbar(drawn, ax=axes)
    return figure


def main() -> None:
    """Measure the samples with codecs that suit them, and draw."""
    shipped = {model.codec for model in registry.default().models}
    for name, wanted in SETS.items():
        sources = media.read([ROOT / "samples" / name])
        result = bench.run(sources, codecs=[id for id in wanted if id in BYTES or id in shipped])
        for path in plots.save(ROOT / "docs/assets", result, sources):
            print(path.relative_to(ROOT))
    between(ROOT / "docs/assets/lbb-between.png")
    stacks().savefig(ROOT / "docs/assets/stack-models.png", dpi=110)
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
