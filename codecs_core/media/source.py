"""An array that a file holds, described before it is read; and decoded, on its way back into a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from codecs_core.arrays import ArraySpec
    from codecs_core.media.glimpse import Glimpse


@dataclass(frozen=True, kw_only=True)
class Source:
    """One array in one file.

    Parameters
    ----------
    name
        Of the entry it becomes; from a reader, the name of the member, and ``""`` for the sole array of a file.
    path
        The file.
    spec
        Shape and dtype, from the file's header.
    load
        Reads the array; `Source.read` is the way to call it.
    attrs
        What the file says beside the values: ``{"media": {"format", ...}}``.
    hint
        Of a file that is kept whole, what its bytes are like: ``"jpeg"``, ``"packed"`` for what is compressed already, or
        the suffix of its name.
    glimpse
        Of an image that was read once already, a piece that is kept.
    """

    name: str
    path: Path
    spec: ArraySpec
    load: Callable[[], NDArray[Any]]
    attrs: dict[str, Any] = field(default_factory=dict)
    hint: str = ""
    glimpse: Glimpse | None = None

    def read(self) -> NDArray[Any]:
        """The array; raises `InputError` where the file is damaged behind its header."""
        return self.load()


@dataclass(frozen=True, kw_only=True)
class Part:
    """One decoded entry of those that came from one file.

    Parameters
    ----------
    name
        Of the entry.
    array
        Its values.
    attrs
        What `Source.attrs` was. It comes from a container, so it may be hostile.
    """

    name: str
    array: NDArray[Any]
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def media(self) -> Mapping[str, Any]:
        """``attrs["media"]``, or nothing where that is no mapping."""
        return media_of(self.attrs)


def media_of(attrs: Mapping[str, Any]) -> Mapping[str, Any]:
    """``attrs["media"]``, or nothing where that is no mapping."""
    media = attrs.get("media")
    return media if isinstance(media, dict) else {}
