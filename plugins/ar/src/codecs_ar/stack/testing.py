"""Models with random weights: they compress badly and code exactly, so tests need no training and no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_ar import neighbours
from codecs_ar.stack.fitted import limits
from codecs_ar.stack.mixture import Mixture
from codecs_ar.stack.tensors import packed
from codecs_ar.stack.view import HIGH, LOW, View
from codecs_core import Model
from codecs_core.testing import Draw, random_network

TAPS = ((0, -1), (0, -2), (-1, -1), (-1, 0), (-1, 2), (-3, 4))


def random_model(
    shape: tuple[int, int, int] = (7, 6, 1),
    *,
    symbols: int = 256,
    width: int = 8,
    seed: int = 0,
    referred: bool = False,
) -> Model:
    """Make a model of ``ar.stack`` that learnt nothing but that most values are 0: the same arguments give the same file everywhere."""
    draw = Draw(seed)
    atoms, tallies, components = ((), (), 0) if symbols == 2 else ((0, symbols - 1), (symbols - 1,), 2)
    mixture = Mixture(symbols, atoms, components, referred)
    low, high = mixture.limits()
    if symbols == 2:
        high[0] = -128
    else:
        low[0], high[1 : len(atoms) + components] = 512, 0
    tensors: dict[str, NDArray[Any]] = {}
    for plane in range(shape[2]):
        taps = [(*tap, channel) for tap in TAPS for channel in range(shape[2])] + [(0, 0, c) for c in range(plane)]
        view = View(
            shape,
            np.array(taps, np.int8),
            draw(-200, 200, 2, 511 if referred else 256).astype(np.int16),
            tallies,
            np.minimum(np.arange(256), 200).astype(np.int16),
            plane,
            referred,
        )
        tensors |= {f"plane{plane}.{key}": getattr(view, key) for key in ("taps", "curves", "counting")}
        widths = [view.inputs, width, width, mixture.outputs]
        tensors |= random_network(draw, widths, inputs=(LOW, HIGH), low=low, high=high).tensors(f"plane{plane}")
    config = {
        "shape": list(shape),
        "symbols": symbols,
        "atoms": list(atoms),
        "components": components,
        "tallies": list(tallies),
        "order": [*range(1, shape[2]), 0],
        "referred": referred,
    }
    return Model.create(
        codec="ar.stack", config=config, tensors=packed(shape[2], tensors), attrs={"seed": seed}, name="random"
    )


def fitted_model(
    shape: tuple[int, int, int] = (5, 6, 3), *, width: int = 8, components: int = 2, seed: int = 0
) -> Model:
    """Make a model with predictors that knows nothing: the same arguments give the same file everywhere."""
    draw = Draw(seed)
    low, high = limits(components)
    low[-components:], high[-components:] = -128, 128
    tensors: dict[str, NDArray[Any]] = {}
    priors: dict[str, NDArray[np.float64]] = {}
    for plane in range(shape[2]):
        window = [(0, -4, 0), (-3, 2, 0)] + [(r, c, q) for q in range(1, plane + 1) for r, c in ((-1, 0), (2, 4))]
        tensors[f"plane{plane}.taps"] = np.array(window, np.int8)
        widths = [neighbours.features(plane) + len(window), width, width, len(low)]
        tensors |= random_network(draw, widths, inputs=(LOW, HIGH), low=low, high=high).tensors(f"plane{plane}")
        n = neighbours.regressors(plane)
        normal = np.eye(n)[np.tril_indices(n)]
        priors[f"plane{plane}.prior"] = np.concatenate([4 * normal, np.full(n, 1 / 4)])
    config = {
        "shape": list(shape),
        "order": [*range(1, shape[2]), 0],
        "components": components,
        "decays": [184, 243],
        "periods": [1, 4],
    }
    return Model.create(
        codec="ar.stack", config=config, tensors=packed(shape[2], tensors) | priors, attrs={"seed": seed}, name="random"
    )
