"""A plugin package to start from, made of the template files beside this module."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Self

from codecs_core.errors import ConfigError, OutputError
from codecs_core.models import Model
from codecs_core.version import __version__

#: File of the package, in which names are filled in as well -> file of ours.
SHARED = {
    "pyproject.toml": "pyproject.toml.tmpl",
    "LICENSE": "LICENSE.tmpl",
    ".gitignore": "gitignore.tmpl",
    ".github/workflows/test.yml": "test.yml.tmpl",
    "src/$package/py.typed": "py.typed.tmpl",
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of plugin.

    Parameters
    ----------
    files
        Files beside the shared ones, in the same way.
    description
        Of the package.
    extras
        Lines of its optional dependencies.
    model
        Name of the model that ships with it, if one does: a file of ours, for which a codec of any id will do.
    """

    files: Mapping[str, str]
    description: str
    extras: str
    model: str = ""


PLAIN = Kind(
    files={
        "README.md": "plain/README.md.tmpl",
        "src/$package/__init__.py": "plain/init.py.tmpl",
        "src/$package/codec.py": "plain/codec.py.tmpl",
        "src/$package/residuals.py": "plain/residuals.py.tmpl",
        "tests/test_codec.py": "plain/test_codec.py.tmpl",
        "tests/test_conformance.py": "plain/test_conformance.py.tmpl",
        "tests/test_residuals.py": "plain/test_residuals.py.tmpl",
    },
    description="A codec for codecs-core: differences of neighbours",
    extras='test = ["codecs-core[testing]", "mypy", "ruff"]',
)
LEARNED = Kind(
    files={
        "README.md": "learned/README.md.tmpl",
        "scripts/train_walk.py": "learned/train_walk.py.tmpl",
        "src/$package/__init__.py": "learned/init.py.tmpl",
        "src/$package/codec.py": "learned/codec.py.tmpl",
        "src/$package/freeze.py": "learned/freeze.py.tmpl",
        "src/$package/model.py": "learned/model.py.tmpl",
        "src/$package/network.py": "learned/network.py.tmpl",
        "src/$package/train.py": "learned/train.py.tmpl",
        "tests/test_codec.py": "learned/test_codec.py.tmpl",
        "tests/test_conformance.py": "learned/test_conformance.py.tmpl",
        "tests/test_train.py": "learned/test_train.py.tmpl",
    },
    description="A codec for codecs-core: a network that predicts series",
    extras="""\
# encoding and decoding need no torch
train = ["codecs-core[torch]"]
test = ["codecs-core[testing,torch]", "mypy", "ruff"]""",
    model="walk",
)

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


def write(names: Names, folder: Path, kind: Kind = PLAIN) -> list[Path]:
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
    contents = _contents(names, kind)
    try:
        for path, content in contents.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return list(contents)


def _contents(names: Names, kind: Kind) -> dict[Path, bytes]:
    """What the files of the package hold."""
    values = asdict(names) | {"year": str(datetime.now(UTC).year), "core": core_versions()}
    values |= {"description": kind.description, "extras": kind.extras}
    contents = {}
    if kind.model:
        model = _model(kind.model, names.id)
        values |= {"sha256": model.sha256, "nbytes": str(len(model.data))}
        contents[Path(f"src/{names.package}/models/{kind.model}.safetensors")] = model.data
    templates = resources.files(__package__).joinpath("files")
    for path, template in {**SHARED, **kind.files}.items():
        text = templates.joinpath(template).read_text("utf-8")
        contents[Path(Template(path).substitute(values))] = Template(text).substitute(values).encode()
    return dict(sorted(contents.items()))


def _model(name: str, codec: str) -> Model:
    """A model of ours as one for a codec that has yet to be written."""
    ours = Model.from_bytes(resources.files(__package__).joinpath(f"files/learned/{name}.safetensors").read_bytes())
    return Model.create(codec=codec, config=ours.config, tensors=ours.tensors(), attrs=ours.attrs, name=name)


def core_versions() -> str:
    """The versions of codecs-core that a plugin made today works with: this minor one, from the first on, while it is 0.x."""
    major, minor = __version__.split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}" if major == "0" else f">={major}.{minor},<{int(major) + 1}"


def _importable(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return True
