"""The folder of models that a user trained or downloaded: ``<name>-<first 16 hex of the SHA-256>.safetensors``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from codecs_core.errors import ModelError, OutputError
from codecs_core.models.files import replace_file

if TYPE_CHECKING:
    from codecs_core.models.model import Model

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE = re.compile(r"(?P<name>.+)-(?P<hash>[0-9a-f]{16})\.safetensors")


def store_dir() -> Path:
    """``$CODECS_MODELS``, or ``codecs/models`` in the platform's folder for the data of applications."""
    if chosen := os.environ.get("CODECS_MODELS"):
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "codecs" / "models"


def stored() -> list[tuple[str, str, Path]]:
    """Name, first 16 hex digits of the hash, and path of each model in the store, sorted."""
    folder = store_dir()
    if not folder.is_dir():
        return []
    matches = ((_FILE.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((match["name"], match["hash"], path) for match, path in matches if match)


def add(model: Model, name: str | None = None) -> Path:
    """Put a model into the store and return the path of its file.

    Raises
    ------
    ModelError
        If it has no name that can be part of a file name.
    OutputError
        If it cannot be written.
    """
    name = name or model.name
    if not _NAME.fullmatch(name):
        raise ModelError(f"a model in the store needs a name of letters, digits, '.', '_' and '-', not {name!r}")
    folder = store_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the model store {folder} cannot be made: {error.strerror or error}") from error
    path = folder / f"{name}-{model.sha256[:16]}.safetensors"
    replace_file(path, model.data)
    return path
