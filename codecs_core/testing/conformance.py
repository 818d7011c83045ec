"""The conformance kit: every clause, as a class of tests to subclass, and without a test file as ``codecs check`` runs them."""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest import SkipTest

from hypothesis.configuration import set_hypothesis_home_dir
from numpy.typing import NDArray

from codecs_core.errors import ConfigError
from codecs_core.models import Model
from codecs_core.testing.behaviour import Purity, Values
from codecs_core.testing.contract import Lasting, Registration, Settings
from codecs_core.testing.robustness import Damage, Models, Processes

#: Of a quick check: arrays that are drawn for a clause, and damaged payloads and models.
FEW, FEW_TRIALS = 3, 8
#: The clauses, in the order in which failures are best read.
_GROUPS = (Registration, Settings, Models, Values, Purity, Processes, Damage, Lasting)


class CodecConformance(Registration, Settings, Models, Values, Purity, Damage, Lasting):
    """Holds a codec to the Codec contract, a test a clause. Subclass it in a test file and name the codec:

    >>> class TestDelta(CodecConformance):
    ...     codec_id = "acme.delta"
    ...     configs = ({}, {"axis": 0})

    The attributes and the two methods that an author may set are those of `codecs_core.testing.subject.Subject`. A clause that does
    not apply is skipped, with the reason.
    """


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One test and what it says.

    Parameters
    ----------
    test
        Name of the method.
    clause
        Number in the contract.
    says
        One sentence.
    """

    test: str
    clause: int
    says: str


def clauses() -> list[Clause]:
    """Every clause, in the order in which failures are best read."""
    found = []
    for group in _GROUPS:
        for name, method in vars(group).items():
            if name.startswith("test_"):
                first = (inspect.getdoc(method) or "").partition("\n")[0]
                said = re.fullmatch(r"Clause (\d+): (.*)\.", first)
                if said is None:
                    raise TypeError(f"the docstring of {group.__name__}.{name} names no clause")
                found.append(Clause(test=name, clause=int(said[1]), says=said[2]))
    return found


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of a clause.

    Parameters
    ----------
    clause
        Which.
    verdict
        ``"pass"``, ``"fail"``, or ``"skip"`` if it does not apply.
    detail
        One line: what was tried, what is wrong, or why it does not apply.
    """

    clause: Clause
    verdict: Literal["pass", "fail", "skip"]
    detail: str


def check(
    codec_id: str,
    *,
    config: Mapping[str, Any] | None = None,
    model: Model | str | None = None,
    samples: Sequence[NDArray[Any]] = (),
    quick: bool = False,
    only: Sequence[Clause] = (),
) -> Iterator[Verdict]:
    """Run every clause on an installed codec, one after the other.

    Parameters
    ----------
    codec_id
        Id of the codec.
    config
        Settings to try it with, beside the defaults.
    model
        For a codec that takes models.
    samples
        Arrays of the kind that it is for; by default such as it says it takes.
    quick
        Draw few arrays and damages, take short stacks for samples, and compute in one other way instead of all those of the
        exactness matrix.
    only
        The clauses to run; by default all.
    """
    said: dict[str, Any] = {"codec_id": codec_id, "model": model, "configs": ({}, config) if config else ({},)}
    if samples:
        said["samples"] = lambda self: samples
    if quick:
        said |= {"examples": FEW, "trials": FEW_TRIALS, "short": True, "environments": ("plainest",)}
    subject: CodecConformance = type("Check", (CodecConformance,), said)()
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(Path(folder))
        for clause in only or clauses():
            yield _run(subject, clause)


def named(text: str) -> list[Clause]:
    """The clauses that have a text in the name of their test; raises `ConfigError` if there are none."""
    found = [clause for clause in clauses() if text.lower() in clause.test]
    if not found:
        every = ", ".join(clause.test.removeprefix("test_") for clause in clauses())
        raise ConfigError(f"no clause has {text!r} in its name; there are {every}")
    return found


def _run(subject: CodecConformance, clause: Clause) -> Verdict:
    subject.detail = ""
    try:
        getattr(subject, clause.test)()
    except SkipTest as reason:
        return Verdict(clause=clause, verdict="skip", detail=str(reason))
    except Exception as error:
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        return Verdict(clause=clause, verdict="fail", detail=f"{kind}{' '.join(str(error).split())}"[:500])
    return Verdict(clause=clause, verdict="pass", detail=subject.detail)
