"""Couplings by distribution functions of mixtures of logistics: Flow++, section 3.2 of Ho et al. 2019."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from codecs_core.entropy import Message
from codecs_core.errors import ModelError
from codecs_core.exact import ExactNet, evaluate_images, net_of
from codecs_lbb import local
from codecs_lbb.conditioner import LOG_BITS, SHIFT_LIMIT, WINDOW, fixed, on_grid
from codecs_lbb.elementwise import LogitMixture
from codecs_lbb.grid import Grid
from codecs_lbb.layers.entry import Entry
from codecs_lbb.layers.layer import Layer

#: Fractional bits of coefficients.
COEFFICIENT_BITS = 12
#: Bounds: of logits, log-scales (in nats) and coefficients.
_LOGIT, _SCALES, _COEFFICIENT = 32 << LOG_BITS, (-7 << LOG_BITS, 4 << LOG_BITS), 8 << COEFFICIENT_BITS


def limits_of(colours: int, components: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bounds of the parameters of a phase: of each colour logits, means, log-scales; then the coefficients 1 on 0, 2 on 0, 2 on 1."""
    pairs = colours * (colours - 1) // 2
    low, high = (
        np.concatenate([np.tile(np.repeat(each, components), colours), np.full(pairs, last)])
        for each, last in (
            ([-_LOGIT, -SHIFT_LIMIT, _SCALES[0]], -_COEFFICIENT),
            ([_LOGIT, SHIFT_LIMIT, _SCALES[1]], _COEFFICIENT),
        )
    )
    return low, high


class Mixture(Layer):
    """y = logit F(x - l) for some channels: see `codecs_lbb.network.Mixture`, whose exact twin it is.

    What is coded last is decoded first: the first channel of a pixel, which the mixtures of the others depend on.

    Parameters
    ----------
    tensors
        The networks ``NAME.trunk`` (of what is given), ``NAME.head`` (of the trunk: parameters), ``NAME.linear`` (of what is given: l)
        and, in colour, ``NAME.others`` (of the trunk and four times the first channels: what is added to the parameters of the others);
        or, where nothing is given, the parameters themselves, ``NAME.constants``.
    colours, components
        Channels of a phase, and logistics in a mixture.
    part
        First and last (excluded) of the channels that change, whole phases; those before are given.
    """

    def __init__(
        self,
        grid: Grid,
        tensors: Mapping[str, NDArray[Any]],
        name: str,
        *,
        colours: int,
        part: tuple[int, int],
        components: int,
    ) -> None:
        self.grid, self.colours, self.components = grid, colours, components
        self.part, self.given = slice(*part), part[0]
        self.phases = (part[1] - part[0]) // colours
        self.low, self.high = (limit.astype(np.int32) for limit in limits_of(colours, components))
        if self.given:
            self._load(tensors, name)
        else:
            constants = tensors.get(f"{name}.constants", np.zeros(0))
            if constants.shape != (self.phases * self.low.size,) or constants.dtype.kind != "i":
                raise ModelError(f"{name}.constants of a flow is {constants.dtype} of shape {constants.shape}")
            self.constants = constants.reshape(self.phases, -1).clip(self.low, self.high).astype(np.int32)

    @classmethod
    def parse(cls, entry: Entry) -> Self:
        """The channels that change follow the kind, whole phases."""
        part = low, high = entry.part()
        if (high - low) % entry.colours:
            raise ModelError(f"{entry.name} of a flow changes {high - low} channels, which are no whole phases")
        sizes: dict[str, Any] = {"colours": entry.colours, "part": part, "components": entry.components}
        return cls(entry.grid, entry.tensors, entry.name, **sizes)

    def _load(self, tensors: Mapping[str, NDArray[Any]], name: str) -> None:
        """The networks. Each takes all that those before it can give."""
        window, limit = (-WINDOW, WINDOW - 1), np.full(self.phases * self.colours, SHIFT_LIMIT)
        self.trunk = net_of(tensors, f"{name}.trunk", inputs=self.given, span=window)
        last, size = self.trunk.layers[-1], self.trunk.outputs
        hidden = int(last.low.min()), int(last.high.max())
        low, high = np.tile(self.low, self.phases), np.tile(self.high, self.phases)
        self.head = net_of(tensors, f"{name}.head", inputs=size, span=hidden, low=low, high=high)
        self.linear = net_of(tensors, f"{name}.linear", inputs=self.given, span=window, low=-limit, high=limit)
        self.others: ExactNet | None = None
        if self.colours > 1:  # in grey, there are none
            joined = min(hidden[0], window[0]), max(hidden[1], window[1])
            any_value = np.full(self.phases * (self.low.size - 3 * self.components), np.iinfo(np.int32).max)
            sizes: dict[str, Any] = {"inputs": size + self.phases, "span": joined}
            self.others = net_of(tensors, f"{name}.others", **sizes, low=~any_value, high=any_value)

    def push(self, message: Message, x: NDArray[Any]) -> NDArray[np.int64]:
        """Local bits-back coding, the last channel of a pixel first."""
        context, shift, values = self._start(x)
        values -= shift
        rest = self._rest(context, values[..., 0])
        out = np.empty_like(values)
        for c in reversed(range(self.colours)):
            at = values[..., c] - self._shear(rest, values, c)
            out[..., c] = local.push(message, self.grid, at, self._map(rest, c))
        return self._joined(x, out)

    def pop(self, message: Message | None, y: NDArray[Any]) -> NDArray[np.int64]:
        """Inverse of `push`."""
        context, shift, out = self._start(y)
        values = np.empty_like(out)
        values[..., 0] = local.pop(message, self.grid, out[..., 0], self._map(self._parameters(context), 0))
        rest = self._rest(context, values[..., 0])
        for c in range(1, self.colours):
            at = local.pop(message, self.grid, out[..., c], self._map(rest, c))
            values[..., c] = at + self._shear(rest, values, c)
        return self._joined(y, values + shift)

    def forward(self, x: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Elementwise, given what is given."""
        context, shift, values = self._start(x)
        values -= shift
        rest, out, each = self._rest(context, values[..., 0]), np.empty_like(values), np.empty(values.shape)
        for c in range(self.colours):
            at = values[..., c] - self._shear(rest, values, c)
            out[..., c], each[..., c] = local.forward(self.grid, at, self._map(rest, c))
        shorter = np.zeros(x.shape)
        shorter[..., self.part] = each.reshape(*x.shape[:3], -1)
        return self._joined(x, out), shorter

    def _start(self, x: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """The trunk's outputs, l on the grid, and the channels that change, the latter two of shape (n, h, w, phases, colours)."""
        values = x[..., self.part].reshape(*x.shape[:3], self.phases, self.colours).astype(np.int64)
        if not self.given:
            return np.zeros((*x.shape[:3], 0), np.int32), np.zeros_like(values), values
        inputs = fixed(self.grid, x[..., : self.given])
        shift = on_grid(self.grid, evaluate_images(self.linear, inputs)).reshape(values.shape)
        return evaluate_images(self.trunk, inputs), shift, values

    def _joined(self, x: NDArray[Any], values: NDArray[np.int64]) -> NDArray[np.int64]:
        """`x` with other values in the channels that change."""
        y = x.astype(np.int64)
        y[..., self.part] = values.reshape(*x.shape[:3], -1)
        return y

    def _parameters(self, context: NDArray[np.int32]) -> NDArray[np.int32]:
        """Parameters, shape (n, h, w, phases, parameters of a phase), before the first channels are known."""
        shape = *context.shape[:3], self.phases, self.low.size
        if not self.given:
            return np.broadcast_to(self.constants, shape)
        return evaluate_images(self.head, context).reshape(shape)

    def _rest(self, context: NDArray[np.int32], first: NDArray[np.int64]) -> NDArray[np.int32]:
        """All parameters, given the first channel of each phase."""
        parameters = self._parameters(context)
        if not self.given or self.others is None:
            return parameters
        seen = np.concatenate([context, fixed(self.grid, 4 * first)], -1)
        each = 3 * self.components
        rest = parameters[..., each:]
        rest += evaluate_images(self.others, seen).reshape(rest.shape)
        np.clip(rest, self.low[each:], self.high[each:], out=rest)
        return parameters

    def _map(self, parameters: NDArray[np.int32], c: int) -> LogitMixture:
        return LogitMixture(parameters, 3 * self.components * c, self.components)

    def _shear(self, parameters: NDArray[np.int32], values: NDArray[np.int64], c: int) -> NDArray[np.int64]:
        """A linear function of the channels before c, rounded to the grid, half up."""
        first = 3 * self.components * self.colours + c * (c - 1) // 2
        total: NDArray[np.int64] = (parameters[..., first : first + c] * values[..., :c]).sum(-1)
        return (total + (1 << (COEFFICIENT_BITS - 1))) >> COEFFICIENT_BITS
