"""The entropy coder in plain Python, written from the text of ``spec/entropy.md``: integers and lists, no other library.

It decodes test vectors, one symbol at a time, and encodes them again; speed is no concern. Run it on files of vectors::

    python spec/mini/entropy.py spec/vectors/entropy/*.json
"""

import ast
import json
import math
import struct
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

MASK64 = (1 << 64) - 1
LANES, WIDE, TAIL, THIN = 16, 1 << 14, 1 << 11, 1 << 13
TABLES = Path(__file__).parents[2] / "codecs_core/entropy/tables"


class Corrupt(Exception):
    code = "corrupt"


class Exhausted(Exception):
    code = "exhausted"


# --- conventions ---------------------------------------------------------------------------------


@cache
def table(name):
    """The integers of a .npy file with one axis."""
    data = (TABLES / f"{name}.npy").read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    start = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:start].decode("latin-1"))
    (count,) = header["shape"]
    return struct.unpack(f"<{count}{ {'<i4': 'i', '<u4': 'I', '<i8': 'q'}[header['descr']] }", data[start:])


def shift(a, b):
    """a >> b, or a << -b."""
    return a >> b if b >= 0 else a << -b


def scale(a, s):
    return shift(a * table("exp2_negative")[64 - (s & 63)], 15 - (s >> 6))


def lookup(name, b, z):
    t = table(name)
    y = min(max(z + (2048 << b), 0), (4096 << b) - 1)
    j, r = y >> b, y & (1 << b) - 1
    return t[j] + ((t[j + 1] - t[j]) * r >> b)


def weights(logits):
    best = logits.index(max(logits))
    m = [table("exp2_negative")[min(logits[best] - x, 1023)] for x in logits]
    q = (1 << 47) // sum(m)
    w = [x * q >> 31 for x in m]
    w[best] += (1 << 16) - sum(w)
    return w


def rounded(v):
    """Cumulative counts C_0 to C_N of integer weights, at 28 bits."""
    total, below, counts = sum(v), 0, []
    for k, x in enumerate([*v, 0]):
        counts.append(below * ((1 << 28) - len(v)) // total + k)
        below += x
    return counts


def cumulate(counts):
    sums = [0]
    for x in counts:
        sums.append(sums[-1] + x)
    return sums


# --- the message ---------------------------------------------------------------------------------


def seed_word(j):
    z = (j + 1) * 0x9E3779B97F4A7C15 & MASK64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return (z ^ z >> 31) >> 32


def wide_part(p, size, rest):
    """How many symbols of an array the lanes code; `rest`: the counts that are not those of the likeliest values."""
    return size - max(size // 64, TAIL) if size >= WIDE and rest >= THIN << p else 0


class Message:
    def __init__(self, seeds=True):
        self.head, self.stack, self.seeds, self.drawn = 1 << 32 | seed_word(0), [], seeds, 0

    @classmethod
    def parse(cls, data):
        if len(data) < 5 or data[-1] == 0:
            raise Corrupt("no message")
        m = (len(data) - 5) // 4
        message = cls(seeds=False)
        message.stack = list(struct.unpack(f"<{m}I", data[: 4 * m]))
        message.head = int.from_bytes(data[4 * m :], "little")
        return message

    def to_bytes(self):
        number = self.head
        for word in reversed(self.stack):
            number = number << 32 | word
        return number.to_bytes((number.bit_length() + 7) // 8, "little")

    def check_end(self):
        expected = [seed_word(1 + i) for i in range(len(self.stack))]
        if self.head != 1 << 32 | seed_word(0) or self.stack[::-1] != expected:
            raise Corrupt("the end is not that of a new message")

    def take(self):
        if self.stack:
            return self.stack.pop()
        if not self.seeds:
            raise Exhausted("no word is left")
        self.drawn += 1
        return seed_word(self.drawn)

    def push(self, p, start, freq):
        assert freq > 0, "a symbol without counts"
        if self.head >= freq << (64 - p):
            self.stack.append(self.head & 0xFFFFFFFF)
            self.head >>= 32
        self.head = (self.head // freq << p) + self.head % freq + start

    def pop(self, p, find):
        """Pop the symbol that `find` makes of a number: (symbol, start, freq)."""
        c = self.head & (1 << p) - 1
        symbol, start, freq = find(c)
        self.head = freq * (self.head >> p) + c - start
        if self.head < 1 << 32:
            self.head = self.head << 32 | self.take()
        return symbol

    def push_bits(self, b, value):
        self.push(b, value, 1)

    def pop_bits(self, b):
        return self.pop(b, lambda c: (c, c, 1))

    # wide arrays: `heads` are those of the lanes; the one at work takes the place of the message's own

    def open_lanes(self):
        heads = [0] * LANES
        for lane in range(1, LANES):
            e = self.pop_bits(5)
            h = (1 << 32) + (self.pop_bits(16) << 16)
            h += self.pop_bits(16)
            while e > 0:
                s = min(e, 16)
                h = (h << s) + self.pop_bits(s)
                e -= s
            heads[lane] = h
        heads[0] = self.head
        return heads

    def close_lanes(self, heads):
        self.head = heads[0]
        for lane in range(LANES - 1, 0, -1):
            h = heads[lane]
            e = r = h.bit_length() - 33
            while r > 0:
                s = (r - 1) % 16 + 1
                self.push_bits(s, h & (1 << s) - 1)
                h >>= s
                r -= s
            self.push_bits(16, h & 0xFFFF)
            self.push_bits(16, h >> 16 & 0xFFFF)
            self.push_bits(5, e)

    def push_array(self, p, symbols, interval, rest=math.inf):
        wide = wide_part(p, len(symbols), rest)
        for i in range(len(symbols) - 1, wide - 1, -1):
            self.push(p, *interval(i, symbols[i]))
        if wide:
            heads = self.open_lanes()
            for i in range(wide - 1, -1, -1):
                self.head = heads[i % LANES]
                self.push(p, *interval(i, symbols[i]))
                heads[i % LANES] = self.head
            self.close_lanes(heads)

    def pop_array(self, p, size, find, rest=math.inf):
        wide = wide_part(p, size, rest)
        symbols = []
        if wide:
            heads = self.open_lanes()
            for i in range(wide):
                self.head = heads[i % LANES]
                symbols.append(self.pop(p, lambda c, i=i: find(i, c)))
                heads[i % LANES] = self.head
            self.close_lanes(heads)
        symbols.extend(self.pop(p, lambda c, i=i: find(i, c)) for i in range(wide, size))
        return symbols


# --- distributions -------------------------------------------------------------------------------


class Distribution:
    """An array of `size` symbols; symbol i has the cumulative counts cdf(i, k)."""

    def __init__(self, size, n, p, cdf, rest=math.inf):
        self.size, self.n, self.p, self.cdf, self.rest = size, n, p, cdf, rest

    def interval(self, i, k):
        assert 0 <= k < self.n, "a symbol outside the support"
        start = self.cdf(i, k)
        return start, self.cdf(i, k + 1) - start

    def find(self, i, c):
        low, high = 0, self.n
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.cdf(i, middle) <= c else (low, middle)
        return low, *self.interval(i, low)

    def push(self, message, x):
        message.push_array(self.p, x, self.interval, self.rest)

    def pop(self, message):
        return message.pop_array(self.p, self.size, self.find, self.rest)


def ruled(size, n, p, f):
    """A distribution by the rule, of f(i, k) in units of 2^-32."""

    def cdf(i, k):
        if k == 0 or k == n:
            return 0 if k == 0 else 1 << p
        return (f(i, k) * ((1 << p) - n) >> 32) + k

    return Distribution(size, n, p, cdf)


def uniform(size, n):
    p = max(1, n.bit_length() - 1) if n & n - 1 == 0 else 28
    return Distribution(size, n, p, lambda i, k: (k << p) // n)


def bernoulli(size, p, ones):
    rest = sum(min(a, (1 << p) - a) for a in ones)
    return Distribution(size, 2, p, lambda i, k: (0, (1 << p) - ones[i], 1 << p)[k], rest)


def ones_of_log_odds(p, l):  # noqa: E741
    m = table("exp2_negative")[min(abs(l), 1023)]
    r = m * ((1 << p) - 2) // (m + (1 << 16)) + 1
    return r if l < 0 else (1 << p) - r


def categorical(size, sums, index=None):
    """`sums`: cumulative counts of each table."""
    p, index = sums[0][-1].bit_length() - 1, index or [0] * size
    rests = [(1 << p) - max(b - a for a, b in pairwise(s)) for s in sums]
    cdf = lambda i, k: sums[index[i]][k]  # noqa: E731
    return Distribution(size, len(sums[0]) - 1, p, cdf, sum(rests[t] for t in index))


class AdaptiveCategorical:
    def __init__(self, size, n, p, contexts, prior, memory):
        self.size, self.n, self.p, self.contexts, self.prior, self.memory = size, n, p, contexts, prior, memory

    def begin(self):
        self.shares, self.seen = {}, {}

    def cdf(self, c, k):
        if k == 0 or k == self.n:
            return 0 if k == 0 else 1 << self.p
        shares = self.shares.setdefault(c, [(j << 32) // self.n for j in range(self.n)])
        return (shares[k] * ((1 << self.p) - self.n) >> 32) + k

    def learn(self, c, x):
        w = (1 << 16) // min(self.seen.get(c, 0) + self.prior + 1, self.memory)
        for k in range(1, self.n):
            self.shares[c][k] = (self.shares[c][k] * ((1 << 16) - w) + ((k > x) * w << 32)) >> 16
        self.seen[c] = self.seen.get(c, 0) + 1

    def push(self, message, x):
        self.begin()
        intervals = []
        for c, a in zip(self.contexts, x, strict=True):
            start = self.cdf(c, a)
            intervals.append((start, self.cdf(c, a + 1) - start))
            if self.n > 1:
                self.learn(c, a)
        for interval in reversed(intervals):
            message.push(self.p, *interval)

    def pop(self, message):
        self.begin()
        x = []
        for c in self.contexts:
            both = Distribution(1, self.n, self.p, lambda i, k, c=c: self.cdf(c, k))
            x.append(message.pop(self.p, lambda count, both=both: both.find(0, count)))
            if self.n > 1:
                self.learn(c, x[-1])
        return x


def categorical_mixture(size, p, tables, logits):
    sums, w, n = [cumulate(t) for t in tables], [weights(x) for x in logits], len(tables[0])

    def cdf(i, k):
        return (sum(a * s[k] for a, s in zip(w[i], sums, strict=True)) * ((1 << p) - n) >> 34) + k

    return Distribution(size, n, p, cdf)


def beta_binomial_sums(last, alpha, beta, p):
    a, b = alpha / 65536, beta / 65536
    w = [1.0]
    for k in range(last):
        w.append(w[k] * (((last - k) * (a + k)) / ((k + 1) * (b + (last - k - 1)))))
        if w[-1] > 1e200:
            w = [x * 2.0**-600 if x > 1e-100 else 0.0 for x in w]
        elif w[-1] < 1e-280:
            w[-1] = 0.0
    total = 0.0
    for x in w:
        total += x
    below, sums = 0.0, [0]
    for k in range(last):
        below += w[k]
        sums.append(math.floor(min(below / total, 1.0) * ((1 << p) - last - 1)) + k + 1)
    return [*sums, 1 << p]


FAMILIES = {
    "DiscretizedLogistic": ("logistic_cdf", 18),
    "DiscretizedGaussian": ("normal_cdf", 16),
    "DiscretizedLaplace": ("laplace_cdf", 18),
}


def standard_cdf(family, k, mean, log_scale):
    name, bits = FAMILIES[family]
    return lookup(name, bits, scale(((k << 8) - 128 - mean) << 16, -log_scale))


def location_scale(family, size, n, p, mean, log_scale):
    return ruled(size, n, p, lambda i, k: standard_cdf(family, k, mean[i], log_scale[i]))


def logistic_mixture(size, n, p, w, means, log_scales):
    def f(i, k):
        parts = zip(w[i], means[i], log_scales[i], strict=True)
        return sum(a * standard_cdf("DiscretizedLogistic", k, m, s) for a, m, s in parts) >> 16

    return ruled(size, n, p, f)


def bucketed_gaussian(size, bits, p, mean, log_scale, prior_mean, prior_log_scale):
    def f(i, k):
        edge = scale(table("normal_edges")[k << (12 - bits)], prior_log_scale[i]) + (prior_mean[i] << 12)
        return lookup("normal_cdf", 16, scale(edge - (mean[i] << 12), -log_scale[i]))

    return ruled(size, 1 << bits, p, f)


class ChannelMixture:
    def __init__(self, size, channels, n, p, logits, means, log_scales, coefficients):
        """`logits[i]` has a number a component; `means[i][d]` and `coefficients[i][pair]` too."""
        self.size, self.channels, self.n, self.p = size, channels, n, p
        self.logits, self.means, self.log_scales, self.coefficients = logits, means, log_scales, coefficients

    def channel(self, d, x, last):
        """Distribution of channel d and its weights, for the symbols x[j][i] before it and the same of channel d - 1."""
        means, w = [], []
        for i in range(self.size):
            m = list(self.means[i][d])
            for j in range(d):
                row = self.coefficients[i][d * (d - 1) // 2 + j]
                m = [a + c * (x[j][i] - self.n // 2) for a, c in zip(m, row, strict=True)]
            means.append(m)
            w.append(self.condition(i, d - 1, x[d - 1][i], *last) if d else weights(self.logits[i]))
        scales = [s[d] for s in self.log_scales]
        return logistic_mixture(self.size, self.n, self.p, w, means, scales), (w, means)

    def condition(self, i, d, x, w, means):
        v = []
        for a, m, s in zip(w[i], means[i], self.log_scales[i][d], strict=True):
            low = standard_cdf("DiscretizedLogistic", x, m, s) if x > 0 else 0
            high = standard_cdf("DiscretizedLogistic", x + 1, m, s) if x < self.n - 1 else 1 << 32
            v.append((a * (high - low) >> 16) + 1)
        total, best = sum(v), v.index(max(v))
        new = [(a << 16) // total for a in v]
        new[best] += (1 << 16) - sum(new)
        return new

    def push(self, message, pixels):
        x = [pixels[d :: self.channels] for d in range(self.channels)]
        mixtures, last = [], None
        for d in range(self.channels):
            mixture, last = self.channel(d, x, last)
            mixtures.append(mixture)
        for mixture, symbols in zip(reversed(mixtures), reversed(x), strict=True):
            mixture.push(message, symbols)

    def pop(self, message):
        x, last = [], None
        for d in range(self.channels):
            mixture, last = self.channel(d, x, last)
            x.append(mixture.pop(message))
        return [x[d][i] for i in range(self.size) for d in range(self.channels)]


# --- integers of many values ---------------------------------------------------------------------


class Bits:
    def __init__(self, bits):
        self.bits = bits

    def parts(self):
        for t in range((max(self.bits, default=0) + 15) // 16):
            bits = [min(max(b - 16 * t, 0), 16) for b in self.bits]
            yield t, bits, sum((1 << 16) - (1 << 16 - b) for b in bits)

    def push(self, message, x):
        for t, bits, rest in self.parts():

            def interval(i, v, bits=bits):
                return v << (16 - bits[i]), 1 << (16 - bits[i])

            message.push_array(16, [a >> 16 * t & 0xFFFF for a in x], interval, rest)

    def pop(self, message):
        x = [0] * len(self.bits)
        for t, bits, rest in reversed(list(self.parts())):

            def find(i, c, bits=bits):
                v = c >> (16 - bits[i])
                return v, v << (16 - bits[i]), 1 << (16 - bits[i])

            x = [a + (v << 16 * t) for a, v in zip(x, message.pop_array(16, len(x), find, rest), strict=True)]
        return x


class Octaves:
    def __init__(self, exponents):
        self.exponents = exponents

    def push(self, message, x):
        e = [a.bit_length() - 1 for a in x]
        self.push_rest(message, [a - (1 << b) for a, b in zip(x, e, strict=True)], e)
        self.exponents.push(message, e)

    def pop(self, message):
        e = self.exponents.pop(message)
        return [(1 << b) + a for a, b in zip(self.pop_rest(message, e), e, strict=True)]

    def push_rest(self, message, rest, e):
        Bits(e).push(message, rest)

    def pop_rest(self, message, e):
        return Bits(e).pop(message)


class EliasGamma(Octaves):
    def __init__(self, size):
        super().__init__(categorical(size, [rounded([1 << (62 - e) for e in range(62)])]))


class Exponents:
    def __init__(self, size):
        self.gamma = EliasGamma(size)

    def push(self, message, e):
        self.gamma.push(message, [a + 1 for a in e])

    def pop(self, message):
        e = [a - 1 for a in self.gamma.pop(message)]
        if any(a >= 62 for a in e):
            raise Corrupt("an exponent of 62 or more")
        return e


class EliasDelta(Octaves):
    def __init__(self, size):
        super().__init__(Exponents(size))


class Zipf(Octaves):
    def __init__(self, size, s):
        exp2, log2 = table("exp2_negative"), table("log2_mantissa")

        def power(i):
            g, r = log2[i] * s >> 16, log2[i] * s & 0xFFFF
            return (exp2[g] << 16) - (exp2[g] - exp2[g + 1]) * r

        rows = [[power(j * 256 // (1 << f) + (2 if f == 6 else 0)) for j in range(1 << f)] for f in range(7)]
        mass = [((sum(rows[min(e, 6)]) << max(e - 6, 0)) * exp2[e * s & 63] << 64) >> (e * s >> 6) for e in range(62)]
        super().__init__(categorical(size, [rounded(mass)]))
        # symbols beyond the 2^f of a row have no counts
        self.rows = [rounded(row) + [1 << 28] * (64 - len(row)) for row in rows]

    def push_rest(self, message, rest, e):
        low = [max(a - 6, 0) for a in e]
        Bits(low).push(message, [a & (1 << b) - 1 for a, b in zip(rest, low, strict=True)])
        self.highest(e).push(message, [a >> b for a, b in zip(rest, low, strict=True)])

    def pop_rest(self, message, e):
        low = [max(a - 6, 0) for a in e]
        high = self.highest(e).pop(message)
        return [(h << b) + a for h, b, a in zip(high, low, Bits(low).pop(message), strict=True)]

    def highest(self, e):
        return categorical(len(e), self.rows, [min(a, 6) for a in e])


class FineGaussian:
    def __init__(self, size, p, mean, log_scale):
        self.low = [max((s >> 6) - 6, 0) for s in log_scale]
        self.bottom = [((m >> b) - 2048) << b for m, b in zip(mean, self.low, strict=True)]
        m = [((a - z) << 8 >> b) - (128 if b > 0 else 0) for a, z, b in zip(mean, self.bottom, self.low, strict=True)]
        s = [a - (b << 6) for a, b in zip(log_scale, self.low, strict=True)]
        self.gaussian = location_scale("DiscretizedGaussian", size, 4096, p, m, s)

    def push(self, message, x):
        rest = [a - z for a, z in zip(x, self.bottom, strict=True)]
        Bits(self.low).push(message, [a & (1 << b) - 1 for a, b in zip(rest, self.low, strict=True)])
        self.gaussian.push(message, [a >> b for a, b in zip(rest, self.low, strict=True)])

    def pop(self, message):
        high = self.gaussian.pop(message)
        low = Bits(self.low).pop(message)
        return [z + (h << b) + a for z, h, b, a in zip(self.bottom, high, self.low, low, strict=True)]


class Escape:
    def __init__(self, distribution):
        self.distribution = distribution
        self.flag = bernoulli(1, 20, [1])

    def push(self, message, x):
        y = [min(max(a, 0), self.distribution.n - 1) for a in x]
        where = [i for i in range(len(x)) if x[i] != y[i]]
        self.distribution.push(message, y)
        if where:
            count = len(where)
            numbers = [2 * (x[i] - y[i]) - 1 if x[i] > y[i] else 2 * (y[i] - x[i]) for i in where]
            EliasDelta(count).push(message, numbers)
            EliasDelta(count).push(message, [b - a for a, b in zip([-1, *where[:-1]], where, strict=True)])
            EliasDelta(1).push(message, [count])
        self.flag.push(message, [1 if where else 0])

    def pop(self, message):
        where, numbers = [], []
        if self.flag.pop(message) == [1]:
            (count,) = EliasDelta(1).pop(message)
            if count > self.distribution.size:
                raise Corrupt("more escapes than symbols")
            where = [a - 1 for a in cumulate(EliasDelta(count).pop(message))[1:]]
            numbers = EliasDelta(count).pop(message)
        x = self.distribution.pop(message)
        for i, a in zip(where, numbers, strict=True):
            if i >= len(x):
                raise Corrupt("an escape outside its array")
            x[i] += (a + 1) // 2 if a % 2 else -(a // 2)
        return x


# --- combinators ---------------------------------------------------------------------------------


class Serial:
    def __init__(self, codecs):
        self.codecs = codecs

    def push(self, message, x):
        for codec, part in zip(reversed(self.codecs), reversed(x), strict=True):
            codec.push(message, part)

    def pop(self, message):
        return [codec.pop(message) for codec in self.codecs]


class Conditional:
    def __init__(self, first, second):
        self.first, self.second = first, second

    def push(self, message, x):
        a, b = x
        self.second(a).push(message, b)
        self.first.push(message, a)

    def pop(self, message):
        a = self.first.pop(message)
        return [a, self.second(a).pop(message)]


class Autoregressive:
    """`codec(before)`: of a symbol, given the one before it; before the first there are zeros, `size` of them."""

    def __init__(self, codec, length, size):
        self.codec, self.length, self.start = codec, length, [0] * size

    def push(self, message, x):
        codecs = [self.codec(before) for before in [self.start, *x][: self.length]]
        for codec, symbol in zip(reversed(codecs), reversed(x), strict=True):
            codec.push(message, symbol)

    def pop(self, message):
        x = [self.start]
        for _ in range(self.length):
            x.append(self.codec(x[-1]).pop(message))
        return x[1:]


class Binned:
    def __init__(self, coarse, low_bits):
        self.coarse, self.low_bits = coarse, low_bits

    def push(self, message, x):
        Bits(self.low_bits).push(message, [a & (1 << b) - 1 for a, b in zip(x, self.low_bits, strict=True)])
        self.coarse.push(message, [a >> b for a, b in zip(x, self.low_bits, strict=True)])

    def pop(self, message):
        high = self.coarse.pop(message)
        low = Bits(self.low_bits).pop(message)
        return [(h << b) + a for h, b, a in zip(high, self.low_bits, low, strict=True)]


class BitsBack:
    def __init__(self, prior, likelihood, posterior):
        self.prior, self.likelihood, self.posterior = prior, likelihood, posterior

    def push(self, message, x):
        z = self.posterior(x).pop(message)
        self.likelihood(z).push(message, x)
        self.prior.push(message, z)

    def pop(self, message):
        z = self.prior.pop(message)
        x = self.likelihood(z).pop(message)
        self.posterior(x).push(message, z)
        return x


class ImportanceWeighted:
    def __init__(self, codec, particles):
        self.codec, self.particles = codec, particles

    def choices(self, x, latents):
        prior, posterior = self.codec.prior, self.codec.posterior(x)
        lengths = [length(posterior, z) - length(self.codec.likelihood(z), x) - length(prior, z) >> 10 for z in latents]
        return categorical(1, [cumulate(weights(lengths))])

    def push(self, message, x):
        posterior = self.codec.posterior(x)
        latents = [posterior.pop(message) for _ in range(self.particles)]
        (choice,) = self.choices(x, latents).pop(message)
        chosen = latents.pop(choice)
        for z in reversed(latents):
            posterior.push(message, z)
        self.codec.likelihood(chosen).push(message, x)
        self.codec.prior.push(message, chosen)
        uniform(1, self.particles).push(message, [choice])

    def pop(self, message):
        (choice,) = uniform(1, self.particles).pop(message)
        chosen = self.codec.prior.pop(message)
        x = self.codec.likelihood(chosen).pop(message)
        posterior = self.codec.posterior(x)
        latents = [posterior.pop(message) for _ in range(self.particles - 1)]
        latents.insert(choice, chosen)
        self.choices(x, latents).push(message, [choice])
        for z in reversed(latents):
            posterior.push(message, z)
        return x


class Annealed:
    def __init__(self, codec, kernels, fresh):
        self.codec, self.kernels, self.fresh = codec, kernels, -(-fresh // 16)

    def freshen(self, message, n):
        bits = uniform(self.fresh, 1 << 16)
        top = bits.pop(message)
        pad = [seed_word((1 << 62) + n * self.fresh + i) >> 16 for i in range(self.fresh)]
        bits.push(message, [a ^ b for a, b in zip(top, pad, strict=True)])

    def push(self, message, x):
        z = self.codec.posterior(x).pop(message)
        for n, kernel in enumerate(self.kernels(x)):
            self.freshen(message, n)
            z = kernel(message, z)
        self.codec.likelihood(z).push(message, x)
        self.codec.prior.push(message, z)

    def pop(self, message):
        z = self.codec.prior.pop(message)
        x = self.codec.likelihood(z).pop(message)
        for n, kernel in reversed(list(enumerate(self.kernels(x)))):
            z = kernel(message, z)
            self.freshen(message, n)
        self.codec.posterior(x).push(message, z)
        return x


def reversible(transition):
    def move(message, z):
        following = transition(z).pop(message)
        transition(following).push(message, z)
        return following

    return move


def metropolis(auxiliary, involution, lengths):
    """`lengths`: a list, one number an item."""

    def move(message, z):
        v = auxiliary(z).pop(message)
        z1, v1 = involution(z, v)
        longer = [there - here for there, here in zip(lengths(z1, v1), lengths(z, v), strict=True)]
        moves = moving(longer).pop(message)
        moving([-a if b else a for a, b in zip(longer, moves, strict=True)]).push(message, moves)
        z = [a if b else c for a, b, c in zip(z1, moves, z, strict=True)]
        v = [a if b else c for a, b, c in zip(v1, moves, v, strict=True)]
        auxiliary(z).push(message, v)
        return z

    return move


def moving(longer):
    """Whether to move: with probability min(1, 2^-longer), for lengths in units of 2^-16 bits."""
    octaves = [min(max(-a, -24 << 16), 0) >> 10 for a in longer]
    return bernoulli(len(longer), 24, [min(max(scale(1 << 24, s), 1), (1 << 24) - 1) for s in octaves])


def information(distribution, x):
    """-log2 of the probability of each symbol, in units of 2^-16 bits."""
    return [(distribution.p << 16) - log2(distribution.interval(i, k)[1]) for i, k in enumerate(x)]


def log2(n):
    """log2 of an integer, in units of 2^-16."""
    e = n.bit_length() - 1
    m, t = shift(n, e - 24) - (1 << 24), table("log2_mantissa")
    return (e << 16) + t[m >> 16] + ((t[(m >> 16) + 1] - t[m >> 16]) * (m & 0xFFFF) >> 16)


def length(codec, x):
    """By how much a symbol lengthens a new message."""
    message = Message()
    before = units(message)
    codec.push(message, x)
    return units(message) - before


def units(message):
    return (32 * (len(message.stack) - message.drawn) << 16) + log2(message.head >> 2)


class Bijection:
    def __init__(self, base, multiply, add, modulo):
        self.base, self.multiply, self.add, self.modulo = base, multiply, add, modulo

    def push(self, message, x):
        self.base.push(message, [(a * self.multiply + self.add) % self.modulo for a in x])

    def pop(self, message):
        inverse = pow(self.multiply, -1, self.modulo)
        return [(z - self.add) * inverse % self.modulo for z in self.base.pop(message)]


class Chain:
    def __init__(self, codec, items, batch, part=4):
        self.codec, self.sizes = codec, []
        done = 0
        while done < items:
            self.sizes.append(min(max(1, done // part), batch, items - done))
            done += self.sizes[-1]

    def push(self, message, x):
        a_item = len(x) // sum(self.sizes) if self.sizes else 0
        stop = len(x)
        for size in self.sizes:
            self.codec(size).push(message, x[stop - size * a_item : stop])
            stop -= size * a_item

    def pop(self, message):
        return [a for size in reversed(self.sizes) for a in self.codec(size).pop(message)]


# --- vectors -------------------------------------------------------------------------------------


def values(v, names):
    """A list of numbers, or one number, from its description."""
    if not isinstance(v, dict):
        return v
    if "of" in v:
        return names[v["of"]]
    if "table" in v:
        return [v["table"][i] for i in values(v["at"], names)]
    return [v["add"] + seed_word(v["w"] + i) % v["modulo"] for i in range(v["count"])]


def kernel(c, names):
    """A step of a Markov chain."""
    if c["kernel"] == "reversible":
        return reversible(lambda z: build(c["transition"], names | {"z": z}))
    auxiliary, target = build(c["auxiliary"], names), build(c["target"], names)
    turned = lambda z, v: ([(b - a) % c["modulo"] for a, b in zip(z, v, strict=True)], v)  # noqa: E731
    return metropolis(lambda z: auxiliary, turned, lambda z, v: information(target, z))


def build(c, names=None):
    """The codec of its description."""
    names = names or {}
    kind = c["type"]
    if kind == "Serial":
        return Serial([build(d, names) for d in c["codecs"]])
    if kind == "Conditional":
        return Conditional(build(c["first"], names), lambda a: build(c["second"], names | {"a": a}))
    if kind == "Autoregressive":
        codec = c["codec"]
        return Autoregressive(lambda x: build(codec, names | {"before": x}), c["length"], math.prod(codec["shape"]))
    if kind == "Binned":
        return Binned(build(c["coarse"], names), values(c["low_bits"], names))
    if kind == "Octaves":
        return Octaves(build(c["exponent"], names))
    if kind == "BitsBack":
        return BitsBack(
            build(c["prior"], names),
            lambda z: build(c["likelihood"], names | {"z": z}),
            lambda x: build(c["posterior"], names | {"x": x}),
        )
    if kind == "ImportanceWeighted":
        return ImportanceWeighted(build(c["codec"], names), c["particles"])
    if kind == "Annealed":
        kernels = lambda x: [kernel(k, names | {"x": x}) for k in c["kernels"]]  # noqa: E731
        return Annealed(build(c["codec"], names), kernels, c["fresh"])
    if kind == "Chain":
        return Chain(lambda n: build(c["codec"], names | {"n": n}), c["items"], c["batch"], c.get("part", 4))
    if kind == "Bijection":
        return Bijection(build(c["base"], names), c["multiply"], c["add"], c["modulo"])
    if kind == "Escape":
        return Escape(build(c["distribution"], names))

    size = math.prod(values(a, names) for a in c["shape"])
    p = c.get("precision")

    def each(name, default=None):
        """A parameter, one a symbol."""
        v = values(c.get(name, default), names)
        return v if isinstance(v, list) else [v] * size

    def grouped(name, *axes):
        """A parameter with more axes: nested lists."""
        v = values(c[name], names)
        for n in reversed(axes):
            v = [v[i : i + n] for i in range(0, len(v), n)] if n else [[] for _ in range(size)]
        return v

    if kind == "Uniform":
        return uniform(size, c["symbols"])
    if kind == "Bernoulli":
        ones = each("ones") if "ones" in c else [ones_of_log_odds(p, v) for v in each("log_odds")]
        return bernoulli(size, p, ones)
    if kind == "Categorical":
        return categorical(size, [cumulate(t) for t in c["counts"]], each("index", 0))
    if kind == "AdaptiveCategorical":
        return AdaptiveCategorical(size, c["symbols"], p, each("contexts"), c["prior"], c["memory"])
    if kind == "CategoricalMixture":
        return categorical_mixture(size, p, c["tables"], grouped("logits", c["components"]))
    if kind == "BetaBinomial":
        pairs = zip(each("alpha"), each("beta"), strict=True)
        return categorical(size, [beta_binomial_sums(c["n"], a, b, p) for a, b in pairs] or [[0, 2]], list(range(size)))
    if kind in FAMILIES:
        return location_scale(kind, size, c["symbols"], p, each("mean"), each("log_scale"))
    if kind == "LogisticMixture":
        k = c["components"]
        w = [weights(x) for x in grouped("logits", k)]
        return logistic_mixture(size, c["symbols"], p, w, grouped("means", k), grouped("log_scales", k))
    if kind == "ChannelMixture":
        k, d = c["components"], c["channels"]
        parameters = (grouped("logits", k), grouped("means", d, k), grouped("log_scales", d, k))
        return ChannelMixture(size, d, c["symbols"], p, *parameters, grouped("coefficients", d * (d - 1) // 2, k))
    if kind == "BucketedGaussian":
        prior = each("prior_mean", 0), each("prior_log_scale", 0)
        return bucketed_gaussian(size, c["bucket_bits"], p, each("mean"), each("log_scale"), *prior)
    if kind == "Bits":
        return Bits(each("bits"))
    if kind == "EliasGamma":
        return EliasGamma(size)
    if kind == "EliasDelta":
        return EliasDelta(size)
    if kind == "Zipf":
        return Zipf(size, c["exponent"])
    assert kind == "FineGaussian", kind
    return FineGaussian(size, p, each("mean"), each("log_scale"))


def decode(vector):
    """The symbols of a vector's message; raises `Corrupt` or `Exhausted`."""
    message = Message.parse(bytes.fromhex(vector["message"]))
    symbols = build(vector["codec"]).pop(message)
    message.check_end()
    return symbols


def check_vector(vector):
    """Raise AssertionError unless the vector decodes to its symbols, and these encode to its message; or to its error."""
    if "error" in vector:
        code = None
        try:
            decode(vector)
        except (Corrupt, Exhausted) as error:
            code = error.code
        assert code == vector["error"], f"{vector['name']}: {code}"
        return
    symbols = vector["symbols"]
    symbols = [values(part, {}) for part in symbols] if isinstance(symbols, list) else values(symbols, {})
    assert decode(vector) == symbols, f"{vector['name']}: other symbols"
    message = Message()
    build(vector["codec"]).push(message, symbols)
    assert message.to_bytes().hex() == vector["message"], f"{vector['name']}: another message"


def main(paths):
    for path in paths:
        vectors = json.loads(Path(path).read_text())
        for vector in vectors:
            check_vector(vector)
        print(f"{path}: {len(vectors)} vectors agree")


if __name__ == "__main__":
    main(sys.argv[1:])
