"""The codecs ``ar.array`` and ``ar.bounded`` in plain Python, written from the text of ``spec/codecs/array.md``."""

import lzma
import math
import struct
from collections import defaultdict
from itertools import product

import entropy
import numpy as np
from entropy import Corrupt

GROWTH = [0.35, 0.8, 1.4, 2.2, 3.2, 4.5, 6.5, 9, 13, 19, 28, 42, 64, 100, 160]
LIMITS = [400, 400, 250, 250, 250, 400]
HUGE = 1e18


def require(holds, what):
    if not holds:
        raise Corrupt(what)


def clamp(a, low, high):
    return min(max(a, low), high)


def top(n):
    return n.bit_length() - 1


def signed(n):
    """Of 64 bits."""
    return (n + (1 << 63) & (1 << 64) - 1) - (1 << 63)


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        require(n <= len(self.data) - self.at, "the end of the bytes")
        self.at += n
        return self.data[self.at - n : self.at]

    def natural(self):
        n = 0
        for shift in range(0, 70, 7):
            (byte,) = self.take(1)
            n |= (byte & 127) << shift
            if byte < 128:
                return n
        raise Corrupt("an integer that is too long")

    def integer(self):
        n = self.natural()
        return -(n + 1 >> 1) if n & 1 else n >> 1

    def real(self):
        return struct.unpack("<d", self.take(8))[0]

    def part(self):
        return self.take(self.natural())


# --- functions ---------------------------------------------------------------------------------


def log2(x):
    f, e = math.frexp(x)
    part = (2 * f - 1) * 256
    low, high = (entropy.table("log2_mantissa")[math.floor(part) + i] / 65536 for i in (0, 1))
    return float(e - 1) + (low + (high - low) * (part - math.floor(part)))


def cdf(i):
    g = entropy.table("logistic_cdf")
    return g[i] / 2**32 if i <= 2048 else 1.0 - g[4096 - i] / 2**32


def logistic(x):
    y = clamp(x * 64.0 + 2048.0, 64.0, 4032.0)
    i = math.floor(y)
    return cdf(i) + (cdf(i + 1) - cdf(i)) * (y - i)


def stretch(p):
    return (log2(p) - log2(1.0 - p)) * 0.693147180559945


def bucket(x, per, most):
    return clamp(math.floor(log2(max(x, 1e-12)) * per), 0, most)


def hashed(a, b):
    y = signed((a ^ 0x1E3779B97F4A7C15) * 0x3F58476D1CE4E5B9)
    y = signed((y ^ y >> 29) + b * 0x14D049BB133111EB)
    return y ^ y >> 32


# --- arrays and maps ---------------------------------------------------------------------------


def stored(data, shape, dtype):
    count = math.prod(shape)
    if dtype != "bool":
        return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(shape)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    require(not bits[count:].any(), "bits behind the last boolean")
    return bits[:count].astype(bool).reshape(shape)


def packed(source, shape, dtype):
    data, count = source.part(), math.prod(shape)
    size = -(-count // 8) if dtype == "bool" else count * np.dtype(dtype).itemsize
    require(len(data) <= size, "a part that is longer than its values")
    require(len(data) == size or data[:1] != b"\3", "a part that is only near its values")
    return stored(data, shape, dtype) if len(data) == size else decode(data, shape, dtype)


def decode(data, shape, dtype, profile=None):
    """The array of a code; `profile` are the tensors of a model, where there is one."""
    source = Bytes(data)
    mode = source.natural()
    require(mode in (*range(7), 8, 9, 10) or (mode == 7 and profile is not None), "an unknown mode")
    if mode == 0:
        size = 1 if dtype == "bool" else np.dtype(dtype).itemsize
        array = np.full(shape, stored(source.take(size), (1,), dtype))
    elif mode == 5:
        array = runs(source, shape, dtype)
    elif mode == 6:
        array = by_lzma(source.take(len(data) - source.at), shape, dtype)
    elif mode == 8:
        array = still(source, shape, dtype)
    else:
        real, full = np.dtype(dtype), tuple(shape)
        if real.kind == "c":
            real, full = np.dtype(f"f{real.itemsize // 2}"), (*full, 2)
        elif real.kind == "b":
            real = np.dtype("u1")
        small = tuple(n for n in full if n != 1) or (1,)
        profiled = type("Profiled", (Standard,), {"profile": profile})
        coder = {1: Old, 2: Fast, 4: Standard, 7: profiled, 9: Thorough}.get(mode)
        if mode == 10:
            found = few(source, math.prod(small), real)
        else:
            found = mapped(source, small, real, coder) if coder else near(source, small, real)
        require(dtype != "bool" or found.max() < 2, "booleans that are none")
        array = np.frombuffer(found.tobytes(), dtype).reshape(shape)
    require(source.at == len(data), "bytes that are left over")
    return array


def runs(source, shape, dtype):
    count, size = source.natural(), math.prod(shape)
    require(0 < count <= size // 64, "a number of runs")
    lengths = packed(source, (count,), "int64")
    values = packed(source, (count,), dtype)
    require(lengths.min() > 0 and sum(map(int, lengths)) == size, "runs of another number of values")
    return np.repeat(values, lengths).reshape(shape)


def few(source, size, dtype):
    """One value with a few others."""
    count, way = divmod(source.natural(), 24)
    require(count <= 64 and count < size and (way == 0 or dtype.kind == "f"), "a number of other values")
    numbers = [source.integer() for _ in range(count + 1)]
    width = 0 if size == 1 else top(size - 1) // 8 + 1
    places = [int.from_bytes(source.take(width), "little") for _ in range(count)]
    require(places == sorted(set(places)) and max([0, *places]) < size, "places in another order")
    if way:
        require(max(map(abs, numbers)) <= 1 << 53, "a number of too many digits")
        with np.errstate(over="ignore"):
            values = (np.array(numbers, np.float64) / float(10 ** (way - 1))).astype(dtype)
    else:
        require(all(-1 << 63 <= n < 1 << 63 for n in numbers), "a number of too many digits")
        values = from_ordered(numbers, dtype)
    array = np.full(size, values[0])
    array[places] = values[1:]
    return array


def still(source, shape, dtype):
    """What stays the same along axes."""
    items, kept, array = source.natural(), 0, np.empty(shape, dtype)
    require(items == 0 or (items == 1 and len(shape) > 1 and shape[0] <= 16), "impossible items")
    for part in array if items else [array]:
        axes = source.natural()
        left = tuple(1 if axes >> k & 1 else n for k, n in enumerate(part.shape))
        kept += math.prod(left)
        require(axes < 1 << part.ndim and 16 * kept <= math.prod(shape), "too many values")
        part[...] = packed(source, left, dtype)
    return array


def by_lzma(data, shape, dtype):
    width, size = np.dtype(dtype).itemsize, math.prod(shape) * np.dtype(dtype).itemsize
    require(data and data[0] < 3, "an order of bytes")
    bits = 0 if data[0] else min(top(width), 3)
    lzma2 = {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 23, "lc": 0 if bits else 3, "lp": bits, "pb": bits}
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[lzma2])
    try:
        found = decoder.decompress(data[1:], size + 1)
    except lzma.LZMAError as error:
        raise Corrupt("what is not LZMA") from error
    require(len(found) == size and decoder.eof and not decoder.unused_data, "another number of bytes")
    found = np.frombuffer(found, np.uint8)
    if data[0] == 2:
        width = min(width, 8)
        words = np.frombuffer(found.reshape(width, -1).T.tobytes(), f"u{width}")
        found = np.cumsum(words, dtype=words.dtype).view(np.uint8)
    elif data[0]:
        found = found.reshape(width, -1).T
    require(dtype != "bool" or max(found) < 2, "bytes that are no booleans")
    return np.frombuffer(found.tobytes(), dtype).reshape(shape)


def to_ordered(array):
    if array.dtype == np.uint64:
        return [signed(int(v) - (1 << 63)) for v in array.reshape(-1)]
    if array.dtype.kind != "f":
        return [int(v) for v in array.reshape(-1)]
    half = 1 << 8 * array.itemsize - 1
    bits = [int(v) for v in array.reshape(-1).view(f"i{array.itemsize}")]
    return [b if b >= 0 else -1 - (b + half) for b in bits]


def from_ordered(numbers, dtype):
    if dtype == np.uint64:
        return np.array([(n + (1 << 63)) & (1 << 64) - 1 for n in numbers], np.uint64)
    half = 1 << 8 * dtype.itemsize - 1
    least = 0 if dtype.kind == "u" else -half
    require(all(least <= n < least + 2 * half for n in numbers), "integers of no value")
    if dtype.kind == "u":
        return np.array(numbers, dtype)
    if dtype.kind == "f":
        numbers = [n if n >= 0 else -1 - n - half for n in numbers]
    return np.array(numbers, f"i{dtype.itemsize}").view(dtype)


def finite(values):
    """What codes of a table stand for."""
    wide = values.astype(np.float64)
    usual = wide[np.isfinite(wide)]
    most = min(2.0 * float(np.abs(usual).max()) + 1.0, 1e308) if usual.size else 1.0
    least = {"float64": 2.0**-1000, "float32": 2.0**-126}.get(values.dtype.name, 0.0)
    near = np.where(np.abs(wide) >= least, wide, 0.0)
    return [float(v) for v in np.where(np.isfinite(wide), near, np.where(np.signbit(values), -most, most))]


@np.errstate(all="ignore")
def mapped(source, shape, dtype, coder):
    first, count = source.natural(), math.prod(shape)
    kind, low = first & 3, first >> 2
    require(low <= (8 if dtype.itemsize == 8 else 0), "too many low bits")
    table, missing = None, [0] * count
    if kind == 1:
        n, by_value = divmod(source.natural(), 2)
        require(1 < n <= count // 2, "a palette of another size")
        colours = [signed(int(v)) for v in np.cumsum(packed(source, (n,), "int64"))]
        table = (0, finite(from_ordered(colours, dtype))) if by_value else None
    elif kind > 1:
        require(dtype.kind == "f", "a map of floats")
        divided = source.natural() if kind == 2 else 0
        step = source.real() if kind == 2 else source.natural()
        least = 1e-300 if dtype.itemsize == 8 else 2.0**-126
        distance = 1.0 / step if divided and step else step
        require(kind == 3 or (1e-300 < step < 1e300 and distance >= least), "an impossible step")
        missing = [int(v) for v in packed(source, shape, "int64").reshape(-1)]
    elif dtype == np.float16:
        table = (-1 << 15, finite(from_ordered(range(-1 << 15, 1 << 15), dtype)))
    lows = [int(v) for v in packed(source, shape, "uint8").reshape(-1)] if low else [0] * count
    grid = Grid(dtype if kind == 0 and dtype.kind == "f" and table is None else None, table, low)
    codes, _ = stream(source, shape, grid, coder)
    codes = [signed(c << low) | v for c, v in zip(codes, lows, strict=True)]
    if kind == 1:
        ordered = [colours[clamp(c, 0, n - 1)] for c in codes]
    elif kind == 2:
        whole = np.array(codes, np.int64).astype(np.float64)
        near = to_ordered((whole / step if divided else whole * step).astype(dtype))
        ordered = [signed(a + m) for a, m in zip(near, missing, strict=True)]
    elif kind == 3:
        ordered = [signed(c * step + m) for c, m in zip(codes, missing, strict=True)]
    else:
        ordered = codes
    return from_ordered(ordered, dtype).reshape(shape)


@np.errstate(all="ignore")
def near(source, shape, dtype):
    """Values in steps from predictions, and those that are listed."""
    step, origin, low, high = source.real(), source.real(), -source.natural(), source.natural()
    base = source.integer() if source.natural() else None
    require(1e-250 < step < math.inf and math.isfinite(origin) and high - low + 2 <= 1 << 30, "impossible steps")
    require(base is None or abs(base) <= 4096, "an impossible base")
    grid = Around(low, high)
    codes, x = stream(source, shape, grid, Standard)
    wide = [origin + v * step for v in x]
    wide = np.array(wide if base is None else [power(v, base) for v in wide], np.float64)
    if dtype.kind != "f":
        about = np.iinfo(dtype)
        wide = np.clip(np.rint(wide), max(float(about.min), -(2.0**52)), min(float(about.max), 2.0**52))
    if dtype.itemsize > 2 and dtype.kind == "f":
        wide = np.where(np.abs(wide) < np.finfo(dtype).tiny, 0.0, wide)
    values, others = wide.astype(dtype), [i for i, c in enumerate(codes) if c > grid.usual]
    values[others] = from_ordered([int(v) for v in packed(source, (len(others),), "int64")], dtype)
    return values.reshape(shape)


def power(y, base):
    size = min(abs(y), 4096.0)
    whole = math.floor(size)
    m = [entropy.table("log2_mantissa")[i] / 65536 for i in range(257)]
    i = max(i for i in range(256) if m[i] <= size - whole)
    part = 1.0 + (i + ((size - whole) - m[i]) / (m[i + 1] - m[i])) / 256.0
    with np.errstate(over="ignore"):
        found = float(np.ldexp(part, whole + (base - 1))) if size >= 0.5 else 0.0
    return math.copysign(found, y)


class Grid:
    """Codes, their numbers and their working values."""

    def __init__(self, dtype, table, shift):
        self.dtype, self.table, self.shift, self.origin, self.unit = dtype, table, shift, 0.0, 1.0
        self.known = {}

    def limit(self, least, most, usual):
        self.least, self.most, self.usual = least, most, usual
        if self.table:
            first, numbers = self.table
            self.table = least, numbers[max(least - first, 0) : most - first + 1]
            require(least >= first and len(self.table[1]) == most - least + 1, "codes beyond a table")

    def number(self, c):
        if self.table:
            return self.table[1][c - self.table[0]]
        if self.dtype is None:
            return float(c)
        v = float(from_ordered([signed(c << self.shift)], self.dtype)[0])
        return v if abs(v) >= (2.0**-126 if self.dtype == np.float32 else 2.0**-1000) or v != v else 0.0

    def value(self, c):
        if c not in self.known:
            v = (self.number(c) - self.origin) * self.unit
            self.known[c] = v if -HUGE < v < HUGE else HUGE if v >= HUGE else -HUGE
        return self.known[c]

    def code(self, x):
        y = x / self.unit + self.origin
        if self.table:
            numbers, low, high = self.table[1], 0, len(self.table[1])
            while high - low > 1:
                middle = low + high >> 1
                low, high = (middle, high) if numbers[middle] <= y else (low, middle)
            c = low + self.least
        elif self.dtype is None:
            c = math.floor(y) if -9e18 < y < 9e18 else self.most if y > 0 else self.least
        else:
            single = self.dtype == np.float32
            y = y if abs(y) >= (2.0**-126 if single else 2.0**-1000) else 0.0
            most = 3e38 if single else 1.7e308
            c = to_ordered(np.array([clamp(y, -most, most)]).astype(self.dtype))[0] >> self.shift
        return clamp(c, self.least, self.most)

    def border(self, c):
        return 0.5 * (self.value(c) + self.value(c - 1))

    def settle(self, centre):
        """What codes count from, if that is not 0; and the centre."""
        return centre

    def release(self):
        """Codes count from 0 again."""


class Around(Grid):
    """Steps from a prediction."""

    def __init__(self, low, high):
        super().__init__(None, None, 0)
        self.low, self.high, self.offset = float(low), float(high), 0.0

    def number(self, c):
        return self.offset + float(c)

    def value(self, c):
        v = (self.number(c) - self.origin) * self.unit
        return clamp(v, -HUGE, HUGE)

    def code(self, x):
        y = (x / self.unit + self.origin) - self.offset
        return clamp(math.floor(y) if -9e18 < y < 9e18 else self.most if y > 0 else self.least, self.least, self.most)

    def settle(self, centre):
        self.offset = math.floor(clamp(centre, self.low, self.high) * 2.0**20 + 0.5) / 2**20
        return self.offset

    def release(self):
        self.offset = 0.0


# --- where neighbours are ----------------------------------------------------------------------

W, N, NW, NE, E = (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, 1)
PLANE = [N, NW, NE, (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2), (0, -3), (-3, 0)]
ALONE = [(-2, 2), (-2, -2), (-1, -3), (0, -4)]
BEFORE = [(0, 0), W, N, E, (1, 0), NE, (1, 1), NW]


class Geometry:
    """Places in a flat list of values with margins; every list is of (offset, axis it needs or None)."""

    def __init__(self, shape, series, *, old):
        self.channels, self.series = 1, series
        if series:
            self.channels = C = math.prod(shape[1:])
            self.slices, self.rows, self.columns, self.axes = 1, 1, math.prod(shape), []
            self.stride = self.area = self.columns
            self.start = 25 * C + 5
            own = [-C * lag for lag in range(2, 25)]
            own += [-d - C * lag for d in range(1, min(C, 4)) for lag in range(7)]
            self.own = [(o, None) for o in own]
            self.quick = [i for i in range(len(own)) if i < 16 or (i > 22 and (i - 23) % 7 < 3)]
            self.near = [(-C * (i + 1), w, None) for i, w in enumerate([16, 14, 12, 10, 8, 7, 6, 5, 4, 4])]
            self.spots = [-C * n for n in (1, 1, 2, 3, 2, 2, 3, 3)]
            self.spots[3] = -1 if C > 1 else -3
        else:
            *outer, self.rows, self.columns = (1, *shape)[-max(2, len(shape)) :]
            self.slices, self.stride, flat = math.prod(outer), self.columns + 8, self.rows == 1
            self.area, self.start = (self.rows + 4) * self.stride, 3 * self.stride + 4

            def at(place):
                return place[0] * self.stride + place[1]

            plane = PLANE + ALONE if not old and not outer else PLANE
            self.own = [(at(p), None) for p in ([(0, -2), (0, -3), (0, -4)] if flat else plane)]
            self.quick = list(range(min(6, len(self.own))))
            near = [(W, 2), (N, 2), (NW, 1), (NE, 1), ((0, -2), 1), ((-2, 0), 1)]
            near = [((0, -1), 4), ((0, -2), 3), ((0, -3), 2), ((0, -4), 1)] if flat else near
            self.near = [(at(p), w, None) for p, w in near]
            self.axes, step, repeat = [], self.area, 1
            for axis, length in enumerate(outer[:-4:-1]):
                places = [(0, d) for d in range(-3, 4)] if flat else BEFORE[: 4 if axis else 8]
                places = places if flat or not axis else [(0, 0), W, N, E]
                self.quick += range(len(self.own), len(self.own) + (5 if axis == 0 else 1))
                self.own += [(at(p) - step, axis) for p in places]
                if axis == 0 and not old:
                    self.own += [(at(p) - 2 * step, "second") for p in ((0, 0), W, N)]
                self.near.append((-step, 2, axis))
                self.axes.append((repeat, length))
                step, repeat = step * length, repeat * length
            corners = [W, N, NW, NE, (0, -2), N, (0, -2), (-2, 0)]
            self.spots = [-1, -1, -2, -3, -2, -2, -3, -3] if flat else [at(p) for p in corners]

    def present(self, z):
        """Along which axes there is a slice before; None stands for the slice itself, "second" for the last but one."""
        index = [z // repeat % length for repeat, length in self.axes]
        second = {"second"} if index and index[0] > 1 else set()
        return {None} | {axis for axis, i in enumerate(index) if i > 0} | second

    def places(self):
        for z, r, c in product(range(self.slices), range(self.rows), range(self.columns)):
            yield z, r, c, self.start + z * self.area + r * self.stride + c

    def open(self, r, c, at, copy):
        """What is done to margins before a value is coded: `copy(to, from)`."""
        if c == 0 and r > 0:
            above = at - self.stride
            for i in range(1, 5):
                copy(above + self.columns - 1 + i, above + self.columns - 1)
                copy(at - i, above)

    def close(self, r, c, at, copy, below):
        """And after it."""
        if self.rows > 1 and r == 0:
            for i, d in product(range(1, 4), range(-4 if c == 0 else 1, 6)):
                copy(at - i * self.stride + d, at)
        if r == self.rows - 1 and c == self.columns - 1 and self.slices > 1:
            for i in range(-4, self.columns + 4):
                below(at - c + self.stride + i, at - c + clamp(i, 0, self.columns - 1))


# --- streams -----------------------------------------------------------------------------------


def stream(source, shape, grid, coder):
    flags = source.natural()
    order = [source.natural() for _ in shape] if flags & 2 else list(range(len(shape)))
    require(sorted(order) == list(range(len(shape))), "no order of the axes")
    least = source.integer()
    most = least + source.natural()
    usual = least + source.natural(), most - source.natural()
    exponent, levels = source.integer(), [usual[0]]
    for _ in range(7):
        levels.append(levels[-1] + source.natural())
    inside = -(1 << 62) <= least <= usual[0] < usual[1] <= most < 1 << 62
    require(inside and abs(exponent) <= 1000 and levels[-1] <= usual[1], "an impossible range")
    grid.limit(least, most, usual[1])
    grid.origin = grid.number(levels[4])
    grid.unit, grid.known = math.ldexp(1.0, exponent), {}
    nested = tuple(shape[axis] for axis in order)
    found = coder(Geometry(nested, bool(flags & 1), old=coder is Old), grid, usual, levels[1:], flags)
    codes = found.decode(source, math.prod(shape))
    values = [found.x[at] for *_, at in found.g.places()]
    back = [np.array(found, object).reshape(nested).transpose(np.argsort(order)) for found in (codes, values)]
    return [list(found.reshape(-1)) for found in back]


class Stream:
    def __init__(self, geometry, grid, usual, levels, flags):
        self.g, self.grid, (self.A, self.B) = geometry, grid, usual
        self.x, self.codes = defaultdict(float), defaultdict(int)
        self.levels, self.discrete, self.repeats = [grid.value(c) for c in levels], bool(flags & 4), bool(flags & 8)

    def unusual(self, code):
        return not self.A <= code <= self.B

    def raw(self, bits):
        found = 0
        while bits > 0:
            some = min(bits, 16)
            bits -= some
            found = found << some | self.message.pop_bits(some)
        return found


def folded(products):
    """Summed in as many lanes as there are in half of the products, and so on."""
    while len(products) > 1:
        half = len(products) // 2
        products = [a + b for a, b in zip(products[:half], products[half:], strict=True)]
    return products[0]


def dot(weights, v):
    """Of two vectors, summed in eight lanes."""
    lane = [0.0] * 8
    for j, (a, b) in enumerate(zip(weights, v, strict=True)):
        lane[j % 8] += a * b
    return folded(lane)


def solve(S, weights, ridge, towards):
    n, trace = len(S) - 1, 0.0
    for j in range(1, n + 1):
        trace += S[j][j]
    R = ridge * (trace / n) + 1e-9
    for j in range(1, n + 1):
        S[j][0] += R * towards[j]
        S[j][j] += R
    inverse = [0.0] * (n + 1)
    for p in range(n, 0, -1):
        if not S[p][p] > 1e-30:
            return
        inverse[p] = 1.0 / S[p][p]
        for i in range(p - 1, 0, -1):
            factor = S[p][i] * inverse[p]
            for j in range(i + 1):
                S[i][j] -= factor * S[p][j]
    for i in range(1, n + 1):
        weight = S[i][0] * inverse[i]
        weight = weight if 1e-12 < abs(weight) < 1e3 else 0.0
        weights[i] = weight
        for m in range(i + 1, n + 1):
            S[m][0] -= S[m][i] * weight


def remember(S, v, trust, fade):
    for i in range(1, len(S)):
        factor = trust * v[i]
        for j in range(i + 1):
            S[i][j] = S[i][j] * fade + (factor * v[j] + 1e-100)


class Filter:
    """Least mean squares, normalised, over what was left of the last values."""

    def __init__(self, size, rate):
        self.weights, self.left, self.rate = [0.0] * size, [0.0] * size, rate

    def foretell(self):
        total, energy = [1e-100] * 16, [0.0] * 16
        for j, (a, b) in enumerate(zip(self.weights, self.left, strict=True)):
            total[j % 16] += a * b
            energy[j % 16] += b * b
        self.guess, self.energy = folded(total), folded(energy)
        return self.guess

    def learn(self, left):
        further = left - self.guess
        step = self.rate * further / (self.energy + 1e-3)
        self.weights = [w + (v * step + 1e-100) for w, v in zip(self.weights, self.left, strict=True)]
        self.left = [*self.left[1:], left]
        return further


class Standard(Stream):
    period, filtered, profile = 24, True, None

    def decode(self, source, size):
        g = self.g
        sizes = zip((256, 32, 16), (0.03, 0.05, 0.08), strict=True) if self.filtered and g.series else ()
        sizes = list(sizes)
        self.filters = [[Filter(*size) for size in sizes] for _ in range(g.channels)]
        self.errors = defaultdict(lambda: [1.0] * 8)
        self.n, self.count = len(g.own), size
        self.weights, self.sums = {}, {}
        blends = [1.0] * 7 + [3.0, 0.3, 0.1, 0.1]
        total = float(np.sum(np.array(blends)))
        self.blends = defaultdict(lambda: [b / total for b in blends])
        self.biases, self.volatility = defaultdict(float), 1.0
        self.hashes = 1 << clamp(size.bit_length() + 3, 12, 20)
        self.counters, self.uses = defaultdict(lambda: (1 << 21, 0)), defaultdict(float)
        self.mixers = {}
        if self.profile is not None:
            self.begin(self.profile)
        self.past, self.seen, self.pointer, self.right = [], {}, -1, 0
        self.memory, self.history = {}, [0] * 4
        left, i, out = 0, 0, []
        for z, r, c, at in g.places():
            if left == 0:
                left = source.natural()
                require(0 < left <= size - i, "a message of another number of values")
                self.message = entropy.Message.parse(source.part())
            g.open(r, c, at, self.copy)
            out.append(self.one(z, c, at, i))
            g.close(r, c, at, self.copy, lambda to, from_: self.x.__setitem__(to, self.x[from_]))
            left, i = left - 1, i + 1
            if left == 0:
                self.message.check_end()
        return out

    def begin(self, profile):
        lists = {name: [int(v) for v in profile[f"counters.{name}"]] for name in ("at", "p", "n")}
        for at, p, n in zip(*lists.values(), strict=True):
            self.counters[at if at < 96 * 280 else at + self.hashes] = p << 6 | 32, n
        mixers, uses, blends, biases = (
            [float(v) if abs(v) >= 1e-30 else 0.0 for v in profile[name]]
            for name in ("mixers", "uses", "blends", "biases")
        )
        self.mixers = {i: mixers[8 * i : 8 * i + 8] for i in range(352)}
        self.uses |= enumerate(uses)
        self.blends |= {(k, r): blends[11 * (8 * k + r) :][:11] for k in range(7) for r in range(8)}
        self.biases |= {(t, r): biases[8 * t + r] for t in range(32) for r in range(8)}

    def copy(self, to, from_):
        self.x[to], self.errors[to] = self.x[from_], list(self.errors[from_])

    def one(self, z, column, at, i):
        self.predict(z, column, at, i)
        self.blend(z, at)
        self.centre = self.grid.settle(self.centre)
        code = self.outlier(at) if self.unusual(self.grid.least) or self.unusual(self.grid.most) else None
        usual = code is None
        if usual:
            if self.repeats:
                code = self.repeat(at, column % self.g.channels, i)
            code = self.tree(at) if code is None else code
            if self.repeats:
                self.note(code, i)
        else:
            self.past.append(0)
        self.codes[at] = code
        self.x[at] = self.grid.value(code) if usual else clamp(self.centre, -1e15, 1e15)
        self.learn(at, code, usual)
        self.grid.release()
        return code

    # predict

    def predict(self, z, column, at, i):
        g, x = self.g, self.x
        w, n, q, _, u = (x[at + o] for o in g.spots[:5])
        present = g.present(z)
        self.base = w
        self.v = [0.0] + [x[at + o] - w if axis in present else 0.0 for o, axis in g.own]
        C, channel = g.channels, column % g.channels
        D = -(-g.columns // 32) if C == 1 else C
        kind = sum(0.5 * (w + n) > level for level in self.levels)
        block = column // 32 if C == 1 else channel
        self.states = [channel, C + block, C + D + kind * C + channel]
        self.guesses = []
        for k, state in enumerate(self.states):
            weights = self.weights.setdefault(state, [0.0] * (self.n + 1))
            if i // C % self.period == 4 * k:
                towards = self.weights[channel] if k else [0.0] * (self.n + 1)
                self.solve(state, (0.0001, 0.003, 0.003)[k], list(towards))
            self.guesses.append(w + dot(weights, self.v))
        plane = w + n - q
        further = [clamp(plane, min(w, n), max(w, n)), plane]
        self.channel = channel
        if left := [f.foretell() for f in self.filters[channel]]:
            further = [self.guesses[0] + left[0], self.guesses[0] + ((left[0] + left[1]) + left[2])]
        self.guesses += [w, *further, 2.0 * w - u]

    def solve(self, state, ridge, towards):
        solve([row[:] for row in self.state_sums(state)], self.weights[state], ridge, towards)

    def state_sums(self, state):
        return self.sums.setdefault(state, [[0.0] * (i + 1) for i in range(self.n + 1)])

    def blend(self, z, at):
        g, x, present = self.g, self.x, self.g.present(z)
        near = [(o, float(w)) for o, w, axis in g.near if axis in present]
        total = sum(w for _, w in near)
        local = [1e-9] * 8
        for o, w in near:
            for k, e in enumerate(self.errors[at + o]):
                local[k] += w / total * e
        h = [1.0 / (a * a) for a in local[:7]]
        h = [a * a for a in h]
        num = den = 0.0
        for a, guess in zip(h, self.guesses, strict=True):
            den += a
            num += a * guess
        self.mean, self.s = num / den, local[7]
        w, n, q, east, u = (x[at + g.spots[i]] for i in (0, 1, 2, 3, 4))
        self.texture = (
            (w > self.mean) + 2 * (n > self.mean) + 4 * (east > self.mean) + 8 * (u > w) + 16 * (q > self.mean)
        )
        ratio, last = bucket(self.s / self.volatility * 8.0, 1.0, 7), self.errors[at + g.near[0][0]]
        self.bias = self.texture, ratio
        self.mix = self.blends[last.index(min(last[:7])), ratio]
        self.local, self.line = local, 2.0 * n - x[at + g.spots[7]]
        self.trend = (last[7] > self.s * 1.5) + (last[7] > 0.6 * self.s)
        self.mixture()
        self.shorten()

    def mixture(self):
        V, grid, local = self.volatility, self.grid, self.local
        centre = self.mean + self.biases[self.bias] * self.s
        self.centre = clamp(centre, grid.value(self.A), grid.value(self.B))
        m = clamp(grid.code(self.centre), self.A, self.B - 1)
        self.cell = cell = max(grid.value(m + 1) - grid.value(m), 1e-12)
        means = [*self.guesses, self.centre, self.centre, self.guesses[6], self.line]
        inverses = [1.0 / max(0.6 * (0.85 * a + 0.15 * V), 0.08 * cell) for a in local[:7]]
        inverses += [1.0 / max(0.6 * self.s, 0.08 * cell), 1.0 / max(3.0 * self.s + 0.3 * V, 0.5 * cell)]
        inverses += [1.0 / (0.3 * cell)] * 2
        self.parts = list(zip(self.mix, means, inverses, strict=True))

    def shorten(self):
        few = [part for k, part in enumerate(self.parts) if part[0] > 0.003 or k == 8]
        kept = 0.0
        for part in few:
            kept += part[0]
        self.few = [(weight / kept, mean, inverse) for weight, mean, inverse in few]

    def mass(self, border, d):
        total = 0.0
        for weight, mean, inverse in self.few:
            total += weight * logistic(((mean - border) * inverse) * d)
        return total

    def borders(self, code):
        lower = self.grid.border(code) if code > self.A else -2.0 * HUGE
        return lower, self.grid.border(code + 1) if code < self.B else 2.0 * HUGE

    def learn(self, at, code, usual):
        x, centre, cell, V = self.x[at], self.centre, self.cell, self.volatility
        if usual:
            near, far = self.borders(code)[:: 1 if x >= centre else -1]
            d, z = 1.0 if x >= centre else -1.0, []
            for weight, mean, inverse in self.parts:
                inverse = inverse * d
                z.append(weight * (logistic((mean - near) * inverse) - logistic((mean - far) * inverse) + 1e-12))
            total = 0.0
            for a in z:
                total += a
            for k, a in enumerate(z):
                self.mix[k] += 0.015 * (a / total + 0.0005 - self.mix[k] * (1.0 + 0.0005 * 11))
            off = clamp((x - self.mean) / self.s, -3.0, 3.0)
            self.biases[self.bias] += 0.01 * (off - self.biases[self.bias])
        most = 64.0 * V + 4.0 * cell
        self.errors[at] = [min(abs(x - a), most) + 0.12 * cell for a in (*self.guesses, centre)]
        left = x - self.guesses[0]
        for one in self.filters[self.channel]:
            left = one.learn(left)
        if not usual:
            return
        self.volatility = V = max(V + 0.002 * (self.errors[at][7] - V), 0.1 * cell)
        trust = 1.0 / (self.s * self.s + 0.01 * V * V + 0.1 * cell * cell)
        v = [x - self.base, *self.v[1:]]
        for state, fade in zip(self.states, (0.9998, 0.998, 0.9995), strict=True):
            remember(self.state_sums(state), v, trust, fade)

    # decide

    def decide(self, said, places, first, second):
        inputs = [said]
        for place in places:
            p, n = self.counters[place]
            inputs.append(stretch((((p << 10 | n) >> 20) + 0.5) / 4096) * (n / (n + 1.5)))
        inputs.append(0.25)
        sums, mixers = [], []
        for number in (first, second):
            special = 272 <= number < 280
            start = [0.0, 1.5] if special else [0.9, 0.1]
            mixers.append(self.mixers.setdefault(number, start + [0.0] * 6))
            sums.append(self.total([a * b for a, b in zip(mixers[-1], inputs, strict=True)]))
        p = clamp(math.floor(logistic(0.5 * (sums[0] + sums[1])) * (1 << 22)), 16, (1 << 22) - 16)
        yes = self.message.pop(22, lambda c: (1, 0, p) if c < p else (0, p, (1 << 22) - p))
        for number in (first, second):
            self.uses[number] += 1.0
        rates = [0.002 + 0.02 / (1.0 + self.uses[number] * 0.02) for number in (first, second)]
        for mixer, total, rate in zip(mixers, sums, rates, strict=True):
            step = (yes - logistic(total)) * rate
            for i, a in enumerate(inputs):
                mixer[i] += step * a
        for place, limit in zip(places, LIMITS, strict=True):
            q, n = self.counters[place]
            q += (yes * ((1 << 22) - 1) - q) * int(65536 / (n + 1.6)) >> 16
            self.counters[place] = q, n + (n < limit)
        return yes

    def total(self, products):
        return folded(products)

    def hashed(self, h):
        return 96 * 280 + (h & self.hashes - 1)

    def last(self, node, f, g):
        return 96 * 280 + self.hashes + (4 * node + f) * 3 + g

    def outlier(self, at):
        around, previous = 0, None
        for o in self.g.spots[:4]:
            code = self.codes[at + o]
            around = 2 * around + self.unusual(code)
            previous = code if self.unusual(code) else previous
        far = self.unusual(self.codes[at + self.g.spots[4]])
        second = 280 + (around & 3)
        if not self.decide(0.0, [(272 + (i & 1) * 280) * 48 + 2 * around + far for i in range(6)], 272, second):
            return None
        if isinstance(self.grid, Around):
            return self.B + 1
        again = [(273 + (i & 1) * 280) * 48 + around for i in range(6)]
        if previous is not None and self.decide(0.0, again, 273, second):
            return previous
        span = self.grid.most - self.grid.least
        return min(self.raw(span.bit_length()) + self.grid.least, self.grid.most)

    def repeat(self, at, channel, i):
        w, second, third = (self.codes[at + self.g.spots[k]] for k in (0, 5, 6))
        if self.g.channels > 1:
            self.key = hashed(hashed(self.codes[at - 1], w), channel)
        else:
            self.key = hashed(hashed(w, second), channel)
        other = hashed(self.key, third)
        t = min(self.right, 3) if self.right < 8 else min(self.right >> 3, 4) + 3
        code, sure = self.memory.get(self.key & (self.hashes // 4 - 1), (None, 0))
        codes = [self.past[self.pointer] if self.pointer >= 0 else None, code, w, second]
        # no code stands for the least integer, wherever it is compared
        codes = [-1 << 63 if c is None else c for c in codes]
        kinds = [t, sure, (w == second) + 2 * (second == third), int(w == third)]
        both = (codes[0] == codes[1]) + 2 * (codes[0] == codes[2]) + 4 * (codes[2] == codes[3])
        for kind, (code, t) in enumerate(zip(codes, kinds, strict=True)):
            if self.unusual(code) or code in codes[:kind]:
                continue
            node, history = 276 + kind, self.history[kind]
            place = node * 48 + 4 * t + (history & 3)
            p, n = self.counters[place]
            if p < (1 << 22) // 100 and n > 20 and i % 32:
                continue
            key = hashed(code, kind)
            places = [place, (280 + node) * 48 + 4 * both + (history >> 2 & 3), self.hashed(key)]
            places += [
                self.hashed(hashed(key, self.key)),
                self.hashed(hashed(key, other)),
                self.last(node, history & 3, 0),
            ]
            lower, upper = self.borders(code)
            d = 1.0 if lower > self.centre else -1.0
            said = stretch(clamp(abs(self.mass(lower, d) - self.mass(upper, d)), 1e-6, 1.0 - 1e-6))
            yes = self.decide(said, places, node, 280 + min(t, 3))
            self.history[kind] = (2 * history + yes) & 15
            if yes:
                return code
        return None

    def note(self, code, i):
        self.past.append(code)
        if self.pointer >= 0 and self.past[self.pointer] == code:
            self.pointer, self.right = self.pointer + 1, self.right + 1
        else:
            self.pointer, self.right = -1, 0
        if i > 0:
            place = hashed(code, self.past[i - 1]) & self.hashes // 4 - 1
            if self.pointer < 0:
                self.pointer = self.seen.get(place, -1)
            self.seen[place] = i + 1
        place = self.key & self.hashes // 4 - 1
        known, sure = self.memory.get(place, (None, 0))
        self.memory[place] = (code, min(sure + 1, 3)) if known == code else (code, 0)

    def tree(self, at):
        grid, A, B, centre, cell = self.grid, self.A, self.B, self.centre, self.cell
        c = clamp(grid.code(centre + 0.5 * cell), A + 1, B)
        S = max(self.s, 0.25 * cell)
        z, fine = bucket(S / cell * 4.0, 2.0, 23), 0
        if 2.0 * cell > S:
            fine = clamp(int((centre - grid.border(c)) / cell * 4.0 + 2.0), 0, 3)
        self.approach(at, S, z, fine)
        phase, d, j, path, depth, lo, hi = 0, 1.0, 0, 1, 0, A, B + 1
        while hi - lo > 1:
            t, node = c, 0
            if phase == 1:
                t = grid.code(centre + d * GROWTH[min(j, 14)] * S) + (d > 0)
                far = max(abs(t - c), 1)
                if far > 16:
                    t = t >> top(far) - 3 << top(far) - 3
                if j >= 15:
                    doubled = j - 15 < 61 and far <= (B - A) >> (j - 15)
                    further = far << (j - 15) if doubled else B - A + 1
                    t = c + further if d > 0 else c - further
                t = max(t, lo + 1) if d > 0 else min(t, hi - 1)
                if t >= hi or t <= lo:
                    phase = 2
                    continue
                node = 1 + min(j, 14)
            elif phase == 2:
                gap = hi - lo
                if depth >= 3 and gap >= 4 and gap & gap - 1 == 0 and lo & gap - 1 == 0:
                    return lo + self.raw(top(gap))
                differing = lo ^ (hi - 1)
                t = hi - 1 >> top(differing) << top(differing) if differing > 0 else hi - 1 >> 63 << 63
                node = 16 + 8 * min(j, 14) + (path if depth < 3 else 0)
            yes = self.ask(t, lo, d, phase, node)
            if phase == 0 and not yes:
                d, hi = -1.0, t
            else:
                lo, hi = (t, hi) if bool(yes) == (d > 0) else (lo, t)
            if phase == 0:
                phase = 1
            elif phase == 2:
                path, depth = 2 * path + yes, depth + 1
            elif yes:
                j += 1
            else:
                phase = 2
        return lo

    def approach(self, at, S, z, fine):
        """Before the decisions of a value."""
        by_w = hashed(self.codes[at + self.g.spots[0]], 1)
        by_both = hashed(by_w, self.codes[at + self.g.spots[5]])
        self.place, self.inside, self.beyond = (z, fine, by_w, by_both), 1.0, 0.0

    def ask(self, t, lo, d, phase, node):
        """Whether the value is beyond a border."""
        z, fine, by_w, by_both = self.place
        reach = p = self.mass(self.grid.border(t), d)
        if phase:
            reach = clamp(reach, self.beyond, self.inside)
            p = (reach - self.beyond + 1e-12) / (self.inside - self.beyond + 2e-12)
        said = stretch(clamp(p, 1e-6, 1.0 - 1e-6))
        sided = node + (136 if d < 0 else 0)
        places = [sided * 48 + z, (280 + sided) * 48 + (self.texture if node else 8 * fine + self.trend)]
        if self.discrete:
            key = hashed(t, lo if phase == 2 else phase)
            places += [self.hashed(key), self.hashed(hashed(key, by_w)), self.hashed(hashed(key, by_both))]
        else:
            places += [96 * 280 + sided + 280 * k for k in range(3)]
        places.append(self.last(sided, fine, self.trend))
        yes = self.decide(said, places, sided, 280 + 3 * z + phase)
        if phase == 0 and not yes:
            self.inside = 1.0 - reach
        elif yes:
            self.inside = reach
        else:
            self.beyond = reach
        return yes


class Old(Standard):
    """Of payload version 1."""

    period, filtered = 12, False

    def total(self, products):
        total = 0.0
        for a in products:
            total += a
        return total


def step(y, a, b):
    return (y > -b) + (y > -a) + (y > a) + (y > b)


class Thorough(Standard):
    """Of the level smallest."""

    def decode(self, source, size):
        self.marks, self.left = defaultdict(lambda: 2), defaultdict(lambda: [1.0] * 7)
        self.further, self.stacks = defaultdict(self.state), [self.state(12) for _ in range(2)]
        self.asked, self.used = defaultdict(lambda: (1 << 21, 0)), defaultdict(float)
        self.panel = defaultdict(lambda: [0.45] + [0.08] * 11 + [0.05] * 2 + [0.0] * 18)
        self.finals = defaultdict(lambda: [1 / 5] * 5)
        return super().decode(source, size)

    def state(self, n=None):
        n = self.n if n is None else n
        return [[0.0] * (i + 1) for i in range(n + 1)], [0.0] * (n + 1)

    def copy(self, to, from_):
        super().copy(to, from_)
        self.marks[to], self.left[to] = self.marks[from_], self.left[from_]

    def predict(self, z, column, at, i):
        super().predict(z, column, at, i)
        self.column, self.number = column, i

    def blend(self, z, at):
        super().blend(z, at)
        g, channel, present = self.g, self.channel, self.g.present(z)
        turn, self.floor = self.number // g.channels, self.mean
        size = bucket(self.s / self.volatility * 8.0, 1.0, 7)
        block = self.column // 8 if g.rows > 1 else 0
        self.chosen = [(k, c, channel) for k, c in enumerate((self.texture & 15, size, block, 0, 0))]
        self.more = []
        for k, key in enumerate(self.chosen):
            sums, weights = self.further[key]
            if (turn + k) % 6 == 0:
                S = [row[:] for row in sums]
                if k == 2 and g.rows > 1:
                    sides = [self.further[2, block + o, channel][0] for o in (-1, 1)]
                    S = [
                        [(2.0 * a + b) + c for a, b, c in zip(*rows, strict=True)]
                        for rows in zip(S, *sides, strict=True)
                    ]
                solve(S, weights, (0.003, 0.003, 0.01, 0.003, 1e-5)[k], self.weights[channel])
            self.more.append(self.base + dot(weights, self.v))
        self.u = [0.0] + [a - self.floor for a in self.guesses + self.more]
        for k, (sums, weights) in enumerate(self.stacks):
            if (turn + 2 * k) % 4 == 0:
                solve([row[:] for row in sums], weights, 0.003, [0.0] * 13)
            self.more.append(self.floor + dot(weights, self.u))
        near = [(o, float(w)) for o, w, axis in g.near if axis in present]
        total = sum(w for _, w in near)
        self.local_more = [1e-9] * 7
        for o, w in near:
            for k, e in enumerate(self.left[at + o]):
                self.local_more[k] += w / total * e
        num = den = 0.0
        for a, guess in zip(self.local[:7] + self.local_more, self.guesses + self.more, strict=True):
            h = 1.0 / (a * a)
            den += h * h
            num += h * h * guess
        self.mean, others = num / den, self.parts
        self.mixture()
        self.parts = others[:7] + self.parts[7:9] + others[9:]
        self.shorten()
        axes = [o for o, _, axis in g.near if axis == 0 and axis in present]
        self.before = at + (axes or [g.spots[0]])[0]

    def learn(self, at, code, usual):
        x, V, s, cell = self.x[at], self.volatility, self.s, self.cell
        most = 64.0 * V + 4.0 * cell
        self.left[at] = [min(abs(x - a), most) + 0.12 * cell for a in self.more]
        self.marks[at] = step((x - self.centre) / max(s, 0.25 * cell), 0.4, 1.2)
        if usual:
            trust = 1.0 / (s * s + 0.01 * V * V + 0.1 * cell * cell)
            v, u = [x - self.base, *self.v[1:]], [x - self.floor, *self.u[1:]]
            for key, fade in zip(self.chosen, (0.9995, 0.9995, 0.96, 0.99, 0.99998), strict=True):
                remember(self.further[key][0], v, trust, fade)
            for (sums, _), fade in zip(self.stacks, (0.99, 0.9998), strict=True):
                remember(sums, u, trust, fade)
        super().learn(at, code, usual)

    def approach(self, at, S, z, fine):
        g, V, cell, centre = self.g, self.volatility, self.cell, self.centre
        last, other = (self.errors[at + g.near[k][0]][7] for k in (0, 1))
        kinds = [(self.more[k], self.local_more[k]) for k in (5, 6, 0, 1, 2, 3, 4)]
        kinds += [*zip(self.guesses[:3], self.local[:3], strict=True), (centre, 0.35 * (last + other) + 0.3 * S)]
        self.kinds = [(mean, 1.0 / max(0.5 * (0.9 * error + 0.1 * V), 0.08 * cell)) for mean, error in kinds]
        self.within = [[1.0, 0.0] for _ in range(12)]
        where = [at + g.spots[k] for k in range(7)]
        w, n, e, b, ww, nw = (self.marks[p] for p in (where[0], where[5], where[3], self.before, where[4], where[2]))
        away = [(a - centre) / S for a in (self.more[0], self.guesses[1], self.more[2], self.more[5], self.guesses[3])]
        g0, g1, g2 = (step(y, 0.15, 0.5) for y in away[:3])
        g3, p = step(away[3], 0.1, 0.4), step(away[4], 0.7, 2.0) + (away[4] > 0.0)
        q = bucket(S / V * 8.0, 1.0, 7)
        self.first = 8 * fine + self.trend
        self.contexts = c = [z, self.texture, 5 * w + n, 5 * e + b, 5 * g0 + g1, 8 * p + q]
        c += [12 * g0 + 3 * fine + self.trend, (z >> 1) * 4 + fine, 5 * g3 + g2, 5 * ww + nw, 8 * g2 + q, 0]
        self.sets = [272 + 3 * z, 344 + 3 * self.texture, 440 + 3 * (5 * w + g0), 515 + 3 * c[5]]
        if self.discrete:
            by_w = hashed(self.codes[where[0]], 1)
            by_wn, by_n = hashed(by_w, self.codes[where[5]]), hashed(self.codes[where[5]], 2)
            self.keys = [0, by_w, by_wn, by_n, hashed(by_wn, self.codes[where[2]])]
            self.keys += [hashed(self.codes[self.before], 3), hashed(hashed(by_w, self.codes[where[4]]), 4)]
        else:
            self.keys = [signed(hashed(c[j], c[j + 4]) + j) for j in range(7)]

    def ask(self, t, lo, d, phase, node):
        border, sided, inputs, reaches = self.grid.border(t), node + (136 if d < 0 else 0), [], []
        for k, (inside, beyond) in enumerate(self.within):
            mean, inverse = self.kinds[k - 1]
            r = logistic(((mean - border) * inverse) * d) if k else self.mass(border, d)
            r = clamp(r, beyond, inside)
            odds = log2(r - beyond + 1e-9) - log2(inside - r + 1e-9)
            inputs.append(clamp(odds * 0.693147180559945, -12.0, 12.0))
            reaches.append(r)
        contexts = [*self.contexts]
        contexts[1] = contexts[1] if node else self.first
        a = hashed(t, lo if phase == 2 else phase) if self.discrete else sided
        places = [(272 * j + sided) * 64 + c for j, c in enumerate(contexts)]
        places += [272 * 64 * 12 + (hashed(a, key) & self.hashes - 1) for key in self.keys]
        yes = self.settle(places, [sided, *(k + phase for k in self.sets)], inputs)
        for within, r in zip(self.within, reaches, strict=True):
            if phase == 0 and not yes:
                within[0] = 1.0 - r
            else:
                within[0 if yes else 1] = r
        return yes

    def settle(self, places, mixers, inputs):
        for place in places:
            p, n = self.asked[place]
            inputs.append(stretch((((p << 10 | n) >> 20) + 0.5) / 4096) * (n / (n + 1.5)))
        inputs.append(0.25)
        final, x = self.finals[mixers[0]], 0.0
        heard = [clamp(dot(self.panel[k], inputs), -14.0, 14.0) for k in mixers]
        for weight, y in zip(final, heard, strict=True):
            x += weight * y
        p = clamp(math.floor(logistic(x) * (1 << 22)), 16, (1 << 22) - 16)
        yes = self.message.pop(22, lambda c: (1, 0, p) if c < p else (0, p, (1 << 22) - p))
        miss = (yes - logistic(x)) * 0.002
        for k, (number, y) in enumerate(zip(mixers, heard, strict=True)):
            final[k] += miss * y
            self.used[number] += 1.0
            rate = (yes - logistic(y)) * (0.004 + 0.02 / (1.0 + self.used[number] * 0.02))
            self.panel[number] = [w + rate * a for w, a in zip(self.panel[number], inputs, strict=True)]
        for k, place in enumerate(places):
            q, n = self.asked[place]
            q += (yes * ((1 << 22) - 1) - q) * int(65536 / (n + 1.6)) >> 16
            self.asked[place] = q, n + (n < (400 if k < 12 else 250))
        return yes


class Fast(Stream):
    def decode(self, source, size):
        g, self.marks, out = self.g, defaultdict(int), []
        self.other = self.A
        for i, (z, r, c, at) in enumerate(g.places()):
            if i % (1 << 18) == 0:
                if i:
                    self.message.check_end()
                self.block(source)
            if r == 0 and c == 0 and g.rows > 1:
                for up, d in product(range(4), range(-4, 5)):
                    if up or d < 0:
                        self.x[at - up * g.stride + d] = 0.0
                        self.marks[at - up * g.stride + d] = 0
            g.open(r, c, at, self.copy)
            out.append(self.one(z, at))
            g.close(r, c, at, self.copy, lambda to, from_: self.x.__setitem__(to, self.x[from_]))
        self.message.check_end()
        return out

    def copy(self, to, from_):
        self.x[to], self.marks[to] = self.x[from_], self.marks[from_]

    def block(self, source):
        count = source.natural()
        require(count in (0, len(self.g.quick)), "another number of weights")
        self.weights = [source.integer() / 1024 for _ in range(count)]
        require(all(abs(w) < 8 for w in self.weights), "a weight that is too large")
        self.rows = []
        for _ in range(64):
            row, symbol, start = [], -1, 0
            for _ in range(source.natural()):
                symbol += 1 + source.natural()
                share = source.natural()
                require(symbol < 256 and 0 < share <= 4096, "impossible counts")
                row.append((symbol, start, share))
                start += share
            require(start in (0, 4096), "shares that do not add up")
            self.rows.append(row)
        self.message = entropy.Message.parse(source.part())

    def one(self, z, at):
        g, x, grid, present = self.g, self.x, self.grid, self.g.present(z)
        w, n, q = (x[at + o] for o in g.spots[:3])
        guess, b = w, 0.0
        for weight, k in zip(self.weights, g.quick, strict=False):
            o, axis = g.own[k]
            if axis in present:
                guess, b = b, guess + weight * (x[at + o] - w)
        guess = guess + b if self.weights else clamp(w + n - q, min(w, n), max(w, n))
        guess = clamp(guess, -1e15, 1e15)
        near = [self.marks[at + o] for o, *_ in g.near[:4]]
        context = min((sum(near) + near[0] + near[1] + 3) // 6, 63)
        row = self.rows[context]
        require(row, "a context without counts")
        symbol = self.message.pop(12, lambda c: next(s for s in reversed(row) if s[1] <= c))
        if symbol >= 254:
            if symbol == 255:
                bits = (grid.most - grid.least + 1).bit_length()
                self.other = min(self.raw(bits) + grid.least, grid.most)
            self.codes[at], x[at], self.marks[at] = self.other, guess, 127
            return self.other
        u = symbol
        if symbol >= 16:
            low = 2 + (symbol - 16) // 4
            u = 4 + (symbol - 16) % 4 << low | self.raw(low)
        code = clamp(clamp(grid.code(guess), self.A, self.B) + (-(u + 1 >> 1) if u & 1 else u >> 1), self.A, self.B)
        high = top(u + 1)
        self.codes[at], x[at] = code, grid.value(code)
        self.marks[at] = 2 * high + (u + 1 >> high - 1 & 1 if high else 0)
        return code
