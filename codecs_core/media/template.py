"""All bytes of a file but its values: with them, and the values, the file comes back identical to the byte.

A *span* is where values lie in a file: an offset and a number of bytes. The *template* of a file with n spans is a list of
n + 1 byte strings: what is in front of the first span, between each and the next, and behind the last.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np

from codecs_core.arrays import stored
from codecs_core.errors import InexactError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: Bytes of a template: a container takes 4 MiB of attributes with an array.
LARGEST = 4_000_000


def cut(path: Path, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """The template of a file.

    Parameters
    ----------
    path
        The file.
    spans
        Offset and number of bytes of the values, in the order of the file; they do not overlap.

    Raises
    ------
    InputError
        If a span does not lie within the file, or begins before the one in front of it ends.
    InexactError
        If the template has more than `LARGEST` bytes.
    """
    size = path.stat().st_size
    starts = [0, *(offset + nbytes for offset, nbytes in spans)]
    ends = [*(offset for offset, _ in spans), size]
    if any(nbytes < 0 for _, nbytes in spans) or any(start > end for start, end in zip(starts, ends, strict=True)):
        raise InputError(f"{path} of {size} bytes is damaged: the places of its values lie outside of it, or overlap")
    beside = sum(ends) - sum(starts)
    if beside > LARGEST:
        raise InexactError(f"{path} has {beside} bytes beside its values, and {LARGEST} can be kept with an array")
    template = []
    with path.open("rb") as file:
        for start, end in zip(starts, ends, strict=True):
            file.seek(start)
            template.append(file.read(end - start))
    if sum(map(len, template)) != beside:
        raise InputError(f"{path} became shorter while it was read")
    return template


def join(file: IO[bytes], template: Any, pieces: Iterable[Any]) -> None:
    """Write a file from its template and its values.

    Parameters
    ----------
    file
        Where to.
    template
        A list of byte strings, as `cut` made it; from a container, so it may be anything.
    pieces
        Of each span the values, in something that has bytes.

    Raises
    ------
    OutputError
        If that is no template, or one of another number of spans. What is in `file` then is of no use.
    """
    values = list(pieces)
    if not isinstance(template, list) or not all(isinstance(part, bytes) for part in template):
        raise OutputError("its attributes have no template of a file, which is a list of byte strings")
    if len(template) != len(values) + 1:
        raise OutputError(f"its template has {len(template)} parts, and {len(values)} pieces need {len(values) + 1}")
    file.write(template[0])
    for piece, after in zip(values, template[1:], strict=True):
        file.write(piece)
        file.write(after)


def raw(array: NDArray[Any], order: str = "<") -> NDArray[np.uint8]:
    """The values of an array as bytes, in C order and a byte order: ``"<"`` or ``">"``."""
    array = stored(array)
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<" if order != ">" else ">"))
    return plain.reshape(-1).view(np.uint8)
