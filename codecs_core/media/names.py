"""Entry names as file names. A name comes from a file, so it is hostile until shown otherwise."""

from __future__ import annotations

from pathlib import PurePosixPath

from codecs_core.errors import OutputError

_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"]
)
_FORBIDDEN = frozenset('\\:<>"|?*')


def safe_path(name: str) -> PurePosixPath:
    """`name` as a relative path that stays below a folder on every system.

    Raises
    ------
    OutputError
        For a name that is absolute, leads upwards, or is no file name on some system: empty parts, ``.`` and ``..``,
        control characters, backslashes, ``: < > " | ? *``, device names such as ``NUL.txt``, a dot or a space
        at the end of a part, parts longer than 255 bytes.
    """
    for part in name.split("/"):
        why = _fault(part)
        if why:
            raise OutputError(
                f"entry name {name!r} cannot be a file name, since {why}; decode that entry alone with --entry"
            )
    return PurePosixPath(name)


def _fault(part: str) -> str | None:
    if not part:
        return "a part of it is empty"
    if part in (".", ".."):
        return f"it has {part!r} in it"
    if not part.isprintable():
        return "it has characters that do not print"
    if _FORBIDDEN.intersection(part):
        return f"it has {min(_FORBIDDEN.intersection(part))!r} in it"
    if part[-1] in ". ":
        return "a part of it ends in a dot or a space"
    if part.split(".")[0].rstrip(" ").lower() in _DEVICES:
        return f"{part!r} is the name of a device"
    if len(part.encode()) > 255:
        return "a part of it is longer than 255 bytes"
    return None
