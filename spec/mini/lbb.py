"""The codec `lbb.flow` in plain Python and numpy, written from the text of ``spec/codecs/lbb.md``; it decodes only."""

import math

import entropy
import exact
import numpy as np

LOG2E, LN2, HIGH = (float.fromhex(v) for v in ("0x1.71547652b82fep+0", "0x1.62e42fefa39efp-1", "0x1.62e42feep-1"))
LOW, ROOT = (float.fromhex(v) for v in ("0x1.a39ef35793c76p-33", "0x1.6a09e667f3bcdp+0"))
OCTAVE = float.fromhex("0x1.71547652b82fep+6")
EXP, LOG = [1 / math.factorial(k) for k in range(14)], [1 / (2 * k + 1) for k in range(11)]
PHASES = (0, 0), (1, 1), (0, 1), (1, 0)
KEYS = "channels", "centre", "components", "grid", "learned", "layers"
KINDS = "logit", "squeeze", "actnorm", "convolution", "additive", "affine", "mixture", "factor"
WINDOW, LOGIT, MEAN, SCALE = (-2048, 2047), (-(1 << 15), 1 << 15), (-(1 << 21), 1 << 21), (-7168, 4096)


def require(holds, text):
    if not holds:
        raise entropy.Corrupt(text)


def natural(v, low, high):
    exact.check(type(v) is int and low <= v <= high, f"{v!r} is no integer from {low} to {high}")
    return v


# --- functions of arrays of doubles --------------------------------------------------------------


def series(coefficients, x):
    p = coefficients[-1]
    for c in coefficients[-2::-1]:
        p = p * x + c
    return p


def exp(x):
    x = np.minimum(np.maximum(x, -670.0), 670.0)
    n = np.floor(x * LOG2E + 0.5)
    return np.ldexp(series(EXP, (x - n * HIGH) - n * LOW), n.astype(int))


def decay(x):
    x = np.minimum(x, 670.0)
    n = np.floor(0.5 - x * LOG2E)
    return np.ldexp(series(EXP[:9], -x - n * LN2), n.astype(int))


def log(x):
    m, n = np.frexp(x)
    small = 2 * m <= ROOT
    m, n = np.where(small, 2 * m, m), np.where(small, n - 1, n).astype(float)
    s = (m - 1) / (m + 1)
    return n * HIGH + (2 * s * series(LOG, s * s) + n * LOW)


def logistic(x):
    return 1 / (1 + exp(-x))


def logit(p):
    return log(p / (1 - p))


# --- maps: a function that gives f and λ, and g --------------------------------------------------


def logit_map(centre):
    o, a = 0.05 + 0.9 * centre / 256, 0.9 / 8

    def forwards(x):
        q = o + a * x
        require(((q > 0) & (q < 1)).all(), "a value beyond those of the logit")
        return logit(q), log(a / (q * (1 - q)))

    return forwards, lambda y: (logistic(y) - o) / a


def scale_map(t):
    return lambda x: (x * exp(t), np.broadcast_to(t, x.shape)), lambda y: y * exp(-t)


def mixture_map(logits, means, log_scales):
    """Of parameters with the components as their first axis."""
    e, total = exp(np.ldexp(logits, -10) - np.ldexp(logits.max(0), -10)), 0.0
    for a in e:
        total = total + a
    w, m, r = e * ((1 - 2.0**-12) * 2.0**160 / total), np.ldexp(means, -16), exp(-np.ldexp(log_scales, -10))
    mixture = [*zip(w, m, r, strict=True), (2.0**148, 0.0, 1.0)]

    def forwards(x):
        f = g = h = 0.0
        for w, m, r in mixture:
            t = (x - m) * r
            e = exp(-np.abs(t))
            u = w / (1 + e)
            v = e * u
            f, g = f + np.where(t >= 0, u, v), g + np.where(t >= 0, v, u)
            h = h + v / (1 + e) * r
        return log(f / g), log(h / (f * g) * 2.0**160)

    @np.errstate(over="ignore")
    def backwards(y):
        o, q = exp(y), [y, *(m + y / r for _, m, r in mixture[:-1])]
        low, high = np.min(q, axis=0), np.max(q, axis=0)
        for _ in range(24):
            x = 0.5 * (low + high)
            above, below = 0.0, 1.0  # N and M
            for w, m, r in mixture:
                t = (x - m) * r
                e = decay(np.abs(t))
                u = w * np.where(t >= 0, 1 - o * e, e - o)
                above, below = above * (1 + e) + u * below, below * (1 + e)
            low, high = np.where(above < 0, x, low), np.where(above < 0, high, x)
        return 0.5 * (low + high)

    return forwards, backwards


# --- arrays of 64-bit integers; sums and shifts wrap around -----------------------------


def flat(z):
    return z.reshape(-1).tolist()


def push_bits(message, bits, z):
    entropy.Bits([bits] * z.size).push(message, flat(z))


def pop_escape(message, family, shape, n, mean, log_scale, bits):
    """The integers (i << bits) + j."""
    size = math.prod(shape)
    i = entropy.Escape(entropy.location_scale(family, size, n, 28, [mean] * size, [log_scale] * size)).pop(message)
    j = entropy.Bits([bits] * size).pop(message)
    return ((np.array(i, np.int64) << bits) + np.array(j, np.int64)).reshape(shape)


def squeeze(z):
    return np.concatenate([z[:, r::2, s::2] for r, s in PHASES], axis=-1)


def unsqueeze(y):
    n, h, w, d = y.shape
    z = np.empty((n, 2 * h, 2 * w, d // 4), np.int64)
    for (r, s), part in zip(PHASES, np.split(y, 4, axis=-1), strict=True):
        z[:, r::2, s::2] = part
    return z


class Flow:
    """A model. A method named like a layer checks it, and gives its channels out and a function that undoes it."""

    def __init__(self, codec, config, tensors):
        exact.check(codec == "lbb.flow", "another codec")
        self.tensors = tensors
        try:
            self.build(*(config[key] for key in KEYS))
        except (ValueError, TypeError, KeyError) as error:
            raise exact.Unfit(f"no model: {error}") from error

    def build(self, channels, centre, components, grid, learned, layers):
        (b, s), width = grid, natural(channels, 1, 4)
        self.channels, self.centre, self.components = width, natural(centre, 0, 255), natural(components, 1, 64)
        self.b, self.s, self.learned = natural(b, 17, 32), natural(s, 0, b - 2), learned
        exact.check(type(learned) is bool and type(layers) is list and len(layers) <= 256, "learned or layers")
        self.undo, self.halvings = [], 0
        for i, (kind, *where) in enumerate(layers):
            exact.check(type(layers[i]) is list and kind in KINDS and width > 0, f"layer {i}: unknown, or no channels")
            width, undo = getattr(self, kind)(f"layer{i}", width, *where)
            exact.check(width <= 1024, "too many channels")
            self.undo.insert(0, undo)
        self.undo.insert(0, self.factor("", width, 0)[1])
        if learned:
            four = 4 * self.channels
            self.noise = self.pair("noise", four, [MEAN] * four + [(-3072, 1024)] * four, [MEAN] * four)

    def tensor(self, name, shape, kinds="i"):
        found = self.tensors[name]
        exact.check(found.shape == shape and found.dtype.kind in kinds, f"{name} of another shape or dtype")
        return found.astype(np.int64)

    def network(self, name, inputs, limits=None, spans=None):
        """A network whose range is the window, or includes `spans`."""
        network = exact.Network(self.tensors, name)
        low, high = network.layers[-1][3:5]
        exact.check(network.inputs == inputs, f"{name}: inputs of another width")
        if limits is not None:
            exact.check(network.outputs == len(limits), f"{name}: outputs of another width")
            least, most = np.transpose(limits)
            exact.check((least <= low).all() and (high <= most).all(), f"{name}: outputs out of range")
        fits = all(network.low <= a and z <= network.high for a, z in spans or [])
        exact.check(fits and (spans or (network.low, network.high) == WINDOW), f"{name}: another range")
        return network

    def pair(self, name, inputs, limits, linear_limits):
        parts = ("network", limits), ("linear", linear_limits)
        return [self.network(f"{name}.{part}", inputs, v) for part, v in parts]

    def window(self, z):
        """The inputs of networks."""
        return np.clip((z + (1 << (self.b - 8))) >> (self.b - 7), *WINDOW)

    def double(self, z):
        return np.ldexp(z.astype(float), -self.b)

    def integer(self, v):
        require((np.abs(v) < 1 << 20).all(), "a value far outside")
        return np.floor(np.ldexp(v, self.b) + 0.5).astype(np.int64)

    def local(self, message, y, forwards, backwards):
        """Local coding: pop x, push y."""
        low, unit = max(self.b - self.s - 6, 0), 64 * (self.b - self.s)
        near, mean = self.integer(backwards(self.double(y))), 524288 - (128 if low else 0)
        x = pop_escape(message, "DiscretizedGaussian", y.shape, 4096, mean, unit - 64 * low, low)
        x = near - (2048 << low) + x
        f, slope = forwards(self.double(x))
        mean = self.integer(f)
        require(np.isfinite(slope).all(), "a slope that is not finite")
        log_scale = np.minimum(np.maximum(np.floor(slope * OCTAVE) + unit, 0), 2560).astype(int)
        entropy.FineGaussian(y.size, 28, flat(mean), flat(log_scale)).push(message, flat(y))
        return x

    def logit(self, name, width):
        return width, lambda message, y: self.local(message, y, *logit_map(self.centre))

    def squeeze(self, name, width):
        self.halvings += 1
        return 4 * width, lambda message, y: unsqueeze(y)

    def actnorm(self, name, width):
        shift, log_scale = (self.tensor(f"{name}.{key}", (width,)) for key in ("shift", "log_scale"))
        exact.check((np.abs(log_scale) <= 1 << 19).all(), f"{name}: a scale out of range")
        scale = scale_map(np.ldexp(log_scale, -16))
        return width, lambda message, y: self.local(message, y, *scale) - (shift << (self.b - 16))

    def convolution(self, name, width):
        order = self.tensor(f"{name}.order", (width,), "iu")
        lower, upper = (self.tensor(f"{name}.{key}", (width, width)) for key in ("lower", "upper"))
        exact.check(sorted(order.tolist()) == list(range(width)), f"{name}: no permutation")

        def undo(message, y):
            z = np.empty_like(y)
            z[..., order] = y
            for c in range(width):
                z[..., c] -= (2048 + z[..., :c] @ lower[c, :c]) >> 12
            for c in reversed(range(width)):
                z[..., c] -= (2048 + z[..., c + 1 :] @ upper[c, c + 1 :]) >> 12
            return z

        return width, undo

    def additive(self, name, width, where, *, affine=False):
        parity = natural(where, 0, 1) if type(where) is not list else None
        a, e = (0, width) if parity is not None else where
        m = natural(e, natural(a, 0, width - 1) + 1, width) - a
        inputs, limits = width - (m if parity is None else 0), [MEAN] * m + [(-(1 << 11), 1 << 11)] * m * affine
        network, linear = self.pair(name, inputs, limits, [MEAN] * m)

        def undo(message, y):
            if parity is None:
                at, x = np.s_[:, :, :, a:e], self.window(np.concatenate([y[..., :a], y[..., e:]], axis=-1))
            else:
                change = np.add.outer(np.arange(y.shape[1]), np.arange(y.shape[2])) % 2 == parity
                at, x = np.s_[:, change], np.where(change[..., None], 0, self.window(y))
            out, z = network(x), y.copy()
            t, log_scale = (out[..., :m] + linear(x))[at[:3]], out[..., m:][at[:3]]
            before = self.local(message, y[at], *scale_map(np.ldexp(log_scale, -10))) if affine else y[at]
            z[at] = before - (t << (self.b - 16))
            return z

        return width, undo

    def affine(self, name, width, where):
        return self.additive(name, width, where, affine=True)

    def mixture(self, name, width, where):
        (a, e), c, k = where, self.channels, self.components
        exact.check(type(where) is list, f"{name}: channels that are no list")
        phases, part = divmod(natural(e, natural(a, 0, width - 1) + 1, width) - a, c)
        exact.check(part == 0, f"{name}: phases that are not whole")
        one = ([LOGIT] * k + [MEAN] * k + [SCALE] * k) * c + [LOGIT] * (c * (c - 1) // 2)
        limits, constants = np.transpose(one), None
        if a == 0:
            constants = self.tensor(f"{name}.constants", (phases * len(one),)).reshape(phases, -1).clip(*limits)
        else:
            trunk = self.network(f"{name}.trunk", a, None, [WINDOW])
            linear = self.network(f"{name}.linear", a, [MEAN] * (e - a), [WINDOW])
            reach = int(trunk.layers[-1][3].min()), int(trunk.layers[-1][4].max())
            head = self.network(f"{name}.head", trunk.outputs, one * phases, [reach])
        if a and c > 1:
            others = self.network(f"{name}.others", trunk.outputs + phases, None, [reach, WINDOW])
            exact.check(others.outputs == phases * (len(one) - 3 * k), f"{name}: others of another width")

        def undo(message, y):
            shape, theta, offsets = (*y.shape[:3], phases), constants, 0
            if a:
                known = self.window(y[..., :a])
                t, offsets = trunk(known), linear(known)
                theta = head(t).reshape(*shape, -1)
            theta = np.broadcast_to(theta, (*shape, len(one))).copy()
            after, v = y[..., a:e].reshape(*shape, c), np.zeros((*shape, c), np.int64)
            for i in range(c):
                if i == 1 and a:
                    inputs = np.concatenate([t, self.window(4 * v[..., 0])], axis=-1)
                    theta[..., 3 * k :] += others(inputs).reshape(*shape, -1)
                    theta = theta.clip(*limits)
                own = np.moveaxis(theta[..., 3 * k * i : 3 * k * (i + 1)], -1, 0)
                x = self.local(message, after[..., i], *mixture_map(own[:k], own[k : 2 * k], own[2 * k :]))
                at = 3 * k * c + i * (i - 1) // 2
                v[..., i] = x + ((2048 + (theta[..., at : at + i] * v[..., :i]).sum(-1)) >> 12)
            z = y.copy()
            z[..., a:e] = v.reshape(*y.shape[:3], -1) + (offsets << (self.b - 16))
            return z

        return width, undo

    def factor(self, name, width, kept):
        left, bits = width - natural(kept, 0, width), self.b - 7

        def undo(message, y):
            z = pop_escape(message, "DiscretizedLogistic", (*y.shape[:3], left), 8192, 1048448, 448, bits)
            return np.concatenate([y, z - (4096 << bits)], axis=-1)

        return kept, undo

    def pop(self, message, n, h, w):
        """The values of n images."""
        z, rest = np.empty((n, h >> self.halvings, w >> self.halvings, 0), np.int64), self.b - 5
        for undo in self.undo:
            z = undo(message, z)
        x = z >> rest
        require(((x + self.centre >= 0) & (x + self.centre <= 255)).all(), "a value that is no grey level")
        self.push_noise(message, x << rest, z - (x << rest))
        return flat(x + self.centre)

    def push_noise(self, message, x, u):
        if not self.learned:
            return push_bits(message, self.b - 5, u)
        v, four = u >> (self.b - 17), 4 * self.channels
        push_bits(message, self.b - 17, u - (v << (self.b - 17)))
        out, linear = (network(self.window(squeeze(x))) for network in self.noise)
        t, scale = unsqueeze(out[..., :four] + linear), unsqueeze(out[..., four:])

        def counts(k):
            odds = logit(np.clip(k, 1, 4095) / 4096) * exp(-np.ldexp(scale, -10)) - np.ldexp(t, -16)
            inner = np.floor(logistic(odds) * 268431360).astype(np.int64) + k
            return np.where(k == 0, 0, np.where(k == 4096, 1 << 28, inner))

        start, freq = flat(counts(v)), flat(counts(v + 1) - counts(v))
        return message.push_array(28, flat(v), lambda i, _: (start[i], freq[i]))


def decode(model, settings, payload, shape, dtype):
    """The array of a chunk."""
    flow = Flow(*model)
    n, h, w, c = (*shape, 1) if len(shape) == 3 else shape
    parts = 1 << max(flow.halvings, flow.learned)
    require(dtype == "uint8" and c == flow.channels and h % parts == w % parts == 0, "another dtype or shape")
    message = entropy.Message.parse(payload)
    sizes = entropy.Chain(None, n if math.prod(shape) else 0, 64, 32).sizes
    found = [flow.pop(message, size, h, w) for size in reversed(sizes)]
    message.check_end()
    return np.array([v for part in found for v in part], np.uint8).reshape(shape)
