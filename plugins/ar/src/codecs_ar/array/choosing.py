"""What an encoder chooses: the map, the roles of the axes, and the rest of a stream's description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codecs_ar.array import quick
from codecs_ar.array.layout import MOST_CHANNELS, Layout
from codecs_ar.array.maps import Map, Numbers, occurring
from codecs_ar.array.payload import Writer
from codecs_ar.array.predictors import CLASSES
from codecs_ar.array.repeats import hits
from codecs_ar.array.stream import Description

#: Values that a choice looks at: at least, at most, and which part of them; the longest side of what it looks at, but for one.
FEWEST, MOST, PART, SIDE = 1 << 13, 1 << 14, 24, 128
#: Of a small array a fourth is enough, unless that is fewer values than these.
QUARTER, LEAST = 4, 1 << 10
#: Where choices are thorough they look at this number of times as many.
WIDELY = 8
#: At most at the fast level, and what is looked at to describe an array.
BRIEF, LOOKED = 1 << 14, 1 << 14
#: Repeats are asked for, which takes time, where what they come to is less than this part of what the array does without; they are not
#: tried where fewer than one in this number of values repeats another.
WORTH, SELDOM = 0.995, 128
#: Classes of intensity take some twenty bytes to describe. Arrays of up to this number of values have none, and neither has the fast level,
#: which uses only the one at the origin.
CLASSED = 1 << 10
#: What the fast level makes larger than its best by more than this is not tried by slower ones.
NEAR = 1.04


def layouts(shape: tuple[int, ...]) -> list[Layout]:
    """Roles of the axes that are worth a try, the likeliest first."""
    n = len(shape)
    straight = tuple(range(n))
    found = []
    if n == 1:
        found.append(Layout(straight, series=True))
    else:
        found.append(Layout(straight, series=False))
        if shape[-1] <= MOST_CHANNELS and n > 2:
            found.append(Layout((n - 1, *straight[:-1]), series=False))
        if np.prod(shape[1:]) <= MOST_CHANNELS:
            found.append(Layout(straight, series=True))
        if np.prod(shape[:-1]) <= MOST_CHANNELS:
            found.append(Layout((n - 1, *straight[:-1]), series=True))
        if shape[-1] <= MOST_CHANNELS and n == 2:
            found.append(Layout((1, 0), series=False))
    return found


def describe(codes: NDArray[np.int64], chosen: Map, layout: Layout) -> Description:
    """A description of codes, which a map made."""
    flat = codes.reshape(-1)
    distinct, counts = occurring(flat)
    low, high = usual_range(chosen.values(distinct), counts)
    usual = int(distinct[low]), int(distinct[high])
    least, most = int(distinct[0]), int(distinct[-1])
    if usual[0] == usual[1]:
        usual = usual[0], usual[1] + 1
    most = max(most, usual[1])
    running = np.cumsum(counts[low : high + 1])
    places = [int(np.searchsorted(running, running[-1] * i // CLASSES)) for i in range(1, CLASSES)]
    levels = tuple(int(distinct[low + p]) for p in places)
    with np.errstate(all="ignore"):
        inside = chosen.values(flat[(flat >= usual[0]) & (flat <= usual[1])])
        steps = np.abs(np.diff(inside[np.isfinite(inside)][: 1 << 18]))
        steps = steps[(steps > 0) & np.isfinite(steps)]
        scale = -int(np.frexp(np.median(steps))[1]) if steps.size else 0
    discrete = distinct.size * 4 < flat.size
    shift = max(0, (most - least).bit_length() - 61, most.bit_length() - 61, least.bit_length() - 61)
    levels = tuple(level >> shift for level in levels)
    usual = usual[0] >> shift, max(usual[1] >> shift, (usual[0] >> shift) + 1)
    most = max(most >> shift, usual[1])
    return Description(
        layout, shift, least >> shift, most, usual, min(max(scale, -1000), 1000), levels, bool(discrete), repeats=False
    )


def usual_range(values: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[int, int]:
    """Of sorted distinct values, the first and the last that is no outlier."""
    low, high, total = 0, len(values) - 1, int(counts.sum())
    while high > low + 2 and not np.isfinite(values[high]):
        high -= 1
    while high > low + 2 and not np.isfinite(values[low]):
        low += 1
    with np.errstate(all="ignore"):
        values = values * 2.0**-60  # differences, and a thousand times as much, remain finite
    for _ in range(4):
        if high - low < 8:
            break
        up, down = values[high] - values[high - 1], values[low + 1] - values[low]
        if up > (values[high - 1] - values[low]) * (1 if counts[high] > total // 2000 else 1000):
            high -= 1
        elif down > (values[high] - values[low + 1]) * (1 if counts[low] > total // 2000 else 1000):
            low += 1
        else:
            break
    return low, high


@dataclass(frozen=True)
class Plan:
    """How an array will be coded: a map, what comes of it, and how that is described."""

    map: Map
    codes: NDArray[np.int64]
    about: Description

    @property
    def upper(self) -> NDArray[np.int64]:
        """The codes without the low bits that are apart."""
        return self.codes >> self.about.shift if self.about.shift else self.codes


def planned(array: NDArray[Any], chosen: Map, layout: Layout, *, repeats: bool, brief: bool = False) -> Plan:
    """A plan of one map and one layout; a brief one describes the array by some of its values."""
    codes = chosen.forward(array)
    looked = codes
    if brief and codes.size > LOOKED:
        flat = codes.reshape(-1)
        ends = np.array([flat.min(), flat.max()])
        looked = np.concatenate([flat[:: codes.size // LOOKED], flat[: LOOKED // 8], ends])
    about = describe(looked, chosen, layout)
    if brief or codes.size <= CLASSED:
        count = len(about.levels)
        about = replace(about, levels=(about.levels[count // 2],) * count)
    return Plan(chosen, codes, replace(about, repeats=repeats))


class Level(NamedTuple):
    """How much is done: the mode of payloads, what encodes a stream, and what tells about how many bytes it would be.

    Choices look at little of an array where they are brief, and at more of it where they are thorough.
    """

    mode: int
    encode: Callable[[Writer, NDArray[np.int64], Description, Numbers], object]
    measure: Callable[[NDArray[np.int64], Description, Numbers], float]
    brief: bool = False
    thorough: bool = False


def choose(array: NDArray[Any], level: Level, candidates: list[Map]) -> Plan:
    """The best plan that was found: by what a part of the array comes to."""
    roles = layouts(array.shape)
    part = sample(array, BRIEF if level.brief else MOST, WIDELY if level.thorough else 1)
    share = part.size / array.size

    @cache
    def size(chosen: Map, role: Layout, *, repeats: bool) -> float:
        return cost(part, chosen, role, share, level, repeats=repeats)

    @cache
    def repeating(chosen: Map, role: Layout) -> bool:
        return not level.brief and repeats_some(planned(part, chosen, role, repeats=False))

    def smallest(rivals: list[tuple[Map, Layout]]) -> tuple[Map, Layout]:
        if len(rivals) > 1 and not level.brief:  # what the fast level makes far larger is not tried
            glances = [cost(part, *rival, share, level._replace(measure=quick.measure)) for rival in rivals]
            rivals = [rival for rival, glance in zip(rivals, glances, strict=True) if glance <= NEAR * min(glances)]
        if len(rivals) == 1:
            return rivals[0]
        return min(rivals, key=lambda rival: size(*rival, repeats=repeating(*rival)))

    best, _ = smallest([(chosen, roles[0]) for chosen in candidates])
    best, layout = smallest([(best, role) for role in roles])
    repeats = repeating(best, layout) and size(best, layout, repeats=True) < WORTH * size(best, layout, repeats=False)
    return planned(array, best, layout, repeats=repeats, brief=level.brief)


def repeats_some(plan: Plan) -> bool:
    """Whether codes that are no outliers are often like others before them."""
    codes, (low, high) = plan.upper.transpose(plan.about.layout.order), plan.about.usual
    found = hits(codes.reshape(-1), low, high, codes.shape[-1], np.full(1 << codes.size.bit_length(), -1))
    return bool(found * SELDOM > codes.size)


def cost(part: NDArray[Any], chosen: Map, layout: Layout, share: float, level: Level, *, repeats: bool = True) -> float:
    """Bytes of a part of an array, with its share of what the map costs."""
    plan = planned(part, chosen, layout, repeats=repeats)
    promise = 1.0 if level.brief else chosen.promise(round(part.size / share))
    return promise * level.measure(plan.upper, plan.about, chosen.numbers) + chosen.cost(part, share)


def sample(array: NDArray[Any], most: int = MOST, times: int = 1) -> NDArray[Any]:
    """A block from the middle of an array, of about a `PART`-th of its values, or a number of times as many."""
    least = min(max(array.size // QUARTER, LEAST), FEWEST)
    left, cuts = times * min(max(array.size // PART, least), most), []
    sizes = sorted(range(array.ndim), key=lambda axis: (array.shape[axis] > MOST_CHANNELS, -axis))
    lengths = dict.fromkeys(range(array.ndim), 1)
    for i, axis in enumerate(sizes):
        last = i == len(sizes) - 1
        lengths[axis] = min(array.shape[axis], max(1, left if last else min(left, SIDE)))
        left = max(1, left // lengths[axis])
    for axis in range(array.ndim):
        start = (array.shape[axis] - lengths[axis]) // 2
        cuts.append(slice(start, start + lengths[axis]))
    return array[tuple(cuts)]
