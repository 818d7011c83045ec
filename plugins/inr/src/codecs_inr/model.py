"""What a model file holds: the prior of the weights, their groups, and the network in integers, as every decoder evaluates it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codecs_core.errors import ModelError
from codecs_inr import decoder
from codecs_inr.decoder import LOUDER, MOST_UNITS, REACH, UP_BITS, WEIGHT_BITS
from codecs_inr.features import fourier
from codecs_inr.groups import POINT_BITS, Groups
from codecs_inr.hierarchy import LEVELS, Family
from codecs_inr.kinds import IMAGE, Kind
from codecs_inr.network import Floats, Siren
from codecs_inr.patches import counts
from codecs_inr.positional import Positional
from codecs_inr.prior import Prior, spread
from codecs_inr.sine import VALUE_BITS
from codecs_inr.upsampling import Upsampling, shapes

if TYPE_CHECKING:
    from codecs_core import Model

#: Binary digits of an entry of a basis below the point, and the most weights of a layer that has one.
BASIS_BITS, MOST_LINEAR = 7, 1 << 12
#: Parts of a squared unit that a variance is counted in.
VARIANCE = 1 << 20


class INR:
    """The prior over networks of signals of one shape, and their decoder.

    Parameters
    ----------
    model
        Config: ``item_shape``, the places along each axis and the channels, (h, w, c) for images; ``hidden``, units of each hidden
        layer; ``linear``, whether layers have a basis; ``index_bits``, of an index and, if these are
        not the same, of the window that names a proposal; ``steps``, of a fit and after each group or stage; ``variance``, the
        squared error that a fit trades for rate, in 2^-20 of the square of the kind's unit.
        Tensors: ``frequencies`` of the Fourier features, in 2^-10; ``mean`` and ``scale`` of the prior, in units of 2^-20; ``group`` of
        each number that the weights are made of; and, if linear, ``basis.0`` and so on, in 2^-7.
        Models of patches that share what they have in common also have, in the config, ``shared``, rows and columns of patches of a
        group; ``scale`` and ``group`` then have a row for each level, of the image, of the group and of the patch.
        Models with latents also have, in the config, ``latents``, rows, columns and channels of their grid, and ``up``, channels of the
        layers of the upsampling network; and tensors ``up.0`` and so on, in 2^-16 of a turn. Latents follow the weights in ``mean``, and
        if linear they have a basis as a layer has.
    kind
        Of the signals.

    Raises
    ------
    ModelError
        If anything is missing or does not fit.
    """

    def __init__(self, model: Model, kind: Kind = IMAGE) -> None:
        self._name, self.kind = model.label, kind
        config, tensors = model.config, model.tensors()
        shape = self._whole(config, "item_shape", (kind.axes + 1,) * 2, 1, 1 << 12)
        *grid, self.channels = self.item_shape = shape
        self._require(self.channels in kind.channels and math.prod(shape) <= 1 << 20, f"item_shape {list(shape)}")
        self.grid = tuple(grid)
        hidden = self._whole(config, "hidden", (1, 16), 1, MOST_UNITS - 1)
        bits, *window = self._whole(config, "index_bits", (1, 2), 1, 20, (int, list))
        self._require(not window or (bits <= 8 and 2 * bits <= window[0]), f"index_bits {config['index_bits']}")
        self.steps = self._whole(config, "steps", (2, 2), 1, 1 << 20)
        (variance,) = self._whole(config, "variance", (1, 1), 1, 1 << 24, (int,))
        self.variance = variance / VARIANCE
        self.frequencies = self._tensor(tensors, "frequencies", (None,), 0, 1 << 20)
        inputs = 2 * len(self.frequencies) * len(self.grid)
        self._require(0 < inputs < MOST_UNITS, f"{inputs} features")
        self.up: list[NDArray[np.int64]] = []
        self.network = self._network((inputs, *hidden, self.channels), config, tensors)
        size = self.network.size
        self.mean = self._tensor(tensors, "mean", (size,), -REACH, REACH)
        self.shared = self._whole(config, "shared", (2, 2), 1, 1 << 8) if "shared" in config else ()
        self._require(not self.shared or kind.axes == len(self.shared), f"shared {list(self.shared)}")
        above = (LEVELS,) if self.shared else ()
        self.scale = self._tensor(tensors, "scale", (*above, None), 0, REACH)
        numbers = self.scale.shape[-1]
        group = np.atleast_2d(self._tensor(tensors, "group", (*above, numbers), -1, numbers - 1))
        self.levels = [Groups(each, bits, kind.loud or bool(self.shared), *window) for each in group]
        self._require(all(at.size for each in self.levels for at in each.members), "a group without weights")
        self._require(self.groups.count > 0, "no groups of weights of a patch")
        linear: Any = config.get("linear")
        self._require(type(linear) is bool, f"linear {linear!r}")
        parts = self.network.parts
        rows = [*parts[:-1], numbers - sum(parts[:-1])] if isinstance(self.network, Positional) and linear else parts
        self._require(sum(rows) == numbers and rows[-1] > 0, f"scale of {numbers} numbers")
        shapes = zip(rows, parts, strict=True)
        self.basis = tuple(self._basis(tensors, i, shape) for i, shape in enumerate(shapes)) if linear else ()

    @property
    def groups(self) -> Groups:
        """Those of the weights that a patch has of its own."""
        return self.levels[-1]

    def family(self, shape: Sequence[int]) -> Family:
        """That of the patches of signals of shape (n, *grid, channels)."""
        n, *grid, _ = shape
        many = (n, *counts(grid, self.grid))
        return Family.of(many, self.shared) if self.shared else Family.alone(math.prod(many))

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise ModelError(f"model {self._name} does not fit codec {self.kind.codec}: it has {what}")

    def _whole(
        self,
        config: dict[str, Any],
        key: str,
        lengths: tuple[int, int],
        low: int,
        high: int,
        kinds: tuple[type, ...] = (list,),
    ) -> tuple[int, ...]:
        """Integers of the config: a list or, where `kinds` have int, a single one."""
        found: Any = config.get(key)
        each = found if isinstance(found, list) else [found]
        fits = lengths[0] <= len(each) <= lengths[1] and all(type(n) is int and low <= n <= high for n in each)
        self._require(type(found) in kinds and fits, f"{key} {found!r}")
        return tuple(each)

    def _tensor(
        self, tensors: dict[str, NDArray[Any]], name: str, shape: tuple[int | None, ...], low: int, high: int
    ) -> NDArray[np.int64]:
        found = tensors.get(name)
        fits = found is not None and found.dtype.kind in "iu" and found.ndim == len(shape)
        if found is None or not fits or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True)):
            shown = "no" if found is None else f"{found.dtype} of shape {found.shape} as"
            raise ModelError(f"model {self._name} does not fit codec {self.kind.codec}: it has {shown} {name}")
        self._require(not found.size or low <= int(found.min()) <= int(found.max()) <= high, f"{name} out of range")
        return found.astype(np.int64)

    def _network(self, widths: tuple[int, ...], config: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Siren:
        """The network in floating point, with an upsampling network where there are latents."""
        if "latents" not in config:
            return Siren(widths)
        *cells, channels = self._whole(config, "latents", (3, 3), 1, 1 << 8)
        many = (channels, *self._whole(config, "up", (1, 6), 1, 64))
        fits = self.kind.axes == 2 and channels <= 64 and self.grid == tuple(n << (len(many) - 1) for n in cells)
        self._require(fits, f"latents {config['latents']} with up {config['up']}")
        widths = (widths[0] + many[-1], *widths[1:])
        self._require(widths[0] < MOST_UNITS, f"{widths[0]} features")
        upsampling = Upsampling((cells[0], cells[1]), many)
        for i, (layer, shape) in enumerate(zip(upsampling.layers, shapes(many), strict=True)):
            self.up.append(self._tensor(tensors, f"up.{i}", shape, -(1 << 15), (1 << 15) - 1))
            layer[...] = self.up[-1] * (2 * math.pi / (1 << UP_BITS))
        return Positional(widths, upsampling)

    def _basis(self, tensors: dict[str, NDArray[Any]], number: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        self._require(max(shape) <= MOST_LINEAR, f"a basis of {max(shape)} weights")
        return self._tensor(tensors, f"basis.{number}", shape, -128, 127).astype(np.float64)

    # --- for decoders: integers -------------------------------------------------------------------

    def weights(self, index: Sequence[NDArray[np.int64]], family: Family) -> NDArray[np.int64]:
        """Weights and latents of patches, in units of 2^-20.

        Parameters
        ----------
        index
            Of each level, shape (rows, k): of the first k groups; the others are at the prior's mean.
        family
            Of the patches.
        """
        pairs = zip(np.atleast_2d(self.scale), self.levels, index, strict=True)
        levels = [np.clip((scale * groups.values(each)) >> POINT_BITS, -REACH, REACH) for scale, groups, each in pairs]
        h = np.clip(family.total(levels), -REACH, REACH)
        if self.basis:  # sums below 2^28 2^7 2^12, in any order
            h = np.floor(spread(h.astype(np.float64), self.basis) * 2.0**-BASIS_BITS).astype(np.int64)
        return np.asarray(np.clip(self.mean + h, -REACH, REACH))

    def values(
        self,
        index: Sequence[NDArray[np.int64]],
        exponents: NDArray[np.int64],
        family: Family,
        grid: Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Signals, on a grid of any number of cells.

        Parameters
        ----------
        index, family
            As `weights` has them, of n patches.
        exponents
            Shape (n,).
        grid
            By default that of the model.

        Returns
        -------
        NDArray
            Of the dtype of the kind, shape (n, *grid, channels).
        """
        cells = tuple(grid or self.grid)
        x = fourier(cells, self.frequencies)
        w = self.weights(index, family)
        beside = None
        if isinstance(self.network, Positional):
            made = decoder.channels(self.network, w, self.up)
            beside = made.reshape(len(w), len(x), made.shape[-1])
        shown = decoder.values(self.network, w, x, self.kind, exponents, beside)
        return shown.reshape(len(w), *cells, self.channels)

    # --- for encoders: floating point ---------------------------------------------------------------

    @cached_property
    def units(self) -> Floats:
        """What a weight's unit is in the network in floating point, shape (size,)."""
        return units(self.network, self.kind)

    @cached_property
    def prior(self) -> Prior:
        """The prior of the network in floating point; with a row of `std` for each level if patches share what they have in common."""
        basis = tuple((matrix * 2.0**-BASIS_BITS).astype(np.float32) for matrix in self.basis)
        mean, scale = (a * self.units[: a.shape[-1]] for a in (self.mean, self.scale))
        return Prior(mean.astype(np.float32), scale.astype(np.float32), basis)

    @cached_property
    def features(self) -> Floats:
        """Features of the places of a signal, shape (places, inputs)."""
        return (fourier(self.grid, self.frequencies) / (1 << VALUE_BITS)).astype(np.float32)


def units(network: Siren, kind: Kind) -> Floats:
    """What the unit of a weight is in floating point, shape (size,): 2^-20 of a turn, in the last layer of a value, of latents of 1."""
    each = np.full(network.size, 2 * math.pi / (1 << WEIGHT_BITS), np.float32)
    each[network.ends[-2] if len(network.ends) > 1 else 0 :] = 1 / (kind.spread * (1 << WEIGHT_BITS))
    if isinstance(network, Positional):
        each[network.ends[-2] :] *= 1 << LOUDER
        each[network.ends[-1] :] = 1 / (1 << WEIGHT_BITS)
    return each
