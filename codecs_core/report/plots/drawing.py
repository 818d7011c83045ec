"""Figures, and what is written on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from codecs_core.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from codecs_core.report.result import Row

#: Height of a line of text beside points, as a part of the axis.
_LINE = 0.04


def check_matplotlib() -> None:
    """Raise `MissingDependencyError` unless there is matplotlib to draw with."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("pictures take matplotlib: pip install 'codecs-core[bench]'") from error


def blank(
    width: float, height: float, *, rows: int = 1, columns: int = 1, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure by itself, known to no window, and its axes row by row."""
    check_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = list(figure.subplots(rows, columns, sharey=sharey, squeeze=False).ravel())
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend(axes: Axes, colours: Sequence[tuple[str, str]]) -> None:
    """Say what colours mean."""
    from matplotlib.patches import Patch

    axes.legend(handles=[Patch(color=c, label=label) for label, c in colours], loc="upper right", frameon=False)


def label(axes: Axes, xs: Sequence[float], ys: Sequence[float], names: Sequence[str]) -> None:
    """Names right of points; one that would cover the name of a point below it and near it is moved up."""
    from matplotlib.patheffects import withStroke

    wide, high = np.log10(max(xs) / min(xs)) or 1.0, (max(ys) - min(ys)) or 1.0
    placed: list[tuple[float, float]] = []
    for k in sorted(range(len(xs)), key=lambda k: ys[k]):
        at = (ys[k] - min(ys)) / high
        for x, y in placed:
            if abs(np.log10(xs[k]) - x) < 0.3 * wide and at < y + _LINE:
                at = y + _LINE
        placed.append((float(np.log10(xs[k])), at))
        text = axes.text(xs[k] * 10 ** (0.02 * wide), min(ys) + at * high, names[k], fontsize=7, va="center", zorder=2)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])


def name(row: Row) -> str:
    """What a row is called."""
    return f"{row.codec}/{row.model}" if row.model else row.codec
