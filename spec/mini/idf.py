"""The codec `idf.image` in plain Python and numpy, written from the text of ``spec/codecs/idf.md``; it decodes only."""

import math

import entropy
import exact
import numpy as np

PHASES = (0, 0), (1, 1), (0, 1), (1, 0)
LOW, HIGH = -512, 511
LIMITS = (-(1 << 12), 1 << 12), (-(1 << 20), 1 << 20), (-277, 646), (-(1 << 12), 1 << 12)


def within(low, high, limits):
    """Refuse numbers from `low` to `high` if some can be beyond their limits, an array of pairs."""
    exact.check((limits[:, 0] <= low).all() and (high <= limits[:, 1]).all(), "parameters out of range")


class Pair:
    """The networks `NAME.network` and `NAME.linear`."""

    def __init__(self, tensors, name, inputs, *outputs):
        self.networks = [exact.Network(tensors, f"{name}.{part}") for part in ("network", "linear")]
        for network, width in zip(self.networks, outputs, strict=True):
            exact.check((network.inputs, network.outputs) == (inputs, width), f"{name}: networks of other widths")
            exact.check((network.low, network.high) == (LOW, HIGH), f"{name}: networks of another range")

    def limit(self, *limits):
        for network, pairs in zip(self.networks, limits, strict=True):
            within(*network.layers[-1][3:5], pairs)
        return self

    def __call__(self, *phases):
        x = np.clip(np.concatenate(phases, axis=-1), LOW, HIGH)
        return [network(x) for network in self.networks]


class Flow:
    """A model."""

    def __init__(self, codec, config, tensors):
        self.channels, self.components = c, k = config.get("channels"), config.get("components")
        couplings = config.get("couplings")
        exact.check(codec == "idf.image" and type(c) is int and c in (1, 3, 4), "another codec or other channels")
        exact.check(type(k) is int and 1 <= k <= 64, "components out of range")
        exact.check(type(couplings) is list and 1 <= len(couplings) <= 16, "levels out of range")
        exact.check(all(type(m) is int and 0 <= m <= 64 for m in couplings), "couplings out of range")
        self.top = tensors.get("top", np.zeros(0))
        exact.check(self.top.shape == (3 * c * k + c * (c - 1) // 2,) and self.top.dtype.kind in "iu", "no top")
        limits = np.repeat(LIMITS, [c * k] * 3 + [c * (c - 1) // 2], axis=0)
        within(self.top, self.top, limits)
        self.levels = []
        for i, m in enumerate(couplings):
            priors = []
            for j in (0, 1):
                parameters, offsets = np.tile(limits, (j + 1, 1)), np.tile(LIMITS[1], ((j + 1) * c, 1))
                prior = Pair(tensors, f"level{i}.prior{j}", (j + 1) * c, len(parameters), len(offsets))
                priors.append(prior.limit(parameters, offsets))
            pairs = [Pair(tensors, f"level{i}.coupling{j}", 3 * c, c, c) for j in range(m)]
            self.levels.append((priors, pairs))

    def pop(self, message, n, h, w):
        """Images before the colour transform, of shape (n, h, w, C)."""
        sizes = [(h, w)]
        for _ in self.levels:
            h, w = (h + 1) // 2, (w + 1) // 2
            sizes.append((h, w))
        top = np.broadcast_to(self.top.astype(np.int64), (n, h, w, len(self.top)))
        x = self.pop_phase(message, top, np.zeros((n, h, w, self.channels), np.int64))
        for level, size in zip(reversed(self.levels), sizes[-2::-1], strict=True):
            x = self.pop_level(message, *level, x, *size)
        return x

    def pop_level(self, message, priors, couplings, kept, h, w):
        """The images of h × w that are the input of a level, whose kept phase is given."""
        real = [np.s_[:, : (h - r + 1) // 2, : (w - c + 1) // 2] for r, c in PHASES]
        phases = [kept, *(np.zeros_like(kept) for _ in range(3))]
        for prior, made in zip(priors, ((1,), (2, 3)), strict=True):
            parameters, offsets = (np.split(out, len(made), axis=-1) for out in prior(*phases[: len(made)]))
            for q, *given in zip(made, parameters, offsets, strict=True):
                phases[q][real[q]] = self.pop_phase(message, *(part[real[q]] for part in given))
        for j in reversed(range(len(couplings))):
            q = (len(couplings) - 1 - j) % 4
            t = sum(couplings[j](*phases[:q], *phases[q + 1 :]))
            phases[q][real[q]] -= (t + 128 >> 8)[real[q]]
        x = np.empty((len(kept), h, w, self.channels), np.int64)
        for (r, c), phase, where in zip(PHASES, phases, real, strict=True):
            x[:, r::2, c::2] = phase[where]
        return x

    def pop_phase(self, message, parameters, offset):
        """Values at positions that are all real."""
        k, shape, x = self.components, offset.shape[:-1], []
        logits, means, log_scales, coefficients = np.split(parameters, k * self.channels * np.arange(1, 4), axis=-1)
        for c in range(self.channels):
            at = slice(c * k, c * k + k)
            move = offset[..., c] + (512 << 8)
            for b in range(c):
                move = move + coefficients[..., c * (c - 1) // 2 + b] * np.clip(x[b], LOW, HIGH)
            given = logits[..., at], means[..., at] + move[..., None], log_scales[..., at]
            logit, mean, log_scale = (part.reshape(-1, k).tolist() for part in given)
            w = [entropy.weights(v) for v in logit]
            mixture = entropy.logistic_mixture(math.prod(shape), 1024, 24, w, mean, log_scale)
            x.append(np.array(entropy.Escape(mixture).pop(message), np.int64).reshape(shape) - 512)
        return np.stack(x, axis=-1)


def arrange(shape, channels):
    """Number, rows and columns of the images."""
    if len(shape) in (3, 4) and shape[-1] == channels:
        return (1, *shape)[-4:-1]
    if len(shape) in (2, 3) and channels == 1:
        return (1, *shape)[-3:]
    raise entropy.Corrupt("an array of another shape")


def uncoloured(x):
    """The colour transform, undone."""
    x = x + np.where(np.isin(np.arange(x.shape[-1]), (1, 2)), 0, 128)
    if x.shape[-1] > 1:
        y, co, cg = (x[..., c].copy() for c in range(3))
        t = y - (cg >> 1)
        b = t - (co >> 1)
        x[..., 0], x[..., 1], x[..., 2] = b + co, cg + t, b
    return x


def colour(x):
    """Values 0 to 255 of what the flow makes."""
    x = uncoloured(x)
    if (x < 0).any() or (x > 255).any():
        raise entropy.Corrupt("values outside 0 to 255")
    return x.astype(np.uint8)


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk; `model` is what `exact.parse_model` returns, and `settings` has no bearing."""
    flow = Flow(*model)
    size = arrange(tuple(shape), flow.channels)
    if dtype != "uint8":
        raise entropy.Corrupt("an array of another dtype")
    message = entropy.Message.parse(payload)
    x = flow.pop(message, *size) if math.prod(shape) else np.zeros((*size, flow.channels), np.int64)
    message.check_end()
    return colour(x).reshape(shape)
