"""Tables of flows: integer ones, and local bits-back coding."""

from __future__ import annotations

from typing import Any

from cells import by_column, markdown, pair


def idf_table(found: dict[str, Any]) -> str:
    """Integer discrete flows: a column for each model and data."""
    rows = {
        "file, bits per value": lambda f: f"{f['file_bits_per_value']:.4f}",
        "encode, decode over networks": lambda f: pair(f, "{}_over_networks", "{:.2f}"),
        "encode, decode, MB/s, one thread": lambda f: pair(f, "{}_mb_per_second", "{:.2f}"),
        "PNG / WebP / JPEG XL effort 7": lambda f: " / ".join(f"{rate:.3f}" for rate in f["classical"].values()),
        "model, bytes": lambda f: f"{f['model_bytes']:,}",
    }
    return by_column(found, rows)


def lbb_table(found: dict[str, Any]) -> str:
    """Local bits-back coding: rates and speeds of each model."""
    rows = {
        "file, bits per value": lambda f: f"{f['rate']['file_bits_per_value']:.4f}",
        "the flow's theoretical rate, with the same noise": lambda f: f"{f['rate']['theory_bits_per_value']:.4f}",
        "coded rate less that, seed excluded": lambda f: f"{f['rate']['coded_less_theory']:+.5f}",
        "file over the theoretical rate, seed included": lambda f: f"{f['rate']['file_over_theory']:+.3%}",
        "seed, bits a dimension of one image": lambda f: f"{f['rate']['seed_bits_per_dimension_of_an_image']:.1f}",
        "encoding, decoding over the networks alone, 64 images": lambda f: pair(
            f["speed"], "batch_64_{}_over_networks", "{:.2f}"
        ),
        "encoding, decoding, ms of the processor an image, 64 images": lambda f: pair(
            f["speed"], "batch_64_{}_ms_per_image", "{:.2f}"
        ),
        "the same, one image": lambda f: pair(f["speed"], "batch_1_{}_ms_per_image", "{:.1f}"),
    }
    return by_column(found, rows)


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
