"""What a bench found: bytes by codec, and rates against speeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codecs_core.report.plots.drawing import blank, label, legend, name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from codecs_core.report.result import Group, Row

_LEARNED, _CLASSICAL, _FRAME = "tab:blue", "0.6", "tab:orange"


def bytes_by_codec(group: Group) -> Figure:
    """Bytes of the files by codec, the smallest first, with what the container takes of them and the bits per value."""
    rows = group.rows[::-1]
    figure, (axes,) = blank(7, 1.2 + 0.28 * len(rows))
    sizes, payloads = np.array([row.bytes for row in rows]), np.array([row.payload for row in rows])
    places = np.arange(len(rows))
    axes.barh(places, payloads, color=[_colour(row) for row in rows])
    axes.barh(places, sizes - payloads, left=payloads, color=_FRAME)
    for place, row in zip(places, rows, strict=True):
        axes.annotate(f"{row.bits_per_value:.3f}", (row.bytes, place), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, _labels(rows))
    axes.set_xlabel("bytes of the file; beside the bars, bits per value")
    axes.set_xlim(0, 1.12 * sizes.max())
    axes.xaxis.set_major_formatter(lambda n, _: f"{n:,.0f}")
    legend(axes, [("with a model", _LEARNED), ("classical", _CLASSICAL), ("container", _FRAME)])
    axes.set_title(_title(group))
    return figure


def rate_and_speed(group: Group) -> Figure:
    """Bits per value against the speed of encoding and of decoding, with the Pareto front of each."""
    figure, panes = blank(11, 4.6, columns=2, sharey=True)
    for axes, verb in zip(panes, ("encode", "decode"), strict=True):
        speeds = [getattr(row, f"{verb}_mb_s") for row in group.rows]
        rates = [row.bits_per_value for row in group.rows]
        axes.scatter(speeds, rates, c=[_colour(row) for row in group.rows], zorder=3)
        front = pareto(speeds, rates)
        axes.step([speeds[k] for k in front], [rates[k] for k in front], where="pre", color="tab:red", lw=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda n, _: f"{n:g}")
        axes.set_xlabel(f"{verb}: MB/s, warm")
        axes.margins(x=0.2)
        label(axes, speeds, rates, _labels(group.rows))
    panes[0].set_ylabel("bits per value of the file")
    figure.suptitle(f"{_title(group)}; in red the front: nothing is both smaller and faster")
    return figure


def pareto(speeds: Sequence[float], rates: Sequence[float]) -> list[int]:
    """Which points no other is better than in both (faster, and of lower rate), the fastest first."""
    front: list[int] = []
    for k in sorted(range(len(speeds)), key=lambda k: (-speeds[k], rates[k])):
        if not front or rates[k] < rates[front[-1]]:
            front.append(k)
    return front


def _labels(rows: Sequence[Row]) -> list[str]:
    """Names of rows, with their layouts where one codec has several."""
    names = [name(row) for row in rows]
    many = len(set(names)) < len(names)
    return [f"{name}, {row.layout}" if many else name for name, row in zip(names, rows, strict=True)]


def _colour(row: Row) -> str:
    return _LEARNED if row.model else _CLASSICAL


def _title(group: Group) -> str:
    shape = "various shapes" if group.shape is None else " x ".join(f"{n:,}" for n in group.shape) or "one value"
    return f"{group.name}: {f'{group.arrays:,} of ' if group.arrays > 1 else ''}{shape}, {group.dtype}"
