"""The codec ``bbans.hvae`` in plain Python and numpy, written from the text of ``spec/codecs/hvae.md``; it decodes only."""

import math

import entropy
import exact
import idf
import numpy as np

LOW, HIGH = -512, 511
LOGIT, MEAN, SCALE = (-(1 << 12), 1 << 12), (-(1 << 17), 1 << 17), (-277, 646)


def natural(v, low, high):
    exact.check(type(v) is int and low <= v <= high, f"{v!r} is no integer from {low} to {high}")
    return v


def network(tensors, name, inputs, limits):
    """A network, the limits of whose outputs are pairs."""
    found, limits = exact.Network(tensors, name), np.array(limits)
    exact.check((found.inputs, found.outputs) == (inputs, len(limits)), f"{name}: another width")
    exact.check(found.low <= LOW and found.high >= HIGH, f"{name}: another range")
    idf.within(*found.layers[-1][3:5], limits)
    return found


def half(size):
    return tuple(-(-a // 2) for a in size)


def extents(h, w):
    """Rows and columns of each phase that lie in images of h × w."""
    return [((h - r + 1) // 2, (w - c + 1) // 2) for r, c in idf.PHASES]


def squeeze(x):
    """The four phases of images, zero beyond them, channels joined."""
    x = np.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)))
    return np.concatenate([x[:, r::2, c::2] for r, c in idf.PHASES], -1)


def doubled(h, size):
    return h.repeat(2, 1).repeat(2, 2)[:, : size[0], : size[1]]


def halves(outputs):
    return np.split(outputs, 2, axis=-1)


class Hierarchy:
    """A model."""

    def __init__(self, codec, config, tensors):
        exact.check(codec == "bbans.hvae", "another codec")
        self.channels, latents = natural(config.get("channels"), 1, 4), config.get("latents")
        exact.check(self.channels != 2 and type(latents) is list and 1 <= len(latents) <= 8, "channels or levels")
        self.latents = [natural(v, 1, 256) for v in latents]
        f, k, c = natural(config.get("features"), 1, 512), natural(config.get("components"), 1, 64), self.channels
        self.components, pairs = k, c * (c - 1) // 2
        self.up, self.prior, self.posterior, self.down = [], [], [], []
        for i, n in enumerate(self.latents):
            above = f if i + 1 < len(latents) else 0
            gaussian = [(-(1 << 16), 1 << 16)] * n + [(-640, 128)] * n
            self.up.append(network(tensors, f"level{i}.up", 4 * (f if i else c), [(LOW, HIGH)] * f))
            self.prior.append(network(tensors, f"level{i}.prior", above, gaussian) if above else None)
            self.posterior.append(network(tensors, f"level{i}.posterior", above + f, gaussian))
            self.down.append(network(tensors, f"level{i}.down", above + n, [(LOW, HIGH)] * f))
        pixel = [LOGIT] * k + [MEAN] * (c * k) + [SCALE] * (c * k) + [LOGIT] * (pairs * k)
        self.priors = {}
        for name, known, phases in (
            ("inner.prior0", f, (0,)),
            ("inner.prior1", c + f, (1,)),
            ("inner.prior2", 2 * c + f, (2, 3)),
            ("rest.prior0", c, (1,)),
            ("rest.prior1", 2 * c, (2, 3)),
        ):
            many = len(phases)
            both = (
                network(tensors, f"{name}.network", known, pixel * many),
                network(tensors, f"{name}.linear", known, [MEAN] * (c * many)),
            )
            self.priors.setdefault(name.split(".")[0], []).append((phases, both))
        edges = np.array(entropy.table("normal_edges"))
        self.centres = edges[(np.arange(256) << 4) + 8]

    def pop(self, message, n, h, w):
        """Images before the colour transform is undone, of shape (n, h, w, C)."""
        size = half((h, w))
        inner = self.pop_inner(message, n, size)
        return self.pop_phases(message, "rest", [inner], n, (h, w), [])

    def pop_inner(self, message, n, size):
        """The inner images, of this size, by bits-back coding."""
        sizes = [half(size)]
        for _ in self.latents[1:]:
            sizes.append(half(sizes[-1]))
        shapes = [(n, *s, m) for s, m in zip(sizes, self.latents, strict=True)]
        z = [entropy.uniform(math.prod(shape), 256).pop(message) for shape in reversed(shapes)][::-1]
        h, levels = self.features(z, shapes)
        x = self.pop_phases(message, "inner", [], n, size, [h])
        seen = 2 * x
        for i, (above, *prior) in enumerate(levels):
            seen = self.up[i](squeeze(seen))
            posterior = halves(self.posterior[i](np.concatenate([*above, seen], -1)))
            given = [part.reshape(-1).tolist() for part in (*posterior, *prior)]
            entropy.bucketed_gaussian(len(z[i]), 8, 26, *given).push(message, z[i])
        return x

    def features(self, z, shapes):
        """The features of the finest level; and of each level, the finest first, what it is given of those above, and its prior."""
        above, levels = [], []
        for i in reversed(range(len(z))):
            mean, log_scale = halves(self.prior[i](*above)) if above else np.zeros((2, *shapes[i]), np.int64)
            levels.insert(0, (above, mean, log_scale))
            scale = np.array([entropy.scale(1 << 16, t) for t in log_scale.reshape(-1).tolist()]).reshape(shapes[i])
            value = (mean << 12) + (self.centres[np.reshape(z[i], shapes[i])] * scale >> 16)
            h = self.down[i](np.concatenate([*above, np.clip(value >> 18, LOW, HIGH)], -1))
            above = [doubled(h, shapes[i - 1][1:3])] if i else []
        return h, levels

    def pop_phases(self, message, name, known, n, size, given):
        """Images of this size; `known` are the phases that are known."""
        places, whole = extents(*size), half(size)
        phases = list(known)
        for made, (parameters, linear) in self.priors[name]:
            x = np.concatenate([*(2 * phase for phase in phases), *given], -1)
            parts = (np.split(net(x), len(made), axis=-1) for net in (parameters, linear))
            for q, *outputs in zip(made, *parts, strict=True):
                rows, columns = places[q]
                phase = np.zeros((n, *whole, self.channels), np.int64)
                cut = [part[:, :rows, :columns] for part in outputs]
                phase[:, :rows, :columns] = self.pop_pixels(message, *cut)
                phases.append(phase)
        images = np.empty((n, *size, self.channels), np.int64)
        for (r, c), (rows, columns), phase in zip(idf.PHASES, places, phases, strict=True):
            images[:, r::2, c::2] = phase[:, :rows, :columns]
        return images

    def pop_pixels(self, message, parameters, offset):
        """Pixels at positions that all lie in the image."""
        k, c, size = self.components, self.channels, offset[..., 0].size
        rows = parameters.reshape(size, parameters.shape[-1] // k, k)
        logits, means, scales, coefficients = np.split(rows, np.cumsum([1, c, c]), axis=1)
        means = means + offset.reshape(size, c, 1) + (1 << 16)
        given = logits[:, 0], means, scales, coefficients
        mixture = entropy.ChannelMixture(size, c, 512, 24, *(part.tolist() for part in given))
        return np.array(mixture.pop(message), np.int64).reshape(offset.shape) - 256


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk; `model` is what `exact.parse_model` returns, and `settings` has no bearing."""
    hierarchy = Hierarchy(*model)
    size = idf.arrange(tuple(shape), hierarchy.channels)
    if dtype != "uint8":
        raise entropy.Corrupt("an array of another dtype")
    message = entropy.Message.parse(payload)
    x = hierarchy.pop(message, *size)
    message.check_end()
    return idf.colour(x).reshape(shape)
