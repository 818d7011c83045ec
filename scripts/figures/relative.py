"""Tables of relative entropy coding: samplers, images, small networks."""

from __future__ import annotations

from typing import Any

from cells import by_column, ladders, markdown, spread


def samplers_table(found: dict[str, Any]) -> str:
    """Samplers of the one-dimensional Gaussian channel: bits a sample against its information, and what else there is."""
    rec = found["samplers"]
    lengths = {name: dict(map(tuple, points)) for name, points in rec["lengths"].items()}
    ways = {
        '`BranchAndBound("dyadic")`': "GPRS, dyadic",
        '`BranchAndBound("sample")`': "GPRS, sample",
        '`AStar("dyadic")`': "A*, dyadic",
        "`ScaledDithered` (the decoder knows the scale)": "scaled dither",
    }
    told = (2.0, 4.0, 8.0, 12.0)
    bits = markdown(
        ["bits of information", *(f"{b:g}" for b in told)],
        [[f"{name}, bits a sample", *(f"{lengths[key][b]:.2f}" for b in told)] for name, key in ways.items()],
    )
    steps = [mean for split, *_, mean in rec["steps"] if split == "sample"]
    nodes = [visited for _, visited, _ in rec["peaks"]]
    p = [p for *_, p in rec["laws"]]
    _, encode, decode = rec["speed"][0]
    rest = {
        "settings whose quartiles agree with the published ones": f"{sum(r[3] for r in rec['steps'])} of {len(rec['steps'])}",
        "mean steps of branch and bound (on sample), 0.95 to 12 bits of information": spread(steps, "{:.2f}"),
        "nodes of AS\\* at one nat of information, largest ratio of 5.8 to 46.2 bits": spread(nodes, "{:.1f}"),
        f"p of Kolmogorov-Smirnov on 10^5 samples, {len(p)} pairs of a sampler and a target": spread(p, "{:.2f}"),
        "dyadic branch and bound at 4 bits, one thread: million samples a second encoded, decoded": (
            f"{encode / 1e6:.2f}, {decode / 1e6:.1f}"
        ),
    }
    return f"{bits}\n\n{markdown(['', 'measured'], [list(row) for row in rest.items()])}"


def blocks_table(found: dict[str, Any]) -> str:
    """Gaussian blocks whose axes are cut, and lattices."""
    heads = ["block", "binary digits of a box", "candidates at most", "D_KL, bits", "length, bits", "over D_KL"]
    blocks = markdown(
        [*heads, "variance"],
        [
            [
                *(f"{b['axes']} axes of {b['bits']:g} bits", b["digits"], f"2^{b['most']}", f"{b['kl']:.2f}"),
                *(f"{b['length']:.2f}", f"{b['length'] / b['kl'] - 1:+.1%}", f"{b['variance']:.3f}"),
            ]
            for b in found["blocks"]["blocks"]
        ],
    )
    dither = found["lattice"]["lattice"]
    at_4 = next(row for row in dither if row["bits"] == 4)
    lattice = markdown(
        ["bits a dimension over the information, at", *(f"{row['bits']:g} bits" for row in dither)],
        [
            ["dithering with the Leech lattice", *(f"{row['Leech']:.3f}" for row in dither)],
            ["dithering with E8", *(f"{row['E8']:.3f}" for row in dither)],
            ["scaled dithering in one dimension", *(f"{row['scaled']:.3f}" for row in dither)],
        ],
    )
    speeds = markdown(
        ["thousand dimensions a second of a processor, at 4 bits", "encoded", "decoded"],
        [
            [name, *(f"{at_4[f'{key}, {way} a second'] / 1e3:,.0f}" for way in ("encoded", "decoded"))]
            for name, key in (("Leech lattice", "Leech"), ("E8", "E8"), ("one dimension", "scaled"))
        ],
    )
    return f"{blocks}\n\n{lattice}\n\n{speeds}"


def single_table(found: dict[str, Any]) -> str:
    """One image alone with `rec.vae-lossless`: a line for each model."""
    return markdown(
        [
            "one image alone",
            "bound, bits an image",
            "`rec.vae-lossless`",
            "`effort=smallest`",
            "sampled",
            "`bbans.vae`",
        ],
        [
            [
                *(f"`{row['model']}`, {row['items']} images", f"{row['bound_bits']:.1f}"),
                *(
                    f"{row[way]['over_bound']:+.1%} ({1e3 * row[way]['seconds']:.0f} ms)"
                    for way in ("search", "smallest", "sample")
                ),
                f"{row['bbans_alone_bits'] / row['bound_bits'] - 1:+.0%}",
            ]
            for row in found["single"]["single"]
        ],
    )


def rungs_table(found: dict[str, Any]) -> str:
    """The latents of digits alone, block by block, and what a file without loss takes."""
    models = found["rungs"]["models"]
    table = ladders("rec.vae-latents", {f"`{m['model']}`, {m['items']:,} digits": m["rungs"] for m in models})
    whole = ", ".join(f"`{m['model']}` {m['lossless_bits_per_pixel']:.3f}" for m in models)
    return f"{table}\n\nWithout loss, by `rec.vae-lossless`, bits per pixel: {whole}."


def distortion_table(found: dict[str, Any]) -> str:
    """Images with loss."""
    return curves_table(found["distortion"]["distortion"])


def realism_table(found: dict[str, Any]) -> str:
    """Rate, distortion and realism: a line for each quality and way of encoding."""
    heads = [
        "quality, encoded by",
        "bits per pixel",
        "PSNR, dB",
        "energy of slopes, of the originals'",
        "distance of features",
    ]
    rows = [
        [
            f"{row['quality']}, {row['way']}",
            f"{row['bits_per_pixel']:.3f}",
            f"{row['psnr']:.2f}",
            f"{row['gradients']:.2f}",
            f"{row['frechet']:.2f}",
        ]
        for row in found["realism"]["rows"]
    ]
    return markdown(heads, rows)


def photographs_table(found: dict[str, Any]) -> str:
    """Photographs with loss: PSNR at equal rates."""
    about = found["photographs"]
    rows = {
        name: [f"{decibels:.2f}" if decibels is not None else "–" for decibels in row]
        for name, row in about["equal"].items()
    }
    table = markdown(
        ["PSNR in dB, at bits per pixel of", *(f"{rate:g}" for rate in about["rates"])],
        [[name, *rows[name]] for name in sorted(rows, key=lambda name: not name.startswith("rec"))],
    )
    spent = "; ".join(f"{name}: {e:.1f} and {d:.1f}" for name, (e, d) in about["seconds"].items())
    return f"{table}\n\nSeconds of a processor to encode a photograph and to decode it: {spent}."


def inr_table(found: dict[str, Any]) -> str:
    """Small Bayesian networks: what each model does, and rates beside distortions."""
    rows = {
        "bits per pixel of payloads": lambda m: f"{m['payload']:.4f}",
        "the same of one file of all images": lambda m: f"{m['file']:.4f}",
        "PSNR, dB": lambda m: f"{m['psnr']:.2f}",
        "bits of the indices over what their groups told when they were settled": lambda m: (
            f"{m['coded over told']:+.0%}"
        ),
        "encoding an image, processor seconds": lambda m: f"{m['encode']:.2f}",
        "decoding it, alone, processor ms": lambda m: f"{1e3 * m['decode alone']:.1f}",
    }
    models = {f"`{name}`": model for name, model in found["inr"]["models"].items()}
    return f"{by_column(models, rows)}\n\n{curves_table(found['inr']['rows'])}"


def inr_photos_table(found: dict[str, Any]) -> str:
    """Patches of photographs that share what they have in common, and that do not: each model on both sets, and curves of files."""
    rows = {
        "bits per pixel of payloads": lambda m: f"{m['payload']:.4f}",
        "of files": lambda m: f"{m['file']:.4f}",
        "PSNR, dB": lambda m: f"{m['psnr']:.2f}",
        "steps of the error across borders of patches, over those elsewhere": lambda m: f"{m['seams']:.2f}",
        "encoding a megapixel, processor seconds": lambda m: f"{m['encode']:.0f}",
        "decoding it": lambda m: f"{m['decode']:.1f}",
    }
    sets = {"val": "4 small photographs", "full": "3 of 768 x 512"}
    models = {
        f"`{name}`, {words}": model
        for folder, words in sets.items()
        for name, model in found["photos"][folder]["models"].items()
    }
    curves = [f"{words}, files:\n\n{curves_table(found['photos'][folder]['rows'])}" for folder, words in sets.items()]
    return "\n\n".join([by_column(models, rows), *curves])


def lenet_table(found: dict[str, Any]) -> str:
    """LeNet-5 as a file."""
    rows = {
        "steps of training, and after each block": lambda f: f"{f['steps']:,}, {f['between']}",
        "variables of a block, bits of it": lambda f: f"{f['block']}, {f['bits']:g}",
        "bytes of the file": lambda f: f"{f['bytes']:,}",
        "wrong of what was held out": lambda f: f"{f['held_out']:.2%}",
        "wrong of the test images": lambda f: f"{f['test']:.2%}",
    }
    return by_column({"LeNet-5": found["lenet"]}, rows)


def sound_table(found: dict[str, Any]) -> str:
    """Sound: what each model does, and rates beside distortions."""
    rows = {
        "kbit/s of payloads": lambda m: f"{m['payload']:.2f}",
        "the same of a file of each second": lambda m: f"{m['file']:.2f}",
        "PSNR, dB, with the peak 2": lambda m: f"{m['psnr']:.2f}",
        "encoding a second, processor seconds": lambda m: f"{m['encode']:.1f}",
        "reading and decoding it, processor ms": lambda m: f"{1e3 * m['decode']:.0f}",
    }
    models = {f"`{name}`": model for name, model in found["sound"]["models"].items()}
    return f"{by_column(models, rows)}\n\n{curves_table(found['sound']['rows'], 'kbit/s of files')}"


def curves_table(curves: dict[str, list[tuple[float, float]]], unit: str = "bits per pixel") -> str:
    """Rates beside distortions."""
    rows = [
        [name, ", ".join(f"{rate:.3f}: {psnr:.2f}" for rate, psnr in sorted(curve))] for name, curve in curves.items()
    ]
    return markdown(["", f"{unit}: dB"], rows, left=2)
