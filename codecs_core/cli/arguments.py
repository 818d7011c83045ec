"""Arguments that several verbs share, and what they mean."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.errors import ConfigError, InputError, OutputError
from codecs_core.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codecs_core.api.chunks import ChunkChoice

#: Names of the limits.
CAPS = tuple(field.name for field in dataclasses.fields(Limits))
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

if TYPE_CHECKING:
    Place = Path | str
else:
    #: What the help calls the arguments that `place` parses.
    Place = type("path or URL", (), {})


def place(text: str) -> Place:
    """The path of a file; a URL stays as it is, for `Path` would take ``//`` for ``/``."""
    from codecs_core.container.source import is_url

    return text if is_url(text) else Path(text)


def settings(pairs: Sequence[str]) -> dict[str, Any]:
    """``["level=5", "layout=items"]`` as a config: values are JSON where they can be, otherwise text."""
    config: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ConfigError(f"--set takes key=value, not {pair!r}")
        if key in config:
            raise ConfigError(f"--set {key} is given twice")
        try:
            config[key] = json.loads(value)
        except ValueError:
            config[key] = value
    return config


#: Every verb that reads a container takes it.
Caps = Annotated[
    list[str],
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="Another cap on what a file may ask for, such as chunk_bytes=8G; repeatable. " + ", ".join(CAPS) + ".",
    ),
]


def limits(pairs: Sequence[str]) -> Limits:
    """``["chunk_bytes=8G", "entries=100"]`` as limits; K, M, G and T are powers of 1024."""
    found: dict[str, int] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in CAPS:
            raise ConfigError(f"--limit takes one of {', '.join(CAPS)}, as in chunk_bytes=8G, not {pair!r}")
        digits, unit = (value[:-1], value[-1:].upper()) if value[-1:].upper() in _UNITS else (value, "")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise ConfigError(f"--limit {name} takes a whole number such as 1000 or 8G, not {value!r}")
        if name in found:
            raise ConfigError(f"--limit {name} is given twice")
        found[name] = int(digits) * _UNITS[unit]
    return Limits(**found)


def chunk(text: str) -> ChunkChoice:
    """``"100"`` as items along the first axis, ``"16x256x256"`` as lengths of axes, ``"z=16,y=256"`` as lengths by name."""
    try:
        if "=" in text:
            pairs = [pair.rpartition("=") for pair in text.split(",")]
            found = {name.strip(): int(length) for name, _, length in pairs}
            return _lengths(found, list(found.values()) if len(found) == len(pairs) else [])
        lengths = [int(length) for length in text.split("x")]
        return _lengths(lengths[0] if len(lengths) == 1 else tuple(lengths), lengths)
    except ValueError:
        raise ConfigError(
            f"--chunk takes a number of items, lengths such as 16x256x256, or z=16,y=256 for dimensions with names, not {text!r}"
        ) from None


def _lengths(found: ChunkChoice, lengths: list[int]) -> ChunkChoice:
    if not lengths or not all(0 < length < 1 << 63 for length in lengths):
        raise ValueError
    return found


def image_size(text: str) -> tuple[int, int]:
    """``"24x32"`` as the height and the width of an image."""
    numbers = text.split("x")
    if len(numbers) != 2 or not all(n.isascii() and n.isdigit() and int(n[:9]) > 0 and len(n) < 9 for n in numbers):
        raise ConfigError(f"--size takes a height and a width, as in 24x32, not {text!r}")
    return int(numbers[0]), int(numbers[1])


def items(text: str) -> tuple[slice, ...]:
    """``"100:110"`` as a slice of the first axis, ``"100:110,:,0:64"`` as slices of three; ends may be missing or negative."""
    return tuple(map(_slice, text.split(",")))


def _slice(text: str) -> slice:
    parts = text.split(":")
    try:
        if len(parts) != 2:
            raise ValueError
        start, stop = (int(part) if part.strip() else None for part in parts)
    except ValueError:
        raise ConfigError(f"--items takes A:B, or A:B,C:D,... for several axes, not {text!r}") from None
    return slice(start, stop)


def check_items(where: tuple[slice, ...], shape: tuple[int, ...], name: str) -> None:
    """Refuse items that an array does not have, rather than hand out fewer."""
    called = f"entry {name!r}" if name else "the array"
    if len(where) > len(shape):
        needs = "a first axis" if len(where) == 1 else f"{len(where)} axes"
        raise ConfigError(f"--items needs {needs}, and {called} has {len(shape) or 'none'}")
    for axis, (one, n) in enumerate(zip(where, shape, strict=False)):
        ends = [n + end if end < 0 else end for end in (one.start or 0, n if one.stop is None else one.stop)]
        if not 0 <= ends[0] <= ends[1] <= n:
            text = ":".join("" if end is None else str(end) for end in (one.start, one.stop))
            along = f" along axis {axis}" if axis else ""
            raise ConfigError(f"--items {text} is not within the {n} items{along} of {called}")


def number(text: str) -> complex:
    """``"0"``, ``"-1.5"``, ``"nan"`` or ``"1+2j"`` as a number."""
    for kind in (int, float, complex):
        with suppress(ValueError):
            return kind(text)
    raise ConfigError(f"--fill takes a number, not {text!r}")


def seconds(text: str, option: str = "--budget") -> float:
    """``"90"``, ``"90s"``, ``"20m"`` or ``"1.5h"`` in seconds."""
    units = {"s": 1, "m": 60, "h": 3600}
    scale = units.get(text[-1:].lower())
    try:
        value = float(text[:-1] if scale else text) * (scale or 1)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigError(f"{option} takes a time above 0, such as 90s, 20m or 1.5h, not {text!r}")
    return value


def check_file(dst: Place) -> None:
    """Refuse a target that cannot be a file, before the work that would be lost; of a URL nothing is known yet."""
    if isinstance(dst, str):
        return
    if dst.is_dir():
        raise OutputError(f"{dst} is a folder; name the file to write")
    if not os.access(dst.absolute().parent, os.W_OK):
        raise OutputError(f"cannot write {dst}: the folder {dst.absolute().parent} is read-only for you")


def check_target(dst: Place, sources: Sequence[Place]) -> None:
    """Refuse a target that is, or lies in, what is read, or whose folder does not exist; URLs are compared as text."""
    for path in (dst, *sources):
        _check_name(path)
    if isinstance(dst, Path) and not dst.absolute().parent.is_dir():
        raise OutputError(f"there is no folder {dst.absolute().parent} to write {dst.name} to; make it first")
    for source in sources:
        if isinstance(source, Path) and not source.exists():
            raise InputError(f"there is no file {source}")
        if _same(source, dst):
            raise ConfigError(f"{dst} would be read and written; choose another name for the result")
        if (
            isinstance(source, Path)
            and isinstance(dst, Path)
            and source.is_dir()
            and source.resolve() in dst.resolve().parents
        ):
            raise ConfigError(f"{dst} lies in {source}, which is read; write the result elsewhere")


def _check_name(path: Place) -> None:
    """Refuse what cannot be the name of a file on this machine."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except ValueError as error:
        raise ConfigError(f"{str(path)!r} cannot be the name of a file: {error}") from error
    except OSError as error:
        raise ConfigError(f"{str(path)[:80]!r}... cannot be the name of a file: {error.strerror or error}") from error


def _same(source: Place, dst: Place) -> bool:
    if isinstance(source, str) or isinstance(dst, str):
        return source == dst
    return source.resolve() == dst.resolve() or (dst.exists() and source.samefile(dst))
