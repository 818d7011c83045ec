"""``bbans.hvae`` and ``bbans.hvae-lossy`` in plain Python and numpy, written from the text of ``spec/codecs/hvae.md``; it decodes only."""

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
        self.centres = [edges[(np.arange(1 << b) << 12 - b) + (1 << 11 - b)] for b in range(1, 9)]

    def pop(self, message, n, h, w, version, effort):
        """Images before the colour transform is undone, of shape (n, h, w, C)."""
        told = self.pop_corrections(message, n) if effort == "smallest" and h * w >= 256 else None
        rest, within = (None, None) if told is None else (told[:, :3], told[:, 3:])
        size, (least,) = half((h, w)), entropy.uniform(1, 8).pop(message) if version > 1 else (7,)
        inner = self.pop_inner(message, n, size, least + 1, within)
        return self.pop_phases(message, "rest", [inner], n, (h, w), [], rest)

    def pop_corrections(self, message, n):
        """Numbers for each image and phase, or None."""
        if entropy.categorical(1, [[0, 15, 16]]).pop(message) == [0]:
            return None
        c, k = self.channels, self.components
        kinds = [0] * c + [1] * c + [2] * k + [3] * (c * (c - 1) // 2 * k)
        contexts = kinds * (7 * n)
        numbers = entropy.AdaptiveCategorical(len(contexts), 15, 24, contexts, 2, 1024).pop(message)
        return np.array(numbers, np.int64).reshape(n, 7, len(kinds)) - 7

    def pop_inner(self, message, n, size, bits, told):
        """The inner images, of this size, by bits-back coding with latents that are named by this number of bits."""
        shapes = self.shapes(n, size)
        z = [entropy.uniform(math.prod(shape), 1 << bits).pop(message) for shape in reversed(shapes)][::-1]
        moved = [self.centres[bits - 1][np.reshape(k, shape)] for k, shape in zip(z, shapes, strict=True)]
        h, levels = self.features(moved, shapes)
        x = self.pop_phases(message, "inner", [], n, size, [h], told)
        seen = 2 * x
        for i, (above, *prior) in enumerate(levels):
            seen = self.up[i](squeeze(seen))
            posterior = halves(self.posterior[i](np.concatenate([*above, seen], -1)))
            given = [part.reshape(-1).tolist() for part in (*posterior, *prior)]
            entropy.bucketed_gaussian(len(z[i]), bits, 26, *given).push(message, z[i])
        return x

    def shapes(self, n, size):
        """Those of the latents of each level, the finest first."""
        sizes = [half(size)]
        for _ in self.latents[1:]:
            sizes.append(half(sizes[-1]))
        return [(n, *s, m) for s, m in zip(sizes, self.latents, strict=True)]

    def pop_coarse(self, message, n, h, w, levels):
        """What the latents of some levels alone say of images."""
        size = half((h, w))
        shapes = self.shapes(n, size)
        moved = [0] * len(shapes)
        for i in reversed(range(len(shapes) - levels, len(shapes))):
            contexts = np.broadcast_to(np.arange(shapes[i][-1]), shapes[i]).reshape(-1).tolist()
            q = entropy.AdaptiveCategorical(len(contexts), 15, 24, contexts, 2, 1024).pop(message)
            moved[i] = np.reshape(q, shapes[i]) - 7 << 24
        message.check_end()
        features, _ = self.features(moved, shapes)
        inner = self.pop_phases(None, "inner", [], n, size, [features])
        return self.pop_phases(None, "rest", [inner], n, (h, w), [])

    def features(self, moved, shapes):
        """The features of the finest level; and of each level, the finest first, what it is given of those above, and its prior."""
        above, levels = [], []
        for i in reversed(range(len(moved))):
            mean, log_scale = halves(self.prior[i](*above)) if above else np.zeros((2, *shapes[i]), np.int64)
            levels.insert(0, (above, mean, log_scale))
            scale = np.array([entropy.scale(1 << 16, t) for t in log_scale.reshape(-1).tolist()]).reshape(shapes[i])
            value = (mean << 12) + (moved[i] * scale >> 16)
            h = self.down[i](np.concatenate([*above, np.clip(value >> 18, LOW, HIGH)], -1))
            above = [doubled(h, shapes[i - 1][1:3])] if i else []
        return h, levels

    def pop_phases(self, message, name, known, n, size, given, told=None):
        """Images of this size; `known` are the phases that are known. Without a message, modes stand for the others."""
        places, whole = extents(*size), half(size)
        phases = list(known)
        for made, (parameters, linear) in self.priors[name]:
            x = np.concatenate([*(2 * phase for phase in phases), *given], -1)
            parts = (np.split(net(x), len(made), axis=-1) for net in (parameters, linear))
            for q, *outputs in zip(made, *parts, strict=True):
                rows, columns = places[q]
                phase = np.zeros((n, *whole, self.channels), np.int64)
                cut = [part[:, :rows, :columns] for part in outputs]
                numbers = None if told is None else told[:, q - len(known)]
                phase[:, :rows, :columns] = (
                    self.modes(*cut) if message is None else self.pop_pixels(message, *cut, numbers)
                )
                phases.append(phase)
        images = np.empty((n, *size, self.channels), np.int64)
        for (r, c), (rows, columns), phase in zip(idf.PHASES, places, phases, strict=True):
            images[:, r::2, c::2] = phase[:, :rows, :columns]
        return images

    def mixture(self, parameters, offset):
        """Logits, means, log-scales and coefficients of the mixtures of pixels."""
        k, c, size = self.components, self.channels, offset[..., 0].size
        rows = parameters.reshape(size, parameters.shape[-1] // k, k)
        logits, means, scales, coefficients = np.split(rows, np.cumsum([1, c, c]), axis=1)
        return logits[:, 0], means + offset.reshape(size, c, 1), scales, coefficients

    def modes(self, parameters, offset):
        """The likeliest pixels at these positions."""
        logits, means, _, coefficients = self.mixture(parameters, offset)
        at, best, x = np.arange(len(logits)), logits.argmax(1), np.zeros((len(logits), self.channels), np.int64)
        for c in range(self.channels):
            first = c * (c - 1) // 2
            shift = sum(coefficients[at, first + b, best] * x[:, b] for b in range(c))
            x[:, c] = np.clip(means[at, c, best] + shift + 128 >> 8, -256, 255)
        return x.reshape(offset.shape)

    def corrected(self, numbers, logits, scales, coefficients):
        """Parameters of the mixtures of images, as the numbers for each image have them."""
        c, k = self.channels, self.components
        numbers = np.repeat(numbers, len(logits) // len(numbers), axis=0)
        shift, stretch, tilt, turn = np.split(numbers, np.cumsum([c, c, k]), axis=1)
        scales = scales + (stretch[:, :, None] * scales >> 4) + 12 * shift[:, :, None]
        return logits + 16 * tilt, np.clip(scales, *SCALE), coefficients + turn.reshape(coefficients.shape)

    def pop_pixels(self, message, parameters, offset, numbers):
        """Pixels at positions that all lie in the image."""
        logits, means, scales, coefficients = self.mixture(parameters, offset)
        if numbers is not None:
            logits, scales, coefficients = self.corrected(numbers, logits, scales, coefficients)
        given = logits, means + (1 << 16), scales, coefficients
        mixture = entropy.ChannelMixture(len(means), self.channels, 512, 24, *(part.tolist() for part in given))
        return np.array(mixture.pop(message), np.int64).reshape(offset.shape) - 256


def opened(model, payload, shape, dtype):
    """The model, the message, and the size of the images."""
    hierarchy = Hierarchy(*model)
    size = idf.arrange(tuple(shape), hierarchy.channels)
    if dtype != "uint8":
        raise entropy.Corrupt("an array of another dtype")
    return hierarchy, entropy.Message.parse(payload), size


def decode_lossy(model, settings, payload, shape, dtype):
    """As `decode`, of ``bbans.hvae-lossy``."""
    hierarchy, message, size = opened(model, payload, shape, dtype)
    levels = natural(settings.get("levels", 0), 0, len(hierarchy.latents)) or len(hierarchy.latents)
    x = hierarchy.pop_coarse(message, *size, levels)
    return idf.uncoloured(x).clip(0, 255).astype(np.uint8).reshape(shape)


def decode(model, settings, payload, shape, dtype, version=3):
    """The array of a chunk; `model` is what `exact.parse_model` returns."""
    effort = settings.get("effort", "standard")
    if effort not in ("standard", "smallest") or (version < 3 and effort != "standard"):
        raise entropy.Corrupt("another effort")
    hierarchy, message, size = opened(model, payload, shape, dtype)
    x = hierarchy.pop(message, *size, version, effort)
    message.check_end()
    return idf.colour(x).reshape(shape)
