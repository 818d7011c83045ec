"""Every picture of a bench."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from codecs_core import api
from codecs_core.errors import OutputError
from codecs_core.report import bench
from codecs_core.report.plots.drawing import check_matplotlib, name
from codecs_core.report.plots.heat import heat_maps
from codecs_core.report.plots.sizes import bytes_by_codec, rate_and_speed
from codecs_core.report.plots.stacks import DIGITS, bitstreams, rate_along

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from codecs_core.codec import Progress
    from codecs_core.media import Source
    from codecs_core.registry import Registry
    from codecs_core.report.result import Group, Result

#: Largest item, in values, that is shown as a digit.
_SMALL = 4096
#: Values of the stack whose rate is followed along its items.
_ALONG = 1 << 20
#: Codecs that are drawn side by side: the best.
_BEST = 7


def save(
    folder: Path,
    result: Result,
    sources: Mapping[str, Source],
    *,
    limit: int | None = None,
    progress: Progress | None = None,
    registry: Registry | None = None,
) -> list[Path]:
    """Every picture of a bench as a PNG file; what ``codecs bench --plots`` does.

    Parameters
    ----------
    folder
        Where to; made if need be.
    result, sources, limit
        What `codecs_core.report.bench.run` returned, and what it was given.
    progress
        Called with the fraction done and a message.
    registry
        Where codecs come from; by default the installed plugins.

    Raises
    ------
    ConfigError
        If matplotlib is missing.
    OutputError
        If a picture cannot be written.
    """
    check_matplotlib()
    paths: list[Path] = []
    kinds = {group.name: (arrays, whole) for group, arrays, whole in bench.kinds(sources, limit)}
    for k, group in enumerate(result.groups):
        for kind, figure in _figures(group, *kinds[group.name], registry):
            if progress is not None:
                progress((k + 0.5) / len(result.groups), f"{group.name}: {kind}")
            paths.append(folder / (re.sub(r"[^\w.-]+", "-", f"{group.name.split('.')[0]}-{kind}").strip("-.") + ".png"))
            try:
                folder.mkdir(parents=True, exist_ok=True)
                figure.savefig(paths[-1], dpi=150)
            except OSError as error:
                raise OutputError(f"{paths[-1]} cannot be written: {error.strerror or error}") from error
    return paths


def _figures(
    group: Group, arrays: Mapping[str, NDArray[Any]], whole: bool, registry: Registry | None
) -> Iterator[tuple[str, Figure]]:
    """The pictures that can be made of a group, and what they are called."""
    if not group.rows:
        return
    yield "bytes", bytes_by_codec(group)
    yield "speed", rate_and_speed(group)
    # Of each codec its best model: rows are sorted by size.
    best = {row.codec: row for row in reversed(group.rows) if row.codec != "classic.raw"}
    rows = sorted(best.values(), key=lambda row: row.bytes)[:_BEST]
    codecs = {name(row): api.get_codec(row.codec, model=row.model or None, registry=registry) for row in rows}
    array = next(iter(arrays.values()))
    if whole and array.ndim in (2, 3):
        yield "heat", heat_maps(array, codecs)
    if not whole and array.ndim >= 2 and len(array) >= DIGITS and array[0].size <= _SMALL:
        yield "chain", rate_along(array[: max(DIGITS, _ALONG // max(1, array[0].size))], codecs)
        if array.ndim == 3 and array.dtype in ("uint8", "bool"):
            yield "bitstreams", bitstreams(array, codecs)
