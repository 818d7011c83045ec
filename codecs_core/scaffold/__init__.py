"""A plugin package to start from, made of the template files beside this module."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Self

from codecs_core.errors import ConfigError, OutputError
from codecs_core.version import __version__

#: File of the package, in which names are filled in as well -> file of ours.
FILES = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "README.md": "README.md.tmpl",
    "LICENSE": "LICENSE.tmpl",
    ".gitignore": "gitignore.tmpl",
    ".github/workflows/test.yml": "test.yml.tmpl",
    "src/$package/__init__.py": "init.py.tmpl",
    "src/$package/codec.py": "codec.py.tmpl",
    "src/$package/residuals.py": "residuals.py.tmpl",
    "src/$package/py.typed": "py.typed.tmpl",
    "tests/test_codec.py": "test_codec.py.tmpl",
    "tests/test_conformance.py": "test_conformance.py.tmpl",
    "tests/test_residuals.py": "test_residuals.py.tmpl",
}

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)+")
#: A longer name would not fit into the lines of the templates.
LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the parts of a plugin are called.

    Parameters
    ----------
    distribution
        As pip knows it: ``acme-delta``.
    package
        As Python imports it: ``acme_delta``.
    id
        Of the codec: ``acme.delta``.
    entry
        Of the entry point: ``delta``.
    cls
        Name of the class: ``DeltaCodec``.
    """

    distribution: str
    package: str
    id: str
    entry: str
    cls: str

    @classmethod
    def of(cls, name: str) -> Self:
        """All names from one; raises `ConfigError` if it is none, or is taken."""
        if not _NAME.fullmatch(name) or len(name) > LONGEST:
            raise ConfigError(
                f"{name!r} is no name for a plugin; expected VENDOR-NAME of up to {LONGEST} lower-case letters and digits, "
                f"such as acme-delta"
            )
        package, (vendor, _, rest) = name.replace("-", "_"), name.partition("-")
        if package in sys.stdlib_module_names or keyword.iskeyword(package) or _importable(package):
            raise ConfigError(f"there is a module {package} already; choose another name than {name}")
        title = "".join(part.capitalize() for part in rest.split("-"))
        return cls(distribution=name, package=package, id=f"{vendor}.{rest}", entry=rest, cls=f"{title}Codec")


def write(names: Names, folder: Path) -> list[Path]:
    """Write the package into a folder that does not exist yet, whole or not at all.

    Returns
    -------
    list of Path
        The files, relative to the folder.

    Raises
    ------
    ConfigError
        If there is something of that name.
    OutputError
        If the folder cannot be written.
    """
    if folder.exists():
        raise ConfigError(f"{folder} exists; choose another name, or move it away")
    values = asdict(names) | {"year": str(datetime.now(UTC).year), "core": core_versions()}
    templates = resources.files(__package__).joinpath("files")
    try:
        for path, template in FILES.items():
            file = folder / Template(path).substitute(values)
            file.parent.mkdir(parents=True, exist_ok=True)
            text = templates.joinpath(template).read_text("utf-8")
            file.write_text(Template(text).substitute(values), "utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return [Path(Template(path).substitute(values)) for path in FILES]


def core_versions() -> str:
    """The versions of codecs-core that a plugin made today works with: this minor one, from the first on, while it is 0.x."""
    major, minor = __version__.split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}" if major == "0" else f">={major}.{minor},<{int(major) + 1}"


def _importable(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return True
