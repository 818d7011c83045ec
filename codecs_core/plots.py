"""Pictures of what codecs do: where the bytes are, what speed costs, and which pixels the bits go to.

Each function returns a `matplotlib.figure.Figure`, which shows itself in a notebook and has ``savefig``. Needs matplotlib:
``pip install 'codecs-core[bench]'``.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core import api, bench
from codecs_core.arrays import ArraySpec
from codecs_core.errors import CodecsError, ConfigError, OutputError, UnsupportedArrayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from codecs_core.bench import Group, Result, Row
    from codecs_core.codec import Codec, Progress
    from codecs_core.media import Source
    from codecs_core.registry import Registry

#: Side of the tiles that stand for pixels where a codec does not tell what each costs.
TILE = 16
#: Items whose bitstreams are shown, as in figure 1 of BB-ANS.
DIGITS = 30
#: Largest item, in values, that is shown as a digit.
_SMALL = 4096
#: Values of the stack whose rate is followed along its items, and the points that are measured.
_ALONG, _POINTS = 1 << 20, 10
#: Height of a line of text beside points, as a part of the axis.
_LINE = 0.04
#: Codecs that are drawn side by side: the best.
_BEST = 7
_LEARNED, _CLASSICAL, _FRAME = "tab:blue", "0.6", "tab:orange"


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
        What `codecs_core.bench.run` returned, and what it was given.
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
    codecs = {_name(row): api.get_codec(row.codec, model=row.model or None, registry=registry) for row in rows}
    array = next(iter(arrays.values()))
    if whole and array.ndim in (2, 3):
        yield "heat", heat_maps(array, codecs)
    if not whole and array.ndim >= 2 and len(array) >= DIGITS and array[0].size <= _SMALL:
        yield "chain", rate_along(array[: max(DIGITS, _ALONG // max(1, array[0].size))], codecs)
        if array.ndim == 3 and array.dtype in ("uint8", "bool"):
            yield "bitstreams", bitstreams(array, codecs)


def check_matplotlib() -> None:
    """Raise `ConfigError` unless there is matplotlib to draw with."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ConfigError("pictures take matplotlib: pip install 'codecs-core[bench]'") from error


# --- of a bench ---------------------------------------------------------------------------------


def bytes_by_codec(group: Group) -> Figure:
    """Bytes of the files by codec, the smallest first, with what the container takes of them and the bits per value."""
    rows = group.rows[::-1]
    figure, (axes,) = _figure(7, 1.2 + 0.28 * len(rows))
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
    _legend(axes, [("with a model", _LEARNED), ("classical", _CLASSICAL), ("container", _FRAME)])
    axes.set_title(_title(group))
    return figure


def rate_and_speed(group: Group) -> Figure:
    """Bits per value against the speed of encoding and of decoding, with the Pareto front of each."""
    figure, panes = _figure(11, 4.6, columns=2, sharey=True)
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
        _label(axes, speeds, rates, _labels(group.rows))
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


# --- of codecs and data -------------------------------------------------------------------------


def rate_along(items: NDArray[Any], codecs: Mapping[str, Codec], *, window: int | None = None) -> Figure:
    """The moving average of the rate along a stack: figure 3 of Townsend, Bird, Barber 2019.

    A point at n is what the last `window` of the first n items add to a payload, per value; of fewer items, what all do.

    Parameters
    ----------
    items
        Shape (n, ...).
    codecs
        By what they are called; those that do not take the items are left out.
    window
        By default a fifth of the items.
    """
    count = len(items)
    window = window or max(1, count // 5)
    ends = sorted({max(1, round(count * k / _POINTS)) for k in range(1, _POINTS + 1)} | {1, 5, 20})
    ends = [end for end in ends if end <= count]
    value = max(1, items[0].size)
    figure, (axes,) = _figure(7.5, 4.6)
    last = []
    for name, codec in codecs.items():
        try:
            sizes = {end: len(codec.encode(items[:end])) for end in {*ends, *(max(0, e - window) for e in ends)} if end}
        except UnsupportedArrayError:
            continue
        rates = [8 * (sizes[e] - sizes.get(e - window, 0)) / (min(e, window) * value) for e in ends]
        axes.plot(ends, rates, marker=".", ms=4, label=name, lw=2 if codec.model is not None else 1)
        last.append(rates[-1])
    if not last:
        raise ConfigError(f"none of the codecs takes {items.dtype} of shape {items.shape}")
    # The first items pay for a codec's start: they run out of the picture rather than press the rest together.
    axes.set_ylim(0, 2 * max(last))
    axes.set_xlabel("items")
    axes.set_ylabel(f"bits per value, mean of the last {window:,} items")
    axes.legend(fontsize="small", frameon=False)
    axes.set_title("What the next items of a chunk cost")
    return figure


def heat_maps(image: NDArray[Any], codecs: Mapping[str, Codec], *, tile: int = TILE) -> Figure:
    """Bits per pixel of an image under each codec, all on one scale.

    Where a codec tells what each value costs (`Codec.information`), that is drawn, as a mean over 3 x 3 pixels. Of the others the
    bits of the image are shared out among tiles, by what the tiles cost that are coded one by one, less what a tile of
    one colour costs. The numbers are those of the whole image either way.

    Parameters
    ----------
    image
        Shape (h, w) or (h, w, channels).
    codecs
        By what they are called; those that do not take the image are left out.
    tile
        Side of the tiles.
    """
    maps: dict[str, tuple[NDArray[np.float64], str]] = {}
    for name, codec in codecs.items():
        try:
            codec.check(ArraySpec.of(image))
            maps[name] = _heat(image, codec, tile)
        except CodecsError:
            continue
    if not maps:
        raise ConfigError(f"none of the codecs takes an image of {image.dtype} and shape {image.shape}")
    columns = min(4, len(maps) + 1)
    lines = math.ceil((len(maps) + 1) / columns)
    height = 2.6 * image.shape[0] / image.shape[1] + 0.3
    figure, panes = _figure(2.7 * columns + 0.9, height * lines, rows=lines, columns=columns)
    for axes in panes:
        axes.set_axis_off()
    panes[0].imshow(_shown(image), cmap="gray")
    panes[0].set_title("the image", fontsize="small")
    most = float(np.percentile(np.concatenate([found.ravel() for found, _ in maps.values()]), 99))
    drawn: Any = None
    for axes, (name, (found, how)) in zip(panes[1:], maps.items(), strict=False):
        drawn = axes.imshow(
            found,
            cmap="magma",
            vmin=0,
            vmax=most or 1.0,
            interpolation="nearest",
            extent=(0, image.shape[1], image.shape[0], 0),
        )
        axes.set_title(f"{name}: {found.mean():.2f}{how}", fontsize="small")
    figure.colorbar(drawn, ax=panes, label="bits per pixel", shrink=0.8)
    return figure


def bitstreams(items: NDArray[Any], codecs: Mapping[str, Codec], *, count: int = DIGITS) -> Figure:
    """Small images and the bits that codecs make of them, each bit as large as a pixel: figure 1 of BB-ANS.

    Parameters
    ----------
    items
        Shape (n, h, w), of uint8 or bool; the first `count` are taken.
    codecs
        By what they are called; those that do not take the images are left out.
    count
        How many images.
    """
    items = items[:count]
    sheet = _rows_of(_as_bits(items), 3)
    streams: dict[str, NDArray[np.uint8]] = {}
    for name, codec in codecs.items():
        try:
            streams[name] = np.unpackbits(np.frombuffer(codec.encode(items), np.uint8))
        except UnsupportedArrayError:
            continue
    held = items.size * (1 if items.max(initial=0) <= 1 else 8)
    drawn = {f"the images: {held:,} bits": sheet}
    drawn |= {f"{name}: {bits.size:,} bits": _column(bits, len(sheet)) for name, bits in streams.items()}
    columns = 2 if len(drawn) <= 4 else 3
    lines, wide = math.ceil(len(drawn) / columns), max(picture.shape[1] for picture in drawn.values())
    figure, panes = _figure(4.4 * columns, (4.4 * len(sheet) / wide + 0.35) * lines, rows=lines, columns=columns)
    for axes in panes:
        axes.set_axis_off()
    for axes, (name, picture) in zip(panes, drawn.items(), strict=False):
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axes.set_xlim(0, wide)
        axes.set_title(name, fontsize="small", loc="left")
    return figure


# --- bits ---------------------------------------------------------------------------------------


def _heat(image: NDArray[Any], codec: Codec, tile: int) -> tuple[NDArray[np.float64], str]:
    """Bits per pixel, and how they were found."""
    try:
        bits = codec.information(image)
    except ConfigError:
        return _tiles(image, codec, tile), f", by tiles of {tile}"
    bits = bits.reshape(*image.shape[:2], -1).sum(-1)
    padded = np.pad(bits, 1, mode="reflect" if min(bits.shape) > 1 else "edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).mean((-1, -2)), ""


def _tiles(image: NDArray[Any], codec: Codec, tile: int) -> NDArray[np.float64]:
    starts = [range(0, n, tile) for n in image.shape[:2]]
    found = np.empty([len(axis) for axis in starts])
    flat: dict[tuple[int, ...], int] = {}
    for k, y in enumerate(starts[0]):
        for n, x in enumerate(starts[1]):
            part = image[y : y + tile, x : x + tile]
            if part.shape not in flat:
                flat[part.shape] = len(codec.encode(np.full_like(part, part.flat[0])))
            found[k, n] = 8 * max(0, len(codec.encode(part)) - flat[part.shape]) / (part.shape[0] * part.shape[1])
    whole = 8 * len(codec.encode(image)) / (image.shape[0] * image.shape[1])
    return found * (whole / found.mean() if found.any() else 1.0)


def _column(bits: NDArray[np.uint8], high: int) -> NDArray[np.float64]:
    """Bits as a block of so many rows, column by column; the end is white."""
    wide = -(-bits.size // high)
    return np.pad(bits.astype(np.float64), (0, wide * high - bits.size)).reshape(wide, high).T


def _as_bits(items: NDArray[Any]) -> NDArray[np.float64]:
    """Images with values from 0 to 1; one that takes eight bits a pixel is shown eight times as wide as one of one bit."""
    if items.max(initial=0) <= 1:
        return items.astype(np.float64)
    return np.repeat(items / 255.0, 8, axis=2)


def _rows_of(items: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """A sheet of images in so many rows."""
    n, h, w = items.shape
    columns = -(-n // rows)
    sheet = np.zeros((rows * columns, h, w))
    sheet[:n] = items
    return sheet.reshape(rows, columns, h, w).swapaxes(1, 2).reshape(rows * h, columns * w)


def _shown(image: NDArray[Any]) -> NDArray[Any]:
    """An image as matplotlib takes it."""
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        return image[:, :, 0]
    return image if image.dtype == np.uint8 or image.ndim == 2 else image / max(1, image.max())


# --- drawing ------------------------------------------------------------------------------------


def _figure(
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


def _legend(axes: Axes, colours: Sequence[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    axes.legend(handles=[Patch(color=c, label=label) for label, c in colours], loc="upper right", frameon=False)


def _label(axes: Axes, xs: Sequence[float], ys: Sequence[float], names: Sequence[str]) -> None:
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


def _name(row: Row) -> str:
    return f"{row.codec}/{row.model}" if row.model else row.codec


def _labels(rows: Sequence[Row]) -> list[str]:
    """Names of rows, with their layouts where one codec has several."""
    names = [_name(row) for row in rows]
    many = len(set(names)) < len(names)
    return [f"{name}, {row.layout}" if many else name for name, row in zip(names, rows, strict=True)]


def _colour(row: Row) -> str:
    return _LEARNED if row.model else _CLASSICAL


def _title(group: Group) -> str:
    shape = "various shapes" if group.shape is None else " x ".join(f"{n:,}" for n in group.shape) or "one value"
    return f"{group.name}: {f'{group.arrays:,} of ' if group.arrays > 1 else ''}{shape}, {group.dtype}"
