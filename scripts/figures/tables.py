"""Tables of figures: which of those that a benchmark gives are shown, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Row = Callable[[Any], str]


def stacks_table(found: dict[str, Any]) -> str:
    """Stacks of small images: a column for each model."""
    columns = {name: next(iter(stack.values())) for name, stack in found.items()}
    rows = {
        "images": lambda s: f"{s['images']:,}",
        "file, bits per value": lambda s: f"{s['file']['bits_per_value']:.4f}",
        "file over information content": lambda s: f"{s['file_over_information']:+.2%}",
        "file, bytes": lambda s: f"{s['file']['bytes']:,}",
        "encoding, decoding, MB/s": lambda s: _pair(s["file"], "{}_mb_per_second", "{:.2f}"),
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


def cifar_table(found: dict[str, Any]) -> str:
    """Small images by `ar.image`."""
    rows = {
        "file, bits per value": lambda p: f"{p['file_bits_per_value']:.4f}",
        "encoding, decoding, MB/s": lambda p: f"{p['encode_mb_per_second']:.2f}, {p['decode_mb_per_second']:.2f}",
        "model, bytes": lambda p: f"{p['model_bytes']:,}",
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
    lines = [[name, *(f"{row[way]:.3f}" for way in ways)] for name, row in rows.items()]
    return markdown(["", *(heads.get(way, way) for way in ways)], lines)


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


def buckets_table(found: dict[str, Any]) -> str:
    """BB-ANS with other buckets of latents, and another precision of the posterior: bits per pixel."""
    rates = found["buckets"]["models"][0]["discretised"]
    rows = [[f"2^{bits}", precision, f"{rate:.4f}"] for bits, precision, rate in rates]
    return markdown(["buckets of a latent", "precision, bits", "information content, bits per pixel"], rows, 0)


def particles_table(found: dict[str, Any]) -> str:
    """Importance weighting: bits per pixel by the number of particles."""
    known = found["particles"]["models"][0]["weighted"]
    rows = {
        "coded": "bits_per_value",
        "the bound, by samples of its own": "bound",
        "coded, with the initial bits": "with_initial_bits",
    }
    heads = ["particles, bits per pixel", *(str(one["particles"]) for one in known)]
    return markdown(heads, [[name, *(f"{one[key]:.4f}" for one in known)] for name, key in rows.items()])


def effort_table(found: dict[str, Any]) -> str:
    """Inference while coding: a column for each model."""
    models = {f"`{m['model']}`": m for m in found["effort"]["models"]}
    rows: dict[str, Row] = {
        "standard, bits per pixel": lambda m: f"{m['levels'][0]['bits_per_value']:.4f}",
        "smallest, bits per pixel": lambda m: f"{m['levels'][1]['bits_per_value']:.4f}",
        "smallest over standard": lambda m: f"{m['levels'][1]['file_bytes'] / m['levels'][0]['file_bytes'] - 1:+.2%}",
        "CPU time of an image at standard, to encode and to decode": lambda m: _milliseconds(m["levels"][0]),
        "at smallest": lambda m: _milliseconds(m["levels"][1]),
        "the bound after 20, 50, 100 steps of Adam in floating point": lambda m: ", ".join(
            f"{change:+.2%}" for change in m["gap"].values()
        ),
    }
    return _table(models, rows)


def _milliseconds(level: dict[str, Any]) -> str:
    return f"{level['encode_ms']:.2f}, {level['decode_ms']:.2f} ms"


def idf_table(found: dict[str, Any]) -> str:
    """Integer discrete flows: a column for each model and data."""
    rows = {
        "file, bits per value": lambda f: f"{f['file_bits_per_value']:.4f}",
        "encode, decode over networks": lambda f: _pair(f, "{}_over_networks", "{:.2f}"),
        "encode, decode, MB/s, one thread": lambda f: _pair(f, "{}_mb_per_second", "{:.2f}"),
        "PNG / WebP / JPEG XL effort 7": lambda f: " / ".join(f"{rate:.3f}" for rate in f["classical"].values()),
        "model, bytes": lambda f: f"{f['model_bytes']:,}",
    }
    return _table(found, rows)


def hvae_table(found: dict[str, Any]) -> str:
    """Hierarchical autoencoders: a column for each model and data."""
    rows = {
        "file, bits per value": lambda f: f"{f['file']['bits_per_value']:.4f}",
        "an image alone: its evidence bound, bits per value": lambda f: f"{f['alone']['bound_bits_per_value']:.4f}",
        "payload of an image alone over its bound": lambda f: f"{f['alone']['payload_over_bound']:+.2%}",
        "the same, were latents drawn with bits of their own": lambda f: (
            f"{f['alone']['with_initial_bits_over_bound']:+.2%}"
        ),
        "encode, decode over networks": lambda f: _pair(f["speed"], "{}_over_networks", "{:.2f}"),
        "encode, decode, MB/s, one thread": lambda f: _pair(f["speed"], "{}_mb_per_second", "{:.2f}"),
        "model, bytes": lambda f: f"{f['model_bytes']:,}",
    }
    return _table(found, rows)


def ladder_table(found: dict[str, Any]) -> str:
    """The levels of a hierarchical autoencoder alone, beside lossy codecs at the nearest size: bits per pixel, and dB."""
    ways = {"bbans.hvae-lossy": lambda rung: rung, "WebP": lambda r: r["WebP"], "JPEG XL": lambda r: r["JPEG XL"]}
    rows = []
    for data, one in found.items():
        for rung in one["ladder"]:
            cells = [f"{way(rung)['bits_per_pixel']:.3f}, {way(rung)['psnr']:.2f}" for way in ways.values()]
            rows.append([data, rung["levels"], *cells])
    return markdown(["", "levels", *(f"{name}, bits per pixel, dB" for name in ways)], rows, 1)


def lbb_table(found: dict[str, Any]) -> str:
    """Local bits-back coding: rates and speeds of each model."""
    rows = {
        "file, bits per value": lambda f: f"{f['rate']['file_bits_per_value']:.4f}",
        "the flow's theoretical rate, with the same noise": lambda f: f"{f['rate']['theory_bits_per_value']:.4f}",
        "coded rate less that, seed excluded": lambda f: f"{f['rate']['coded_less_theory']:+.5f}",
        "file over the theoretical rate, seed included": lambda f: f"{f['rate']['file_over_theory']:+.3%}",
        "seed, bits a dimension of one image": lambda f: f"{f['rate']['seed_bits_per_dimension_of_an_image']:.1f}",
        "encoding, decoding over the networks alone, 64 images": lambda f: _pair(
            f["speed"], "batch_64_{}_over_networks", "{:.2f}"
        ),
        "encoding, decoding, ms of the processor an image, 64 images": lambda f: _pair(
            f["speed"], "batch_64_{}_ms_per_image", "{:.2f}"
        ),
        "the same, one image": lambda f: _pair(f["speed"], "batch_1_{}_ms_per_image", "{:.1f}"),
    }
    return _table(found, rows)


def boxes_table(found: dict[str, Any]) -> str:
    """Local bits-back coding: times against dimensions, then black boxes."""
    grown = found["boxes"]["growth"]["ms_per_image"]
    sizes = markdown(
        ["dimensions of an image", *(f"{int(d):,}" for d in grown)],
        [["ms to encode it", *(f"{ms:.1f}" for ms in grown.values())]],
    )
    law = f"That is the dimension to the power of {found['boxes']['growth']['exponent']:.2f}."
    heads = ["dimensions", "black box, ms", "layer by layer, ms, alone", "in a batch", "times faster, alone"]
    boxes = markdown(
        [*heads, "in a batch", "black box, bits per dimension less theory", "layer by layer"],
        [
            [
                *(d, f"{b['black_box_ms']:.3g}", f"{b['layers_ms_alone']:.2f}", f"{b['layers_ms_in_a_batch']:.3f}"),
                *(f"{b['faster_alone']:.0f}", f"{b['faster_in_a_batch']:.0f}"),
                *(f"{b['black_box_less_theory']:+.4f}", f"{b['layers_less_theory']:+.4f}"),
            ]
            for d, b in found["boxes"]["black_box"].items()
        ],
    )
    return f"{sizes}\n\n{law}\n\n{boxes}"


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
        "mean steps of branch and bound (on sample), 0.95 to 12 bits of information": _range(steps, "{:.2f}"),
        "nodes of AS\\* at one nat of information, largest ratio of 5.8 to 46.2 bits": _range(nodes, "{:.1f}"),
        f"p of Kolmogorov-Smirnov on 10^5 samples, {len(p)} pairs of a sampler and a target": _range(p, "{:.2f}"),
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
    lattice = markdown(
        ["bits a dimension over the information, at", *(f"{row['bits']:g} bits" for row in dither)],
        [
            ["dithering with E8", *(f"{row['E8']:.3f}" for row in dither)],
            ["scaled dithering in one dimension", *(f"{row['scaled']:.3f}" for row in dither)],
        ],
    )
    return f"{blocks}\n\n{lattice}"


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


def distortion_table(found: dict[str, Any]) -> str:
    """Images with loss."""
    return curves_table(found["distortion"]["distortion"])


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
    return f"{_table(models, rows)}\n\n{curves_table(found['inr']['rows'])}"


def curves_table(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Rates beside distortions."""
    rows = [
        [name, ", ".join(f"{rate:.3f}: {psnr:.2f}" for rate, psnr in sorted(curve))] for name, curve in curves.items()
    ]
    return markdown(["", "bits per pixel: dB"], rows, left=2)


def entropy_table(found: dict[str, Any]) -> str:
    """The entropy coder: a line for each distribution, then lengths."""
    rows, speeds, more = found["entropy"]["rows"], {}, []
    for row in rows:
        name, _, way = row["name"].partition(": ")
        way, _, making = way.partition(", ")
        if row["unit"] == "M symbols/s" and way in ("encode", "decode") and not name.startswith("two threads"):
            speeds.setdefault(f"{name}, {making}" if making else name, {})[way] = row
        if name == "length over information content":
            more.append(row["ours"])

    def cells(ways: dict[str, Any]) -> Iterable[str]:
        for way in ("encode", "decode"):
            row = ways.get(way)
            yield "" if row is None else f"{row['ours']:.3g}"
            yield "" if row is None or row["best"] is None else f"{row['best']:.1f}"
            yield "" if row is None or row["target"] is None else str(row["target"])

    heads = ["million symbols a second", "encode", "ratio", "target", "decode", "ratio", "target"]
    table = markdown(heads, [[name, *cells(ways)] for name, ways in sorted(speeds.items())])
    lengths = (
        f"Messages of a million symbols are {_range(more, '{:.1f}')} bytes longer than their information content, "
        f"for {len(more)} distributions."
    )
    about = found["entropy"]["machine"]
    on = f"{about['cpu']}, numpy {about['numpy']}, numba {about['numba']}, constriction {about['constriction']}."
    return f"{table}\n\n{lengths} {on}"


def exact_table(found: dict[str, Any]) -> str:
    """Exact networks: speeds, then what freezing costs."""
    ways = ("layer", "network", "in parts", "float64", "product")

    def speeds(row: dict[str, Any]) -> list[str]:
        count, side, _ = row["size"]
        torch = max(row["torch"], row["torch, channels last"])
        return [
            str(row["channels"]),
            f"{count} of {side} x {side}",
            *(f"{row[way]:.0f}" for way in ways),
            f"{torch:.0f}",
        ]

    fast = markdown(["channels", "images", *ways, "torch"], [speeds(row) for row in found["speeds"]], left=2)
    untrained = {(r["weight_bits"], r["activation_bits"]): r for r in found["frozen"] if not r["trained"]}
    frozen = markdown(
        ["weights", "activations", "untrained", "at most", "trained", "at most", "layers of the trained one"],
        [
            [
                *(f"{r['weight_bits']} bits", f"{r['activation_bits']} bits"),
                *(
                    f"{part:.1%}"
                    for of in (untrained[r["weight_bits"], r["activation_bits"]], r)
                    for part in (of["error"], of["largest"])
                ),
                r["layers"],
            ]
            for r in found["frozen"]
            if r["trained"]
        ],
    )
    return f"{fast}\n\n{frozen}"


def zarr_table(found: dict[str, Any]) -> str:
    """Integrations: a line for each figure."""
    names = {
        "read_back_identical": "read back in a fresh process, identical",
        "same_bytes_as_one_process": "files of the store, the same bytes as those that one process wrote",
        "zarr_bytes": "bytes of the store, `zarr.json` included",
        "container_bytes": "bytes of the `.ccf` file of the same chunks",
        "zarr_over_container": "the store over the file",
        "item_identical": "one image of the file, read as if it were remote, identical",
        "requests": "its requests: the start, the end, the chunk",
        "bytes_fetched": "bytes fetched, in all",
        "bytes_of_the_chunk": "bytes of the chunk",
        "bytes_of_header_and_index": "bytes of header and index, which are in the rest",
        "import_zarr_loads_nothing_of_ours": "`import zarr` loads nothing of this project",
        "one_process_seconds": "seconds to write the array, one process",
        "two_workers_seconds": "the same, two workers, which also decode the file",
    }

    def cell(value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"

    zarr = found["zarr"]
    rows = {name: f"{zarr[key]:+.2%}" if "over" in key else cell(zarr[key]) for key, name in names.items()}
    return markdown(["", ""], [list(row) for row in rows.items()])


def _pair(found: dict[str, Any], key: str, form: str) -> str:
    return ", ".join(form.format(found[key.format(way)]) for way in ("encode", "decode"))


def _range(values: Iterable[float], form: str) -> str:
    found = sorted(values)
    return f"{form.format(found[0])} to {form.format(found[-1])}"


def _table(columns: dict[str, Any], rows: dict[str, Row]) -> str:
    return markdown(["", *columns], [[name, *map(cell, columns.values())] for name, cell in rows.items()])


def markdown(heads: list[str], rows: list[list[Any]], left: int = 1) -> str:
    """A table of Markdown, whose first columns are at the left."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * left}{'--:|' * (len(heads) - left)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])
