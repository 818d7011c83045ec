"""Arrays of one kind, and how the candidates did on a sample of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codecs_core.api.choosing import sample
from codecs_core.api.choosing.trial import Choice
from codecs_core.api.parallel import ordered
from codecs_core.errors import CodecsError, ConfigError, UnsupportedArrayError

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from codecs_core.api.choosing.sample import Excerpt
    from codecs_core.api.choosing.trial import Trial
    from codecs_core.api.items import Items
    from codecs_core.arrays import ArraySpec
    from codecs_core.container.grid import Chunk

#: Each array of a kind gets a codec of its own if that makes the sample at most this many times as large.
MIXED = 0.97
FINALISTS = 3


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
        All of the candidates, and those that had more than a first look.
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
        ranked = self.ranked(models)
        while ranked and ranked[0].wrong():
            ranked.pop(0)
        if not ranked:
            raise _nothing_left(self.names[0], self.group[0].spec, self.trials)
        free = [one for one in ranked if one in self.worth and (one.sha256 is None or one.sha256 in models)]
        finalists = _finalists(free or ranked[:1]) if len(self.group) > 1 else ranked[:1]
        finalists = finalists[:1] + [trial for trial in finalists[1:] if not trial.wrong()]
        choices = [Choice(ranked=[one, *(trial for trial in ranked if trial is not one)]) for one in finalists]
        choices[0].tried = self._about()
        if len(choices) == 1:
            return dict.fromkeys(self.names, choices[0])

        def pick(items: Items) -> Choice:
            part = sample.excerpt(items, 2 * sample.GLANCE, images=self.images)
            return min(choices, key=lambda choice: choice.ranked[0].bytes_of(part, self.chunk, sample.PIECES))

        return dict(zip(self.names, ordered(pick, self.group, jobs=jobs), strict=True))

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


def _finalists(ranked: Sequence[Trial]) -> list[Trial]:
    """The best trial; and where choosing for each array would save enough, others that are the best of some."""
    each = [min(ranked, key=lambda trial: trial.sizes[k]) for k in range(len(ranked[0].sizes))]
    if sum(one.sizes[k] for k, one in enumerate(each)) > MIXED * sum(ranked[0].sizes):
        return [ranked[0]]
    return [ranked[0], *(trial for trial in ranked[1:] if any(trial is one for one in each))][:FINALISTS]


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
