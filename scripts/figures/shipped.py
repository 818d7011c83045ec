"""Models that ship with the plugins: what they were made of, and what freezing cost them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sizes
from cells import markdown

import codecs_core as cc
from codecs_core.registry import default


def models(_data: Path, _once: sizes.Once) -> dict[str, dict[str, Any]]:
    """What each model says of itself, by its codec and its name."""
    found = {}
    for spec in default().models:
        model = cc.load_model(spec.name, codec=spec.codec)
        attrs = {key: model.attrs.get(key) for key in ("data", "command", "held_out")}
        found[f"{spec.codec}/{spec.name}"] = {"bytes": len(model.data), **attrs}
    return found


def models_table(found: dict[str, dict[str, Any]]) -> str:
    """A line for each model."""
    rows = []
    for name, model in sorted(found.items(), key=lambda one: one[0].split("/")):
        held_out = model["held_out"] or {}
        rates = [held_out.get(f"{kind}_bits_per_value") for kind in ("float", "integer", "learning")]
        cells = ["–" if rate is None else f"{rate:.4f}" for rate in rates]
        rows.append([f"`{name}`", model["data"], f"{model['bytes']:,}", *cells])
    return markdown(["model", "trained on", "bytes", "held out, as trained", "frozen", "learning as it codes"], rows, 2)
