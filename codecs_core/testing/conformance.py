"""`CodecConformance`: every clause, as a class of tests to subclass."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from codecs_core.testing.clauses.damage import Damage
from codecs_core.testing.clauses.lasting import Lasting
from codecs_core.testing.clauses.models import Models
from codecs_core.testing.clauses.purity import Purity
from codecs_core.testing.clauses.registration import Registration
from codecs_core.testing.clauses.settings import Settings
from codecs_core.testing.clauses.values import Values

_GROUPS = (Registration, Settings, Models, Values, Purity, Damage.__mro__[1], Damage, Lasting)


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
