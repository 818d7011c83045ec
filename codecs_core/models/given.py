"""Models that the user put at hand, to be found by their hash for as long as the process lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codecs_core.models.model import Model

_given: dict[str, Model] = {}


def use(model: Model) -> None:
    """Let `resolve` find a model by its hash, wherever its file may be."""
    _given.setdefault(model.sha256, model)


def given(sha256: str) -> Model | None:
    """The model of this hash, if it was put at hand."""
    return _given.get(sha256)


def at_hand() -> list[Model]:
    """All of them, in the order in which they came."""
    return list(_given.values())


def forget() -> None:
    """Put all of them away."""
    _given.clear()
