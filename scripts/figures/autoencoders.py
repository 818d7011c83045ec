"""Tables of bits-back coding with autoencoders, flat ones and hierarchies."""

from __future__ import annotations

from typing import Any

from cells import Row, by_column, ladders, markdown, pair


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
    return by_column({f"`{model['model']}`": model for model in found["digits"]["models"]}, rows)


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


def annealing_table(found: dict[str, Any]) -> str:
    """Annealed importance sampling: a column for each number of steps, with importance weighting that evaluates networks as often."""
    chains, weighted = (found["annealing"][name] for name in ("annealed", "weighted"))
    particles = {row["passes"]: row for row in weighted}
    rows: dict[str, Row] = {
        "evaluations of a network, an image": lambda a: f"{a['passes']:,}",
        "coded": lambda a: f"{a['bits_per_value']:.5f}",
        "the bound, by samples of its own": lambda a: f"{a['bound']:.5f}",
        "coded, with the initial bits": lambda a: f"{a['with_initial_bits']:.5f}",
        "CPU time of an image, to encode and to decode": _milliseconds,
    }
    lines = [[name, *map(cell, chains)] for name, cell in rows.items()]
    for name in ("coded", "coded, with the initial bits", "CPU time of an image, to encode and to decode"):
        same = [particles.get(chain["passes"]) for chain in chains]
        lines.append([f"as many particles: {name}", *(rows[name](one) if one else "" for one in same)])
    return markdown(["steps, bits per pixel", *(str(chain["steps"]) for chain in chains)], lines)


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
    return by_column(models, rows)


def _milliseconds(level: dict[str, Any]) -> str:
    return f"{level['encode_ms']:.2f}, {level['decode_ms']:.2f} ms"


def hvae_table(found: dict[str, Any]) -> str:
    """Hierarchical autoencoders: a column for each model and data."""
    rows = {
        "file, bits per value": lambda f: f"{f['file']['bits_per_value']:.4f}",
        "an image alone: its evidence bound, bits per value": lambda f: f"{f['alone']['bound_bits_per_value']:.4f}",
        "payload of an image alone over its bound": lambda f: f"{f['alone']['payload_over_bound']:+.2%}",
        "the same, were latents drawn with bits of their own": lambda f: (
            f"{f['alone']['with_initial_bits_over_bound']:+.2%}"
        ),
        "encode, decode over networks": lambda f: pair(f["speed"], "{}_over_networks", "{:.2f}"),
        "encode, decode, MB/s, one thread": lambda f: pair(f["speed"], "{}_mb_per_second", "{:.2f}"),
        "model, bytes": lambda f: f"{f['model_bytes']:,}",
    }
    return by_column(found, rows)


def ladder_table(found: dict[str, Any]) -> str:
    """The levels of a hierarchical autoencoder alone, beside lossy codecs at the nearest size."""
    return ladders("bbans.hvae-lossy", {data: one["ladder"] for data, one in found.items()})
