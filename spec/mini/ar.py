"""The codec ``ar.image`` in plain Python and numpy, written from the text of ``spec/codecs/ar.md``.

Numbers of Python leave what they are combined with in binary32; `total` and `lane_sum` add in the order of the text.
"""

import math

import ar_fast
import ar_smallest
import ar_wide
import entropy
import exact
import numpy as np
from arrays import Bytes, require

REAL, TINY = np.float32, np.float32(1e-20)
PLAIN, FAST, NETWORK, SMALLEST, APART, SECOND = 0, 1, 2, 3, 4, 8
#: The levels of the format versions from 3 on.
LEVELS = {3: (0, 1, 2, 3), 4: (0, 1, 2, 3, 4, 6, 7), 5: (0, 1, 2, 3, 4, 6, 7, 11, 15)}


def places(*pairs):
    """The index of places in a window of nine rows and columns, with the value that is coded in the middle."""
    return tuple(np.array(pairs).T + 4)


HERE, W, N, NW, NE, WW, NN = (0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)
EAST, SOUTH, SW, SE = (0, 1), (1, 0), (1, -1), (1, 1)
PAST = [W, N, NW, NE, WW, NN, (-2, 1), (-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0), (-2, -2), (-2, 2)]
NEAR, ERRORS, VALUES = places(*PAST[:6]), places(*PAST[:12]), places(*PAST[:10], *PAST[12:])
NEAR_WEIGHTS = np.array([1 / 4, 1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8], REAL)
OWN, OWN_ALONE = places(*PAST[1:7]), places(*PAST[1:])
SEEN = places(HERE, N, NW, NE, EAST, SOUTH, SW, SE), places(HERE, N, NE, EAST, SOUTH)  # before, earlier
AROUND = places(HERE, W, EAST, N, SOUTH, NW, NE, SW, SE, WW, (0, 2), NN, (2, 0))
CROSS, STEPS = places(HERE, W, EAST, N, SOUTH), (places(N, W, N, W), places(NE, NW, NW, WW))
MIDDLE, LEFT = (4, 4), (4, 3)
SIZES = (13, 36), (14, 51), (19, 57)  # regressors and features of the planes


def total(terms, start=0):
    for a in terms:
        start = start + a
    return start


def lane_sum(lanes, a):
    a = np.concatenate([a, np.zeros((-len(a) % lanes, *a.shape[1:]), REAL)])
    a = total(a.reshape(-1, lanes, *a.shape[1:]))
    while len(a) > 1:
        a = a[: len(a) // 2] + a[len(a) // 2 :]
    return a[0]


def flush(a):
    """D of the text."""
    return np.where(np.abs(a) > TINY, a, REAL(0))


def log2(a):
    f, d = math.frexp(a)  # 1/2 <= f < 1
    return 64 * (d - 1) + (entropy.table("log2_mantissa")[math.floor(512 * f) - 256] >> 10)


def ratio(a, b, shift=2):
    return min(max(log2(a) - log2(b) >> shift, -127), 127)


def compress(v):
    """c of the text."""
    u = np.abs(v)
    u = np.minimum(u, 64) + np.minimum(np.maximum(u - 64, 0) / 4, 32) + np.minimum(np.maximum(u - 192, 0) / 16, 31)
    return np.sign(v) * np.floor(u + 0.5)


def read_prior(name, tensors, n):
    """A prior of n regressors, a matrix with the vector in column 0."""
    found = tensors.get(name, np.zeros(0))
    fit = found.dtype == "<f8" and found.shape == (n * (n + 1) // 2 + n,) and (np.abs(found) < 1e12).all()
    exact.check(fit, "a prior of another size, or out of range")
    prior = np.zeros((n + 1, n + 1), REAL)
    prior[1:, 1:][np.tril_indices(n)], prior[1:, 0] = np.split(flush(found.astype(REAL)), [-n])
    return prior


def read_planes(kind, config, tensors, sizes):
    """Of each plane the prior, and the layers of the network."""

    def integers(found, low, high):
        return type(found) is list and len(found) == 2 and all(type(a) is int and low <= a <= high for a in found)

    components, decays, periods, rates = (config.get(key) for key in ("components", "decays", "periods", "rates"))
    exact.check(integers([components, components], 1, 16), "sizes out of range")
    fit = integers(decays, 0, 255) and integers(periods, 1, 65536) and integers(rates, 0, 24)
    exact.check(fit, "settings out of range")
    planes, none = [], np.zeros(0)
    for i, (n, width) in enumerate(sizes):
        prior, layers = read_prior(f"{kind}{i}.prior", tensors, n), []
        while (name := f"{kind}{i}.{len(layers)}") + ".weight" in tensors:
            weight, bias = tensors[name + ".weight"], tensors.get(name + ".bias", none)
            fit = weight.dtype == bias.dtype == "<i4" and weight.shape == (bias.size, width) and bias.ndim == 1
            exact.check(fit and 1 <= bias.size <= 1024, "a layer of another kind or size")
            layers.append(((weight / 2**20).astype(REAL), (bias / 2**24).astype(REAL)))
            width = bias.size
        exact.check(1 <= len(layers) <= 8 and width == 3 * components, "a network of another size")
        planes.append((prior, layers))
    return planes


def read_model(codec, config, tensors):
    """Of each plane prior and layers, and those of the second opinion, if there is one."""
    exact.check(codec == "ar.image" and type(config) is dict, "another codec")
    channels = config.get("channels")
    exact.check(type(channels) is int and channels in (1, 3), "sizes out of range")
    planes = read_planes("plane", config, tensors, SIZES[:channels])
    return planes, ar_wide.read(config, tensors, channels) if "wide" in config else None


class Network:
    def __init__(self, layers, a, b):
        self.layers = [(weight.copy(), np.tile(bias, (4, 1))) for weight, bias in layers]
        self.rate, self.bias_rate = REAL(2.0**-a), REAL(2.0**-b if b else 0)

    def __call__(self, y, taking_part):
        """Logits, means and log-scales."""
        self.inputs, self.taking_part = [], taking_part
        for weight, biases in self.layers:
            self.inputs.append(y)
            s = total(y[:, None] * weight.T, biases[taking_part])
            y = np.floor(np.clip(s, 0, 128) * 256) / 256
        parts = zip(np.split(s.astype(float), 3), (92.332482, 64, 92.332482), (2**11, 2**11, 2**10), strict=True)
        return [np.floor(np.clip(a * u, -v, v) + 0.5).astype(int) for a, u, v in parts]

    def learn(self, gradient):
        for (weight, biases), y in zip(self.layers[::-1], self.inputs[::-1], strict=True):
            below = lane_sum(16, gradient[:, None] * weight) * (y != 0)
            weight -= y * (self.rate * (128 / np.maximum(lane_sum(16, y * y), 128))) * gradient[:, None]
            biases[self.taking_part] -= self.bias_rate * gradient
            gradient = np.floor(np.clip(below, -8, 8) * 4096) / 4096


def gradient(x, top, s, w, means, log_scales):
    """By the outputs of the network, in binary64."""

    def cdf(k):
        if k in (0, top + 1):
            return np.full(len(w), float(k > 0))
        parts = zip(means, log_scales, strict=True)
        return np.array([entropy.standard_cdf("DiscretizedLogistic", k, *a) for a in parts]) / 2**32

    exp2 = entropy.table("exp2_negative")
    inverse = np.array([math.ldexp(exp2[64 - (-a & 63)], (-a >> 6) - 15) for a in log_scales])
    f0, f1, w, z = cdf(x), cdf(x + 1), np.array(w) / 2**16, (256 * x - np.array(means)) / 256
    g0, g1, p = f0 * (1 - f0), f1 * (1 - f1), w * (f1 - f0)
    whole = total(p, 2.0**-24)
    by_scales = w * (g1 * ((z + 0.5) * inverse) - g0 * ((z - 0.5) * inverse)) / whole
    found = np.concatenate([w - p / whole, w * (g1 - g0) * (s * inverse) / whole, by_scales])
    return (np.floor(np.clip(found, -1, 1) * 4096 + 0.5) / 4096).astype(REAL)


class Fading:
    """Sums that fade with the distance: the states of the columns, and that of the row."""

    def __init__(self, width, shape, rate):
        self.columns, self.row = np.zeros((width, *shape), REAL), np.zeros(shape, REAL)
        self.rate, self.terms = rate, []

    def add(self, c, term):
        self.terms.append(term)
        self.row = self.row + term
        self.columns[c] = flush(self.rate * (self.columns[c] + self.row))
        self.row = flush(self.rate * self.row)

    def end_row(self):
        back = np.zeros_like(self.row)
        for c in range(len(self.columns) - 1, 0, -1):
            back = flush(self.rate * (back + self.terms[c]))
            self.columns[c - 1] += self.rate * back
        self.row, self.terms = np.zeros_like(self.row), []


def solve(a, w):
    """The weights of a predictor by its sums `a`, or `w` as it was; what is above the diagonal of `a` plays no part."""
    q, found = np.zeros_like(w), np.zeros_like(w)
    for p in range(len(w) - 1, 0, -1):
        if not a[p, p] > TINY:
            return w
        q[p] = 1 / a[p, p]
        a[1:p, :p] = flush(a[1:p, :p] - (a[p, 1:p] * q[p])[:, None] * a[p, :p])
    for i in range(1, len(w)):
        found[i] = flush(a[i, 0] * q[i])
        a[i + 1 :, 0] -= a[i + 1 :, i] * found[i]
    return found


def roughness(x, e, recent, errors):
    """How large errors and slopes are nearby."""
    slope = 1 / 32 + 1 / 4 * total(np.abs(x[STEPS[0]] - x[STEPS[1]]))
    return recent[0] / (recent[2] + 1 / 16) + 1 / 32, total(np.abs(e[errors])) / 16 + 1 / 32, slope


def features(x, e, seen, top, s, m, guesses, misses, recent, r, c):
    g, z = 32 / s, recent[2] + 1 / 16
    more = [guesses[0] - guesses[1], recent[1] / z * 4, m, top - m, *(other[MIDDLE] for _, other in seen[:1])]
    found = [*compress(np.concatenate([e[ERRORS], x[VALUES] - m, more]) * g), ratio(s, 1, 3), ratio(*misses)]
    found += [
        *(ratio(a, s) for a in roughness(x, e, recent, ERRORS)),
        np.floor(m * 127 / top),
        4 * min(r, 31),
        4 * min(c, 31),
    ]
    for (_, other), where, n in zip(seen, (AROUND, CROSS), (16, 4), strict=False):
        a = total(np.abs(other[where])) / n + 1 / 32
        found += [*compress(other[where] * (32 / a)), ratio(a, s)]
    return np.array(found, REAL)


def blend(guesses, misses):
    """What is expected, by two predictions and how far they were off."""
    a, b = misses * misses
    return (guesses[0] * b + guesses[1] * a) / (a + b)


def walk_plane(config, prior, plane, before, top, lists=None, expect=blend):
    """Go through a plane of an image; `before`: the planes that it sees. Fills in its values and errors, and those beyond it.

    `lists` are the places of regressors in its own plane, and in those before it; `expect` blends predictions.

    Yields of each value its row and column, what is around it in all planes, scale, expectation, guesses, misses and what was seen
    recently, and is sent the value.
    """
    h, w = plane.shape[1] - 8, plane.shape[2] - 8
    own, others = lists or (OWN if before else OWN_ALONE, SEEN)
    sums, recent = Fading(w, (2, *prior.shape), REAL(config["decays"])[:, None, None] / 256), Fading(w, (3,), REAL(0.9))
    weights, v, distances = np.zeros((2, len(prior)), REAL), np.zeros(len(prior), REAL), np.zeros_like(plane)
    for p in (plane, *before):
        p[:, :4] = np.reshape([(top + 1) // 2, top / 16], (2, 1, 1))
        p[:, 4, :4] = p[:, 3, :4]
    for r in range(4, h + 4):
        for c in range(4, w + 4):
            window = np.s_[:, r - 4 : r + 5, c - 4 : c + 5]
            (x, e), *seen = (p[window] for p in (plane, *before))
            near = [(x, own), *zip((a for a, _ in seen), others, strict=False)]
            v[0], v[1:] = 0, np.concatenate([a[where] - a[LEFT] for a, where in near])
            for k, period in enumerate(config["periods"]):
                if (c - 4) % period == 0:
                    weights[k] = solve(prior + (sums.columns[c - 4, k] + sums.row[k]), weights[k])
            guesses = np.minimum(np.fmax(x[LEFT] + lane_sum(8, (weights * v).T), 0), top)
            misses = total((NEAR_WEIGHTS * distances[window][:, *NEAR]).T, 1 / 64)
            s = np.maximum(np.floor(total(NEAR_WEIGHTS * np.abs(e[NEAR])) * 256) / 256, 1 / 32)
            m = np.floor(expect(guesses, misses) * 256 + 0.5) / 256
            now = recent.columns[c - 4] + recent.row
            value = yield r - 4, c - 4, [(x, e), *seen], s, m, guesses, misses, now

            x[MIDDLE], e[MIDDLE], v[0] = value, value - m, value - x[LEFT]
            distances[:, r, c] = np.abs(value - guesses)
            sums.add(c - 4, (1 / (s * s + 1) * v)[:, None] * v)
            recent.add(c - 4, np.array([abs(value - m), value - m, 1], REAL))
            for p in (plane, *before) if r == 4 else ():
                p[:, :4, c + 1 : c + 5] = p[:, 4, c, None, None]
        sums.end_row()
        recent.end_row()
        plane[:, r, w + 4 :], plane[:, r + 1, :4] = plane[:, r, w + 3, None], plane[:, r, 4, None]
    plane[:, h + 4 :] = plane[:, h + 3, None]


def described(told, top):
    """The features of a value."""
    r, c, ((x, e), *seen), s, m, guesses, misses, now = told
    return features(x, e, seen, top, s, m, guesses, misses, now, r, c)


def mixture_of(said, s, m):
    """Weights, means and log-scales by what a network says."""
    logits, means, log_scales = said
    means = (256 * float(m) + np.floor(means * (float(s) * 4))).astype(int).tolist()
    return entropy.weights(logits.tolist()), means, np.clip(log2(s) + log_scales, -384, 1280).tolist()


def decode_plane(message, config, prior, network, plane, before, top, decisions, second):
    """Fill a plane of an image: its values and errors, and those beyond it; `before`: the planes that it sees.

    Values are popped by `decisions`, if there are any, otherwise by mixtures; `second` is heard too, if there is one.
    """
    walk = walk_plane(config, prior, plane, before, top)
    told, value = next(walk), None
    while told:
        r, c, around, s, m, guesses, misses, _ = told
        mixture = mixture_of(network(described(told, top) / 32, 2 * (r % 2) + c % 2), s, m)
        heard = [(mixture, s, m, guesses, misses), *([second.hear(guesses, misses, value)] if second else [])]
        if decisions:
            value = decisions.value(top, heard, (r, c), around)
        else:
            (value,) = entropy.logistic_mixture(1, top + 1, 24, *([part] for part in mixture)).pop(message)
        if config["rates"][0]:
            network.learn(gradient(value, top, float(s), *mixture))
        if second:
            second.learn(value)
        told = further(walk, value)
    if second:
        further(second.walk, value)


def further(walk, value):
    """What a walk yields once it was sent a value; None at its end."""
    try:
        return walk.send(value)
    except StopIteration:
        return None


@np.errstate(all="ignore")
def decode(model, settings, payload, shape, dtype, version):
    """The array of a chunk; `model` is what `exact.parse_model` returns."""
    if int(np.__version__.split(".")[0]) < 2:
        raise ImportError(
            f"ar.image takes numpy 2 or newer: numpy {np.__version__} widens numbers where the text does not"
        )
    (parts, wide), config = read_model(*model), model[1]
    require(set(settings) <= {"effort"}, "settings that the codec does not have")
    level, apart, second, one = PLAIN, False, False, config["channels"] == 1
    if version > 2:
        require(len(payload) > 0 and payload[0] in LEVELS[version], "a level that there is not")
        level, apart, second, payload = payload[0] & 3, payload[0] & APART, payload[0] & SECOND, payload[1:]
    require(not second or wide, "a second opinion that the model does not have")
    require(not apart or 0 not in shape, "messages of planes of nothing")
    numbers = {PLAIN: (1,) if one else (3, 4), FAST: range(1, 17)}
    full = full_shape(shape, numbers.get(level, (1,) if one else range(2, 17)))

    def pop(messages, images, count, top, roles):
        """Planes of codes, of shape (count, n, h, w)."""
        n, h, w = images
        planes, marks = [], []
        for message, role in zip(messages, roles, strict=False):
            prior, layers = parts[role]
            network = Network(layers, *config["rates"])
            other = ar_wide.Second(config, wide[role], role) if second else None
            decisions = ar_smallest.Decisions(message, n * h * w, other) if level == SMALLEST else None
            planes.insert(0, np.zeros((n, 3, h + 8, w + 8), REAL))
            marks.insert(0, np.full((n, h + 8, w + 8), 2))
            for image in range(n):
                plane, *seen = (p[image] for p in planes[: role + 1])
                if other:
                    other.begin(plane[::2], [p[::2] for p in seen], top)
                if decisions:
                    decisions.marks = [p[image] for p in marks[: role + 1]]
                decode_plane(message, config, prior, network, plane[:2], [p[:2] for p in seen], top, decisions, other)
        return np.array([p[:, 0, 4 : h + 4, 4 : w + 4] for p in planes[::-1]])

    if level == FAST:
        return ar_fast.decode(payload, full, dtype, ar_fast.pop_planes).reshape(shape)
    if level in (NETWORK, SMALLEST):
        roles = [0] * 16 if one else [0, 1, *[2] * 14]
        return ar_fast.decode(payload, full, dtype, lambda *more: pop(*more, roles), apart).reshape(shape)
    require(dtype == "uint8" or (dtype == "uint16" and (one or version > 2)), "a dtype that the model does not take")
    array, top = np.zeros(full, dtype), {"uint8": 255, "uint16": 65535}[dtype]
    messages = ar_fast.parse_messages(Bytes(payload), full[3], apart)
    if array.size:
        found = pop(messages, full[:3], full[3], top, [0, 1, 2, 0])
        for channel, plane in zip([0] if one else [1, 0, 2, 3], found, strict=False):
            array[..., channel] = plane
    for message in messages:
        message.check_end()
    return array.reshape(shape)


def full_shape(shape, numbers):
    """(n, h, w, channels) of an array that may lack n, and channels where there is one."""
    full = tuple(shape)
    if len(full) not in (3, 4) or full[-1] not in numbers:
        require(1 in numbers and len(full) in (2, 3), "an array that the codec does not take")
        full = (*full, 1)
    return full if len(full) == 4 else (1, *full)
