"""Which pixels of an image the bits go to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import ArraySpec
from codecs_core.capabilities import SupportsInformation
from codecs_core.errors import CodecsError, ConfigError
from codecs_core.report.plots.drawing import blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from codecs_core.codec import Codec

#: Side of the tiles that stand for pixels where a codec does not tell what each costs.
TILE = 16


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
    figure, panes = blank(2.7 * columns + 0.9, height * lines, rows=lines, columns=columns)
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


def _heat(image: NDArray[Any], codec: Codec, tile: int) -> tuple[NDArray[np.float64], str]:
    """Bits per pixel, and how they were found."""
    if not isinstance(codec, SupportsInformation):
        return _tiles(image, codec, tile), f", by tiles of {tile}"
    bits = codec.information(image).reshape(*image.shape[:2], -1).sum(-1)
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


def _shown(image: NDArray[Any]) -> NDArray[Any]:
    """An image as matplotlib takes it."""
    if image.ndim == 3 and image.shape[2] not in (3, 4):
        return image[:, :, 0]
    return image if image.dtype == np.uint8 or image.ndim == 2 else image / max(1, image.max())
