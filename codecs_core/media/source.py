"""An array that a file holds, described before it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.arrays import ArraySpec


@dataclass(frozen=True, kw_only=True)
class Source:
    """One array in one file.

    Parameters
    ----------
    name
        Of the entry it becomes; ``""`` for the sole array of a sole file.
    path
        The file.
    spec
        Shape and dtype, from the file's header.
    load
        Reads the array; `Source.read` is the way to call it.
    attrs
        What the file says beside the values: ``{"media": {"format", "mode", "name", ...}}`` for images.
    """

    name: str
    path: Path
    spec: ArraySpec
    load: Callable[[], NDArray[Any]]
    attrs: dict[str, Any] = field(default_factory=dict)

    def read(self) -> NDArray[Any]:
        """The array; raises `InputError` where the file is damaged behind its header."""
        return self.load()
