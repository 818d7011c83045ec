"""The conformance kit: the clauses of the Codec contract as tests, for every codec there is and will be.

A plugin's tests subclass `CodecConformance`; `check`, and ``codecs check ID``, run the same clauses without a test file. The fixtures are
in `codecs_core.testing.plugin`, which pytest loads by itself. Needs ``pip install "codecs-core[testing]"``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecs_core.testing.conformance import CodecConformance, Verdict, check
    from codecs_core.testing.domain import Domain
    from codecs_core.testing.entropy import check_cdf, check_stack_codec
    from codecs_core.testing.environments import environment
    from codecs_core.testing.payloads import unstored
    from codecs_core.testing.random import Draw, random_autoencoder, random_network
    from codecs_core.testing.site import Site

_HOME = {
    "CodecConformance": "conformance",
    "Domain": "domain",
    "Draw": "random",
    "Site": "site",
    "Verdict": "conformance",
    "check": "conformance",
    "check_cdf": "entropy",
    "check_stack_codec": "entropy",
    "environment": "environments",
    "random_autoencoder": "random",
    "random_network": "random",
    "unstored": "payloads",
}

__all__ = [
    "CodecConformance",
    "Domain",
    "Draw",
    "Site",
    "Verdict",
    "check",
    "check_cdf",
    "check_stack_codec",
    "environment",
    "random_autoencoder",
    "random_network",
    "unstored",
]


def __getattr__(name: str) -> Any:
    # Lazily: pytest imports this package in every project of the environment, whether it has to do with codecs or not.
    if name in _HOME:
        return getattr(import_module(f"codecs_core.testing.{_HOME[name]}"), name)
    raise AttributeError(f"module 'codecs_core.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
