"""Entry names as file names. A name comes from a file, so it is hostile until shown otherwise."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from codecs_core.errors import OutputError

_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"]
)
_FORBIDDEN = frozenset(':<>"|?*')


def safe_path(name: str, *, windows: bool = os.name == "nt") -> PurePosixPath:
    """`name` as a relative path that stays below a folder.

    Parameters
    ----------
    name
        Of an entry.
    windows
        Whether to refuse also what is a file name elsewhere but none, or another, on Windows.

    Raises
    ------
    OutputError
        For a name that is absolute or leads upwards, has empty parts, ``.`` or ``..``, characters that do not print,
        backslashes, or a part longer than 255 bytes. On Windows also for ``: < > " | ? *``, device names such as
        ``NUL.txt``, and a dot or a space at the end of a part.
    """
    for part in name.split("/"):
        why = _fault(part) or (_fault_on_windows(part) if windows else None)
        if why:
            raise OutputError(
                f"entry name {name!r} cannot be a file name, since {why}; "
                "decode that entry alone, with --entry, to a file with a name of its own"
            )
    return PurePosixPath(name)


def fault(name: str) -> str | None:
    """Why `name` cannot be a path below a folder, on this machine or one of another kind but Windows; None if it can."""
    return next((why for why in map(_fault, name.split("/")) if why), None)


def is_text(name: str) -> bool:
    """Whether `name` is text that UTF-8 can write. Bytes of a file's name that are none came from the system as lone surrogates."""
    return not any("\ud800" <= one <= "\udfff" for one in name)


def _fault(part: str) -> str | None:
    if not part:
        return "a part of it is empty"
    if part in (".", ".."):
        return f"it has {part!r} in it"
    if not part.isprintable():
        return "it has characters that do not print"
    if "\\" in part:
        return "it has a backslash in it"
    if len(part.encode()) > 255:
        return "a part of it is longer than 255 bytes"
    return None


def _fault_on_windows(part: str) -> str | None:
    if _FORBIDDEN.intersection(part):
        return f"it has {min(_FORBIDDEN.intersection(part))!r} in it"
    if part[-1] in ". ":
        return "a part of it ends in a dot or a space"
    if part.split(".")[0].rstrip(" ").lower() in _DEVICES:
        return f"{part!r} is the name of a device"
    return None
