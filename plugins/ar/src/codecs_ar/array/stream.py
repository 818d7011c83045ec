"""A stream: the integers of one array, coded. What a decoder must know of them comes first, then messages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import decisions, predictors, tree, walk
from codecs_ar.array.cascade import cascade
from codecs_ar.array.decisions import Decider
from codecs_ar.array.further import Further, further
from codecs_ar.array.grid import HALF, TABLE, Grid
from codecs_ar.array.kernel import LONGEST, follow, push_records
from codecs_ar.array.layout import Geometry, Layout, geometry
from codecs_ar.array.maps import WHOLE, Numbers
from codecs_ar.array.panel import Panel, panel
from codecs_ar.array.payload import Reader, Writer
from codecs_ar.array.predictors import CLASSES, COMPONENTS, EXPERTS, RATIOS, TRACKED, VIEWS, Learners
from codecs_ar.array.profile import Learnt
from codecs_ar.array.real import logarithms, logistics, stretches
from codecs_ar.array.repeats import KINDS, NOTHING, Repeats
from codecs_ar.array.scene import VOLATILITY, Now, Scene
from codecs_ar.array.squares import stride
from codecs_ar.array.tree import Coder
from codecs_core.entropy import Message
from codecs_core.errors import CorruptDataError

#: Of what is written.
VERSION = 2
#: Decisions of a message at the most.
RECORDS = 1 << 22
#: Counters that are found by a hash, for arrays that long: powers of two.
FEWEST, MOST = 12, 20


@dataclass(frozen=True)
class Description:
    """What a decoder is told of a stream.

    Parameters
    ----------
    layout
        Roles of the axes.
    shift
        Low bits that are coded elsewhere.
    least, most
        The smallest and the largest code.
    usual
        The smallest and the largest code that is no outlier.
    scale
        Working values are values times 2 to the power of this.
    levels
        Codes that divide the values into classes; the middle one is the origin.
    discrete
        Whether codes occur again and again, so that their own frequencies tell something.
    repeats
        Whether it is asked if a value is one that came before.
    """

    layout: Layout
    shift: int
    least: int
    most: int
    usual: tuple[int, int]
    scale: int
    levels: tuple[int, ...]
    discrete: bool
    repeats: bool

    def write(self, writer: Writer) -> None:
        """Append to a payload."""
        order = self.layout.order
        plain = order == tuple(range(len(order)))
        writer.natural(self.layout.series | 2 * (not plain) | 4 * self.discrete | 8 * self.repeats)
        for axis in () if plain else order:
            writer.natural(axis)
        writer.integer(self.least)
        writer.natural(self.most - self.least)
        writer.natural(self.usual[0] - self.least)
        writer.natural(self.most - self.usual[1])
        writer.integer(self.scale)
        last = self.usual[0]
        for level in self.levels:
            writer.natural(level - last)
            last = level

    @classmethod
    def read(cls, reader: Reader, ndim: int, shift: int) -> Description:
        """Inverse of `write` for an array with this number of axes."""
        flags = reader.natural()
        order = tuple(reader.natural() for _ in range(ndim)) if flags & 2 else tuple(range(ndim))
        if sorted(order) != list(range(ndim)):
            raise CorruptDataError(f"{order} is no order of {ndim} axes: the payload is damaged")
        least = reader.integer()
        most = least + reader.natural()
        usual = least + reader.natural(), most - reader.natural()
        scale, level, levels = reader.integer(), usual[0], []
        for _ in range(CLASSES - 1):
            level += reader.natural()
            levels.append(level)
        if not (-(1 << 62) <= least <= usual[0] < usual[1] <= most < 1 << 62 and abs(scale) <= 1000):
            raise CorruptDataError("the range of a stream is impossible: the payload is damaged")
        if level > usual[1]:
            raise CorruptDataError("the classes of a stream are out of its range: the payload is damaged")
        return cls(
            Layout(order, bool(flags & 1)),
            shift,
            least,
            most,
            usual,
            scale,
            tuple(levels),
            bool(flags & 4),
            bool(flags & 8),
        )


class More(NamedTuple):
    """What the level smallest has beside the rest."""

    further: Further
    panel: Panel


class Stream:
    """All state of coding one array.

    Parameters
    ----------
    shape
        Of the array, its axes in order.
    about
        What the decoder is told.
    numbers
        What codes stand for.
    version
        Of the payload: 1, or the present one.
    start
        The tensors of a profile to begin with.
    thorough
        Whether it is of the level smallest.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        about: Description,
        numbers: Numbers,
        version: int,
        *,
        decoding: bool,
        start: Mapping[str, NDArray[Any]] | None = None,
        thorough: bool = False,
    ) -> None:
        self.geometry = geometry(shape, about.layout.series, version)
        self.size = int(np.prod(shape))
        hashes = 1 << min(max(self.size.bit_length() + 3, FEWEST), MOST)
        self.scene = scene_of(self.geometry, about, numbers)
        self.learners = _learners(self.geometry, about.layout.series, version)
        self.decider = _decider(hashes)
        self.repeats = _repeats(self.size, hashes >> 2) if about.repeats else _repeats(1, 1)
        self.now = _now(self.geometry)
        records = np.zeros(0 if decoding else min(RECORDS, 60 * self.size + 2 * LONGEST), np.uint32)
        self.coder = Coder(
            version, decoding, about.discrete, about.repeats, hashes, np.zeros(3, np.uint64), records, GROWTH
        )
        self.more = More(further(self.geometry), panel(walk.BOTH, walk.ALL_SETS, hashes)) if thorough else None
        self.done = 0
        if start is not None:
            learnt = self.learnt()
            learnt.begin(start)
            self.decider.counters[: tree.DIRECT] = learnt.counters[: tree.DIRECT]
            self.decider.counters[-tree.FINE :] = learnt.counters[tree.DIRECT :]

    def learnt(self) -> Learnt:
        """What serves other arrays: a copy of counters, and the rest as it is."""
        counters = np.concatenate([self.decider.counters[: tree.DIRECT], self.decider.counters[-tree.FINE :]])
        return Learnt(counters, self.decider.mixers, self.decider.uses, self.learners.blends, self.learners.biases)

    @property
    def codes(self) -> NDArray[np.int64]:
        """The codes, a view of shape (slices, rows, columns)."""
        return self.geometry.view(self.scene.codes)

    @property
    def values(self) -> NDArray[np.float64]:
        """The working values, likewise."""
        return self.geometry.view(self.scene.values)

    def _params(self) -> tuple[Any, ...]:
        return self.scene, self.learners, self.repeats, self.decider, self.coder, self.now, self.more, self.done

    def encode_some(self) -> tuple[int, bytes]:
        """How many values come next, and the message that holds them."""
        state, end = np.zeros(3, np.uint64), np.zeros(1, np.int64)
        follow(state, np.zeros(8, np.uint32), end, 0, decisions.PRECISION, (*self._params(), self.size))
        count, self.done = int(end[0]) - self.done, int(end[0])
        message = Message()
        records = self.coder.records[: int(self.coder.state[2])]
        message.push_symbols(push_records, records, decisions.PRECISION, (), thin=True)
        return count, message.to_bytes()

    def decode_some(self, count: int, data: bytes) -> None:
        """Inverse of `encode_some`."""
        if not 0 < count <= self.size - self.done:
            raise CorruptDataError(
                f"a message of {count} values where {self.size - self.done} are left: the payload is damaged"
            )
        message, end = Message.from_bytes(data), np.zeros(1, np.int64)
        message.pop_symbols(follow, end, decisions.PRECISION, (*self._params(), self.done + count), thin=True)
        message.verify_end()
        self.done += count


def encode(
    writer: Writer,
    codes: NDArray[np.int64],
    about: Description,
    numbers: Numbers,
    start: Mapping[str, NDArray[Any]] | None = None,
    *,
    thorough: bool = False,
) -> Stream:
    """Append codes, an array without axes of length 1, to a payload; returns the stream with what it has learnt."""
    about.write(writer)
    codes = codes.transpose(about.layout.order)
    stream = Stream(codes.shape, about, numbers, VERSION, decoding=False, start=start, thorough=thorough)
    stream.codes[:] = codes.reshape(stream.geometry.shape)
    while stream.done < stream.size:
        count, message = stream.encode_some()
        writer.natural(count)
        writer.part(message)
    return stream


def untaught() -> Learnt:
    """The state that streams have at the beginning."""
    about = Description(
        Layout((0,), series=False), 0, 0, 1, (0, 1), 0, (0,) * (CLASSES - 1), discrete=False, repeats=False
    )
    return Stream((2,), about, WHOLE, VERSION, decoding=True).learnt()


def measure(codes: NDArray[np.int64], about: Description, numbers: Numbers) -> float:
    """Bytes of codes."""
    writer = Writer()
    encode(writer, codes, about, numbers)
    return len(writer.to_bytes())


def decode(
    reader: Reader,
    shape: tuple[int, ...],
    shift: int,
    numbers: Numbers,
    version: int = VERSION,
    start: Mapping[str, NDArray[Any]] | None = None,
    *,
    thorough: bool = False,
) -> NDArray[np.int64]:
    """Inverse of `encode`, and of that of older versions."""
    about = Description.read(reader, len(shape), shift)
    inner = tuple(shape[axis] for axis in about.layout.order)
    stream = Stream(inner, about, numbers, version, decoding=True, start=start, thorough=thorough)
    while stream.done < stream.size:
        stream.decode_some(reader.natural(), reader.part())
    codes = stream.codes.reshape(inner)
    return codes.transpose(np.argsort(about.layout.order))


#: Steps outwards from the middle of a distribution, in its scales.
GROWTH = np.array([0.35, 0.8, 1.4, 2.2, 3.2, 4.5, 6.5, 9, 13, 19, 28, 42, 64, 100, 160])


def scene_of(geometry: Geometry, about: Description, numbers: Numbers) -> Scene:
    """An empty scene."""
    table = numbers.table
    if numbers.kind in (TABLE, HALF):
        table = table[about.least - numbers.first : about.most - numbers.first + 1]
        if about.least < numbers.first or table.size != about.most - about.least + 1:
            raise CorruptDataError("the codes of a stream are beyond their table: the payload is damaged")
    rough = Grid(numbers.kind, about.shift, about.least, about.most, 0.0, 1.0, 1.0, table)
    origin = tree.value(about.levels[len(about.levels) // 2], rough)
    grid = rough._replace(origin=origin, unit=math.ldexp(1.0, about.scale), inverse=math.ldexp(1.0, -about.scale))
    levels = np.array([tree.value(level, grid) for level in about.levels])
    return Scene(
        geometry.outer,
        geometry.height,
        geometry.width,
        geometry.channels,
        geometry.stride,
        geometry.area,
        geometry.start,
        *about.usual,
        grid,
        np.zeros(geometry.size, np.int64),
        np.zeros(geometry.size),
        geometry.patterns,
        geometry.own,
        geometry.masks,
        geometry.near,
        geometry.near_weights,
        geometry.kept - 1,
        geometry.spots,
        levels,
    )


def _learners(geometry: Geometry, series: bool, version: int) -> Learners:
    n, channels = geometry.own.size, geometry.channels
    wide = stride(n)
    alone = geometry.outer * geometry.height == 1  # a row alone never comes back to a column
    blocks = channels if channels > 1 else 1 if alone else -(-geometry.width // predictors.BLOCK)
    states = channels + blocks + CLASSES * channels
    blends = np.array([1.0] * EXPERTS + [3.0, 0.3, 0.1, 0.1])
    return Learners(
        np.zeros(states * (n + 1) * wide),
        np.zeros((states + 1) * wide),
        np.ones(TRACKED * min(geometry.kept, geometry.size)),
        np.zeros(32 * 8),
        np.tile(blends / blends.sum(), RATIOS * EXPERTS),
        np.array([1e-4, 0.003, 0.003]),
        np.array([0.9998, 0.998, 0.9995]),
        logarithms(),
        logistics(),
        cascade(channels if series and version > 1 else 0),
        predictors.PERIODS[version],
    )


def _decider(hashes: int) -> Decider:
    mixers = np.zeros((tree.SETS, decisions.INPUTS))
    mixers[:, 0], mixers[:, 1] = 0.9, 0.1
    mixers[tree.SPECIAL : tree.ALL, 0], mixers[tree.SPECIAL : tree.ALL, 1] = 0.0, 1.5
    counts = np.arange(1 << decisions.COUNT_BITS)
    return Decider(
        np.full(tree.DIRECT + hashes + tree.FINE, 1 << 31, np.uint32),
        np.zeros(decisions.COUNTERS, np.int64),
        np.zeros(decisions.INPUTS),
        mixers.reshape(-1),
        np.zeros(tree.SETS),
        (65536 / (counts + 1.6)).astype(np.int64),
        np.array([400, 400, 250, 250, 250, 400]),
        counts / (counts + 1.5),
        stretches(),
        logistics(),
        logarithms(),
        np.zeros(2),
    )


def _repeats(size: int, hashes: int) -> Repeats:
    return Repeats(
        np.zeros(size, np.int64),
        np.full(hashes, -1, np.int64),
        np.array([-1, 0]),
        np.full(hashes, NOTHING),
        np.zeros(hashes, np.int64),
        np.zeros(2, np.int64),
        *(np.zeros(KINDS, np.int64) for _ in range(3)),
    )


def _now(geometry: Geometry) -> Now:
    n = geometry.own.size
    wide = stride(n)
    reals = np.zeros(8)
    reals[VOLATILITY] = 1.0
    return Now(
        np.zeros(wide),
        np.zeros(8),
        np.zeros((n + 1) * wide),
        np.zeros(VIEWS, np.int64),
        np.zeros(EXPERTS),
        np.zeros(3 * COMPONENTS),
        np.zeros(3 * COMPONENTS),
        reals,
        np.zeros(8, np.int64),
    )
