"""Which codec makes the smallest file of some data: each that may be chosen is tried on a sample.

All have a first look at some thousand values. What comes near the best of them has a second look, at as much as it encodes in a part of the
time that the encoding will take; by the speeds that codecs state, so that the same data always have the same choice.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from codecs_core.api.choosing import sample
from codecs_core.api.choosing.candidate import Candidate, candidates, with_models
from codecs_core.api.choosing.contest import Contest
from codecs_core.api.choosing.repeats import farther
from codecs_core.api.choosing.trial import CHUNK_OVERHEAD, Choice, Trial, fixed
from codecs_core.api.parallel import ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from codecs_core.api.choosing.sample import Excerpt
    from codecs_core.api.items import Items
    from codecs_core.codec import Progress
    from codecs_core.container.grid import Chunk
    from codecs_core.models import Model

__all__ = [
    "CHUNK_OVERHEAD",
    "Candidate",
    "Choice",
    "Contest",
    "Trial",
    "candidates",
    "contest",
    "fixed",
    "with_models",
    "worthwhile",
]

#: A candidate this many times the size of the best after the first look gets no second; the other where that look saw little. There, of
#: two whose sizes differ by less than the part SAME, only the smaller gets one: they are one method, as xz behind filters that do not help.
WORTH, FAR, SAME = 1.04, 1.2, 0.001
#: Seconds that a second look may take, and the part of the encoding that follows.
SECONDS, SHARE = 0.1, 0.05
#: Values, and bytes, that a second look has of what repeats itself far apart; and the largest part of the data that it has.
VALUES, BYTES, PART = 3 << 14, 3 << 16, 0.6


def contest(
    names: Sequence[str],
    group: Sequence[Items],
    among: Sequence[Candidate],
    *,
    chunk: Chunk | None,
    jobs: int,
    price: Callable[[Model | None], int],
    images: bool = False,
    files: bool = False,
    progress: Progress | None = None,
) -> Contest:
    """Try candidates on a sample of arrays of one kind.

    `price` is what a model adds to the file, in bytes.
    """
    whole, trials = sample.take(group, images=images), [Trial(candidate=candidate) for candidate in among]

    def look(on: Sequence[Excerpt], some: Sequence[Trial]) -> None:
        for trial in ordered(lambda one: one.run(group, on, chunk), some, jobs=jobs):
            trial.model_bytes = price(trial.codec.model if trial.codec is not None and trial.error is None else None)
            if progress is not None:
                progress(0.0, f"tried {trial.candidate.id}")

    worth, taken = trials, sample.glance(whole)
    if 2 * sum(one.size for one in taken) >= sum(one.size for one in whole):
        taken = whole
        look(taken, trials)
    else:
        look(taken, trials)
        far = not images and farther(whole, taken)
        worth = _distinct(_worth(trials, FAR)) if far else _worth(trials, WORTH)
        if len(worth) > 1:
            taken = sample.less(whole, _second_look(worth, group, far=far))
            look(taken, worth)
    return Contest(
        names=names, group=group, chunk=chunk, images=images, files=files, taken=taken, trials=trials, worth=worth
    )


def _worth(trials: Sequence[Trial], most: float) -> list[Trial]:
    """Those that come near the best, or are the best of one of the arrays."""
    left = [trial for trial in trials if trial.error is None]
    if not left:
        return []
    best = min(trial.size for trial in left)
    each = [min(trial.sizes[k] for trial in left) for k in range(len(left[0].sizes))]
    return [
        trial
        for trial in left
        if trial.size <= most * best or any(size <= least for size, least in zip(trial.sizes, each, strict=True))
    ]


def _distinct(trials: Sequence[Trial]) -> list[Trial]:
    """Those that are not as small as a smaller one, or nearly so."""
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda one: one.size):
        if not found or trial.size > (1 + SAME) * found[-1].size:
            found.append(trial)
    return found


def _second_look(worth: Sequence[Trial], group: Sequence[Items], *, far: bool) -> int:
    """How many bytes these candidates encode in the time that choosing may take; more of what repeats itself far apart."""
    best = min(worth, key=lambda trial: trial.size)
    total = sum(items.spec.nbytes for items in group)
    seconds = max(SECONDS, SHARE * total / (1e6 * best.candidate.speed))
    seen = round(seconds * 1e6 / sum(1 / trial.candidate.speed for trial in worth))
    return max(seen, min(BYTES, VALUES * group[0].spec.itemsize, round(PART * total))) if far else seen


def worthwhile(contests: Sequence[Contest], paid: Container[str]) -> set[str]:
    """The models, by their SHA-256, with which the file becomes smallest, each of them counted once for all arrays.

    Those that are `paid` for are in the file anyway. From all that are the best for some of the arrays, the one that saves
    most by its absence is dropped, as long as one does.
    """

    def size(models: Container[str] | None) -> tuple[int, set[str]]:
        best = [ranked[0] for one in contests if (ranked := one.ranked(models))]
        prices = {one.sha256: one.model_bytes for one in best if one.sha256 is not None and one.sha256 not in paid}
        barred = sum(models is not None and one.sha256 is not None and one.sha256 not in models for one in best)
        total = sum(one.estimate or 0 for one in best) + sum(prices.values())
        return (total if not barred else sys.maxsize), {one.sha256 for one in best if one.sha256 is not None}

    total, models = size(None)
    while models:
        fewer = min((size(models - {one}) for one in sorted(models)), key=lambda found: found[0])
        if fewer[0] >= total:
            break
        total, models = fewer
    return models
