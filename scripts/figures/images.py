"""Tables of images that local autoregression codes: stacks of small ones, photographs, other kinds."""

from __future__ import annotations

from typing import Any

from cells import by_column, markdown, pair


def stacks_table(found: dict[str, Any]) -> str:
    """Stacks of small images: a column for each model."""
    columns = {name: next(iter(stack.values())) for name, stack in found.items()}
    rows = {
        "images": lambda s: f"{s['images']:,}",
        "file, bits per value": lambda s: f"{s['file']['bits_per_value']:.4f}",
        "file over information content": lambda s: f"{s['file_over_information']:+.2%}",
        "file, bytes": lambda s: f"{s['file']['bytes']:,}",
        "encoding, decoding, MB/s": lambda s: pair(s["file"], "{}_mb_per_second", "{:.2f}"),
        "model in the file, bytes": lambda s: f"{s['model_in_the_file']:,}",
        "file and model": lambda s: f"{s['file_and_model']:,}",
        "xz": lambda s: f"{s['classical']['xz']:,}",
        "JPEG XL, one sprite, effort 9": lambda s: f"{s['classical']['JPEG XL, one sprite']:,}",
        "file and model are smaller than xz, than JPEG XL, from this number of images on": lambda s: ", ".join(
            "never" if n is None else f"{n:,}" for n in s["pays_from"].values()
        ),
        "bytes of an image alone, and in a stack": lambda s: ", ".join(f"{n:.1f}" for n in s["alone"].values()),
    }
    return by_column(columns, rows)


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
    return by_column(found, rows)


def cifar_table(found: dict[str, Any]) -> str:
    """Small images by `ar.image`."""
    rows = {
        "file, bits per value": lambda p: f"{p['file_bits_per_value']:.4f}",
        "encoding, decoding, MB/s": lambda p: f"{p['encode_mb_per_second']:.2f}, {p['decode_mb_per_second']:.2f}",
        "model, bytes": lambda p: f"{p['model_bytes']:,}",
    }
    return by_column(found, rows)


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
