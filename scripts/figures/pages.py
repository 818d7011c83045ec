"""Figures in pages: what was measured is kept beside the pages, and every table between two marks is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import arrays
import autoencoders
import commands
import engine
import flows
import images
import relative
import shipped
import sizes

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "docs/assets/figures"


class Table(NamedTuple):
    """How the figures of a table are measured, given the data and what remembers, and how they are shown."""

    measure: Callable[[Path, sizes.Once], Any]
    show: Callable[[Any], str]


def _benchmarks(columns: dict[str, list[str]]) -> Callable[[Path, sizes.Once], Any]:
    def measure(data: Path, once: sizes.Once) -> Any:
        return {name: once(" ".join(command), commands.run, data, command) for name, command in columns.items()}

    return measure


TABLES = {
    "models": Table(shipped.models, shipped.models_table),
    "sizes": Table(sizes.by_kind, sizes.kinds_table),
    "samples": Table(lambda data, once: sizes.of_samples(once), sizes.samples_table),
    "digits": Table(_benchmarks(commands.DIGITS), autoencoders.digits_table),
    "effort": Table(_benchmarks(commands.EFFORT), autoencoders.effort_table),
    "buckets": Table(_benchmarks(commands.BUCKETS), autoencoders.buckets_table),
    "particles": Table(_benchmarks(commands.PARTICLES), autoencoders.particles_table),
    "annealing": Table(_benchmarks(commands.ANNEALING), autoencoders.annealing_table),
    "photos": Table(_benchmarks(commands.PHOTOS), images.photos_table),
    "cifar10": Table(_benchmarks(commands.CIFAR), images.cifar_table),
    "kinds": Table(_benchmarks(commands.KINDS), images.kinds_table),
    "stacks": Table(_benchmarks(commands.STACKS), images.stacks_table),
    "idf": Table(_benchmarks(commands.IDFS), flows.idf_table),
    "hvae": Table(_benchmarks(commands.HVAES), autoencoders.hvae_table),
    "ladder": Table(_benchmarks(commands.LADDERS), autoencoders.ladder_table),
    "lbb": Table(_benchmarks(commands.LBBS), flows.lbb_table),
    "boxes": Table(_benchmarks(commands.BOXES), flows.boxes_table),
    "samplers": Table(_benchmarks(commands.SAMPLERS), relative.samplers_table),
    "blocks": Table(_benchmarks(commands.BLOCKS), relative.blocks_table),
    "single": Table(_benchmarks(commands.SINGLE), relative.single_table),
    "rungs": Table(_benchmarks(commands.RUNGS), relative.rungs_table),
    "distortion": Table(_benchmarks(commands.DISTORTION), relative.distortion_table),
    "realism": Table(_benchmarks(commands.REALISM), relative.realism_table),
    "photographs": Table(_benchmarks(commands.PHOTOGRAPHS), relative.photographs_table),
    "inr": Table(_benchmarks(commands.INR), relative.inr_table),
    "inr_photos": Table(_benchmarks(commands.INR_PHOTOS), relative.inr_photos_table),
    "sound": Table(_benchmarks(commands.SOUND), relative.sound_table),
    "entropy": Table(_benchmarks(commands.ENTROPY), engine.entropy_table),
    "exact": Table(_benchmarks(commands.EXACT), engine.exact_table),
    "arrays": Table(_benchmarks(commands.ARRAYS), arrays.arrays_table),
    "bounded": Table(_benchmarks(commands.BOUNDED), arrays.bounded_table),
    "profiles": Table(_benchmarks(commands.PROFILES), arrays.profiles_table),
    "compiling": Table(_benchmarks(commands.COMPILING), engine.compiling_table),
    "entries": Table(_benchmarks(commands.ENTRIES), engine.entries_table),
    "lenet": Table(_benchmarks(commands.LENET), relative.lenet_table),
    "zarr": Table(_benchmarks(commands.ZARR), engine.zarr_table),
}


def kept(name: str) -> dict[str, Any]:
    """What was measured for a table, with commit, machine and date."""
    found: dict[str, Any] = json.loads((ASSETS / f"{name}.json").read_text("utf-8"))
    return found


def shown(name: str) -> str:
    """The table, and which state of the code it is of."""
    found = kept(name)
    of = f"Commit {found['commit']}, {found['date']}, {found['machine']}."
    return f"{TABLES[name].show(found['figures'])}\n\n{of}"


def standing(name: str) -> dict[Path, str]:
    """What stands there, by page."""
    found = {}
    for page in _pages(name):
        text, begin, end = _marked(page, name)
        found[page] = text[begin:end].strip()
    return found


def write(name: str) -> None:
    """Write the table into its pages."""
    for page in _pages(name):
        text, begin, end = _marked(page, name)
        page.write_text(f"{text[:begin]}\n{shown(name)}\n{text[end:]}", "utf-8")


def _mark(name: str) -> str:
    return f"<!-- figures: {name}, written by make figures -->"


def _pages(name: str) -> list[Path]:
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")]
    return [page for page in pages if _mark(name) in page.read_text("utf-8")]


def _marked(page: Path, name: str) -> tuple[str, int, int]:
    text = page.read_text("utf-8")
    begin = text.index(_mark(name)) + len(_mark(name))
    return text, begin, text.index("<!-- end of the figures -->", begin)
