"""Which codec makes the smallest file of some data: each that may be chosen is tried on a sample."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from codecs_core.api.choosing import sample
from codecs_core.api.parallel import aside, ordered
from codecs_core.arrays import ArraySpec
from codecs_core.container.grid import n_chunks, simplest
from codecs_core.errors import CodecsError, ConfigError, UnsupportedArrayError
from codecs_core.models import installed
from codecs_core.models.given import at_hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from codecs_core.api.choosing.sample import Excerpt
    from codecs_core.api.items import Items
    from codecs_core.codec import Codec, Progress
    from codecs_core.container.grid import Chunk
    from codecs_core.models import Model
    from codecs_core.models.resolve import InstalledModel
    from codecs_core.registry import Registry

#: About what the container spends on a chunk beside its payload.
CHUNK_OVERHEAD = 68
#: A candidate this many times the size of the best after a rough look gets no second.
WORTH = 1.15
#: Seconds that a second look may take, and the part of the encoding that follows; by the speeds that codecs state, so that the
#: same data always have the same choice.
SECONDS, SHARE = 0.4, 0.15
#: Each array of a kind gets a codec of its own if that makes the sample at most this many times as large.
MIXED = 0.97
FINALISTS = 3


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A codec that might be chosen; `build` imports it and loads its model."""

    id: str
    model: str | None
    build: Callable[[], Codec]
    speed: float = 1.0


@dataclass(kw_only=True)
class Trial:
    """How a candidate did: an estimate in bytes for all of the data, or the reason why it is out.

    `sizes` are the bytes of each excerpt of the sample it was last tried on, `model_bytes` what its model adds to the file.
    """

    candidate: Candidate
    codec: Codec | None = None
    sizes: list[float] = field(default_factory=list)
    estimate: int | None = None
    model_bytes: int = 0
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Estimated bytes, with those of the model."""
        return (self.estimate or 0) + self.model_bytes

    @property
    def sha256(self) -> str | None:
        """Of its model."""
        return None if self.codec is None or self.codec.model is None else self.codec.model.sha256

    def report(self) -> dict[str, Any]:
        """The trial as JSON."""
        return {
            "codec": self.candidate.id,
            "model": self.candidate.model,
            "bytes": None if self.error else self.estimate,
            "model_bytes": self.model_bytes,
            "error": None if self.error is None else f"{self.error}",
            "unsupported": isinstance(self.error, UnsupportedArrayError),
            "seconds": round(self.seconds, 4),
        }


@dataclass(kw_only=True)
class Choice:
    """The codec for some entries, and what comes next should it refuse one of them after all."""

    ranked: list[Trial] = field(default_factory=list)
    tried: dict[str, Any] | None = None

    @property
    def codec(self) -> Codec:
        """The codec that is on."""
        codec = self.ranked[0].codec
        if codec is None:  # never: only trials with a codec are ranked
            raise ConfigError("no codec is left")
        return codec

    @property
    def others(self) -> bool:
        """Whether there is another codec."""
        return len(self.ranked) > 1

    def drop(self, error: Exception) -> bool:
        """Give up on the codec; whether there is another."""
        if not self.others:
            return False
        self.ranked.pop(0).error = error
        return True

    def report(self) -> dict[str, Any] | None:
        """What was tried, as JSON; None where there was nothing to choose."""
        if self.tried is None:
            return None
        trials: list[Trial] = self.tried["candidates"]
        chosen = self.ranked[0].candidate
        return {
            **self.tried,
            "chosen": {"codec": chosen.id, "model": chosen.model},
            "candidates": [trial.report() for trial in trials],
        }


def fixed(codec: Codec) -> Choice:
    """The choice where there is none."""
    return Choice(ranked=[Trial(candidate=Candidate(id=codec.id, model=None, build=lambda: codec), codec=codec)])


def candidates(spec: ArraySpec, registry: Registry, *, files: bool = False) -> Iterator[Candidate]:
    """Every codec that `auto` may choose for arrays of this spec, once a model where it needs one.

    For the bytes of files that are kept whole these are fewer: a learned codec of numbers is slow on them, and no better.
    """
    for id, stated in registry.codecs.items():
        info = stated.info
        # Who lets a program choose asked neither for losses nor for a file that only this machine reads.
        if (
            (info.files if files else info.auto)
            and info.kind == "lossless"
            and info.exactness == "portable"
            and info.accepts(spec)
        ):
            yield from with_models(id, {}, registry) if info.needs_model else [_plain(id, registry)]


def with_models(id: str, config: Mapping[str, Any], registry: Registry) -> Iterator[Candidate]:
    """A codec with each of the models that ship for it, and of those that the user put at hand."""
    for model in registry.models:
        if model.codec == id:

            def build(model: InstalledModel = model) -> Codec:
                return registry.codec_class(id).from_config(config, model=installed(model))

            yield Candidate(id=id, model=model.name, build=build, speed=registry.spec(id).info.speed)
    for own in at_hand():
        if own.codec == id:

            def build_own(own: Model = own) -> Codec:
                return registry.codec_class(id).from_config(config, model=own)

            name = own.name or own.sha256[:16]
            yield Candidate(id=id, model=name, build=build_own, speed=registry.spec(id).info.speed)


@dataclass(kw_only=True)
class Contest:
    """Arrays of one kind, and how the candidates did on a sample of them.

    Parameters
    ----------
    names, group
        The arrays.
    chunk, images, files
        How they are cut, and what they are.
    taken
        The sample.
    trials, worth
        All of the candidates, and those that had more than a rough look.
    """

    names: Sequence[str]
    group: Sequence[Items]
    chunk: Chunk | None
    images: bool
    files: bool
    taken: Sequence[Excerpt]
    trials: list[Trial]
    worth: list[Trial]

    def ranked(self, models: Container[str] | None = None) -> list[Trial]:
        """Who may be chosen, the best first: those with other models than `models`, by their SHA-256, come last."""
        return sorted(
            (trial for trial in self.trials if trial.error is None),
            key=lambda one: (
                models is not None and one.sha256 is not None and one.sha256 not in models,
                one not in self.worth,
                one.estimate,
                one.candidate.model is not None,
                one.candidate.id,
            ),
        )

    def choices(self, models: Container[str], jobs: int) -> dict[str, Choice]:
        """A choice for each name, mostly one for all, with these models or none.

        Where the sample says that no candidate is the best for all of the arrays, each array is tried by itself with the best few.

        Raises
        ------
        UnsupportedArrayError, ConfigError
            If no candidate can encode them.
        """
        ranked, wrong = self.ranked(models), self._wrong
        while ranked and wrong(ranked[0]):
            ranked.pop(0)
        if not ranked:
            raise _nothing_left(self.names[0], self.group[0].spec, self.trials)
        free = [one for one in ranked if one in self.worth and (one.sha256 is None or one.sha256 in models)]
        finalists = _finalists(free or ranked[:1])
        finalists = finalists[:1] + [trial for trial in finalists[1:] if not wrong(trial)]
        choices = [Choice(ranked=[one, *(trial for trial in ranked if trial is not one)]) for one in finalists]
        choices[0].tried = self._about()
        if len(choices) == 1:
            return dict.fromkeys(self.names, choices[0])

        def pick(items: Items) -> Choice:
            part = sample.excerpt(items, sample.ROUGHLY, images=self.images)
            return min(choices, key=lambda choice: _size(choice.codec, part, self.chunk, sample.PIECES))

        return dict(zip(self.names, ordered(pick, self.group, jobs=jobs), strict=True))

    def _wrong(self, trial: Trial) -> bool:
        """Whether a trial is out after all, which is noted."""
        error = _wrong(trial, sample.rough(self.taken)[0], self.chunk)
        if error is not None:
            trial.error = error
        return error is not None

    def _about(self) -> dict[str, Any]:
        return {
            "entries": len(self.names),
            "first": self.names[0],
            "dtype": self.group[0].spec.dtype,
            "files": self.files,
            "values": sum(items.spec.size for items in self.group),
            "sample_bytes": sum(one.nbytes for one in self.taken),
            "candidates": self.trials,
        }


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
    """Try candidates on a sample of arrays of one kind; a rough look drops those that are not worth a second.

    `price` is what a model adds to the file, in bytes.
    """
    taken = sample.take(group, images=images)
    trials = [Trial(candidate=candidate) for candidate in among]

    def attempt(on: Sequence[Excerpt], some: Sequence[Trial]) -> None:
        for trial in ordered(lambda one: _try(one, group, on, chunk), some, jobs=jobs):
            trial.model_bytes = price(trial.codec.model if trial.codec is not None and trial.error is None else None)
            if progress is not None:
                progress(0.0, f"tried {trial.candidate.id}")

    worth = trials
    if sum(one.nbytes for one in taken) > 2 * sample.ROUGHLY:
        attempt(sample.rough(taken), trials)
        left = [trial for trial in trials if trial.error is None]
        best = min((trial.size for trial in left), default=0)
        worth = [trial for trial in left if (trial.estimate or 0) <= WORTH * best]
        taken = sample.less(taken, _bytes_of_second_look(worth, sum(items.spec.nbytes for items in group), jobs))
    if worth is trials or len(worth) > 1:
        attempt(taken, worth)
    return Contest(
        names=names, group=group, chunk=chunk, images=images, files=files, taken=taken, trials=trials, worth=worth
    )


def _bytes_of_second_look(worth: Sequence[Trial], total: int, jobs: int) -> int:
    """How large a sample these candidates can encode in the time that choosing may take."""
    if not worth:
        return 0
    best = min(worth, key=lambda trial: trial.size)
    seconds = max(SECONDS, SHARE * total / (1e6 * best.candidate.speed * jobs))
    return round(seconds * 1e6 * jobs / sum(1 / trial.candidate.speed for trial in worth))


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


def _plain(id: str, registry: Registry) -> Candidate:
    return Candidate(
        id=id,
        model=None,
        build=lambda: registry.codec_class(id).from_config({}),
        speed=registry.spec(id).info.speed,
    )


def _try(trial: Trial, group: Sequence[Items], on: Sequence[Excerpt], chunk: Chunk | None) -> Trial:
    """Let a candidate encode a sample."""
    start = time.perf_counter()
    try:
        if trial.codec is None:
            trial.codec = trial.candidate.build()
            for spec in {items.spec for items in group}:
                trial.codec.check(spec)
        codec, chunks = trial.codec, 0
        for items in group:
            shape = items.spec.shape
            chunks += n_chunks(shape, simplest(shape, chunk or codec.default_chunk(items.spec)))
        trial.sizes = [_size(codec, one, chunk, max(1, sample.PIECES // len(on))) for one in on]
        total, seen = sum(items.spec.nbytes for items in group), sum(one.nbytes for one in on)
        trial.estimate = round(sum(trial.sizes) * (total / seen if seen else 1.0)) + CHUNK_OVERHEAD * chunks
    except Exception as error:  # a third-party codec that fails is left out, and does not stop the choice
        trial.error = error
    trial.seconds += time.perf_counter() - start
    return trial


def _size(codec: Codec, one: Excerpt, chunk: Chunk | None, most: int) -> float:
    """About how many bytes an excerpt takes; at most `most` pieces of it are encoded."""
    cut = one.pieces(codec, chunk, most)
    seen = sum(piece.nbytes for piece in cut)
    return sum(len(codec.encode(piece)) for piece in cut) * (one.nbytes / seen if seen else 1.0)


def _finalists(ranked: Sequence[Trial]) -> list[Trial]:
    """The best trial; and where choosing for each array would save enough, others that are the best of some."""
    each = [min(ranked, key=lambda trial: trial.sizes[k]) for k in range(len(ranked[0].sizes))]
    if sum(one.sizes[k] for k, one in enumerate(each)) > MIXED * sum(ranked[0].sizes):
        return [ranked[0]]
    return [ranked[0], *(trial for trial in ranked[1:] if any(trial is one for one in each))][:FINALISTS]


def _wrong(trial: Trial, one: Excerpt, chunk: Chunk | None) -> Exception | None:
    """Why a trial is out: its first piece of an excerpt does not come back as it went in."""
    codec = trial.codec
    if codec is None:
        return ConfigError("it was never built")
    for piece in one.pieces(codec, chunk)[:1]:
        try:
            back = aside(partial(_there_and_back, codec, piece))
        except Exception as error:
            return error
        if back.tobytes() != np.ascontiguousarray(piece).tobytes():
            return ConfigError(f"codec {codec.id} does not decode what it encoded")
    return None


def _there_and_back(codec: Codec, piece: NDArray[Any]) -> NDArray[Any]:
    return codec.decode(codec.encode(piece), ArraySpec.of(piece))


def _nothing_left(name: str, spec: ArraySpec, trials: Sequence[Trial]) -> CodecsError:
    what = f"an array of {spec.dtype} and shape {spec.shape}" + (f" (entry {name!r})" if name else "")
    if not trials:
        return ConfigError(f"no installed codec accepts {what}; install the classical ones: pip install codecs-classic")
    reasons = "; ".join(
        f"{trial.candidate.id}{' with model ' + trial.candidate.model if trial.candidate.model else ''}: {trial.error}"
        for trial in trials
    )
    refused = all(isinstance(trial.error, UnsupportedArrayError) for trial in trials)
    kind = UnsupportedArrayError if refused else ConfigError
    ids = {trial.candidate.id for trial in trials}
    if len(ids) == 1 and trials[0].candidate.model:
        remedy = f"`codecs train {ids.pop()}` makes a model of such data"
    else:
        remedy = "pip install codecs-classic has ones that can"
    return kind(f"no codec that may be chosen can encode {what}: {reasons}; {remedy}")
