"""Other processors, emulated: QEMU, what a program needs of Debian, and packages for them, in a folder of their own.

Nothing is installed on this machine, and nothing takes root: packages are downloaded by apt and pip and unpacked, and QEMU runs a single
program, for which the unpacked folder stands before ``/``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: All that is downloaded and made, kept from one run to the next.
CACHE = ROOT / ".portability"
#: The version of Python that the root for aarch64 has; kernels for numba there are made by the same.
PYTHON = (3, 11)
#: The release of Debian that has it.
SUITE = "bookworm"
#: The project's own sources, in the order in which they are looked for.
SOURCES = (ROOT, *sorted(ROOT.glob("plugins/*/src")))


class Unavailable(Exception):
    """Something without which a row cannot be had; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """An emulated machine.

    Parameters
    ----------
    qemu
        The emulator.
    root
        Unpacked packages of Debian.
    python
        The interpreter in it.
    path
        Folders that Python looks for packages in.
    variables
        Of the environment, all there are.
    """

    qemu: Path
    root: Path
    python: str
    path: Sequence[Path]
    variables: dict[str, str] = field(default_factory=dict)

    def start(self, arguments: Sequence[str | Path], output: Path) -> subprocess.Popen[bytes]:
        """Run Python; what it says goes to `output`, and what it complains about beside it."""
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(map(str, self.path)),
            "PYTHONPYCACHEPREFIX": str(CACHE / "bytecode" / self.root.name),
            "CODECS_MODELS": str(CACHE / "no-models"),
            **self.variables,
        }
        command = [self.qemu, "-L", self.root, self.root / "usr/bin" / self.python, *arguments]
        with output.open("wb") as out, output.with_suffix(".errors").open("wb") as errors:
            return subprocess.Popen(list(map(str, command)), env=variables, stdout=out, stderr=errors)


def qemu(architecture: str) -> Path:
    """The emulator of an architecture, as QEMU calls it.

    Raises
    ------
    Unavailable
        If it cannot be had.
    """
    name = f"qemu-{architecture}-static"
    if found := shutil.which(name):
        return Path(found)
    here = run("dpkg", "--print-architecture").strip()
    return debian("emulator", here, ["qemu-user-static"], suite=SUITE, alone=True) / "usr/bin" / name


def debian(name: str, architecture: str, packages: Sequence[str], *, suite: str = SUITE, alone: bool = False) -> Path:
    """A folder with packages of Debian and, unless `alone`, all that they need, unpacked.

    Raises
    ------
    Unavailable
        If apt is missing, or has no such packages.
    """
    folder, wanted = CACHE / name, f"{suite} {architecture} {' '.join(packages)}"
    done = folder.with_suffix(".done")
    if done.exists() and done.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    archives = CACHE / "debian" / name / "cache/archives"
    apt = [*_apt(archives.parents[1], suite, architecture)]
    run("apt-get", *apt, "-qq", "update")
    if alone:
        run("apt-get", *apt, "-qq", "download", *packages, cwd=archives)
    else:
        run("apt-get", *apt, "-qq", "-y", "--no-install-recommends", "--download-only", "install", *packages)
    for link in ("bin", "lib", "lib64", "sbin"):  # since this release, folders in /usr
        (folder / "usr" / link).mkdir(parents=True, exist_ok=True)
        (folder / link).symlink_to(Path("usr") / link)
    for package in sorted(archives.glob("*.deb")):
        contents = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", folder], input=contents, check=True)
    done.write_text(wanted)
    return folder


def _apt(folder: Path, suite: str, architecture: str) -> list[str]:
    """Options by which apt leaves this machine alone: lists, packages and what is installed (nothing) are those of `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("state/lists/partial", "cache/archives/partial", "parts"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb {_mirror()} {suite} main\n")
    options = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "parts",
        "Dir::Etc::preferencesparts": folder / "parts",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """Where this machine gets its packages of Debian from."""
    if not shutil.which("apt-get"):
        raise Unavailable("apt-get is not on this machine")
    sites = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages").split()
    found = [site for site in sites if site.rstrip("/").endswith("/debian")]
    if not found:
        raise Unavailable("apt knows no archive of Debian")
    return found[0]


def wheels(architecture: str, requirements: Sequence[str]) -> Path:
    """A folder with packages of the index for Linux on an architecture, and all that they need, unpacked.

    Raises
    ------
    Unavailable
        If pip cannot get them.
    """
    folder = CACHE / f"packages-{architecture}"
    done, constraints = folder.with_suffix(".done"), ROOT / "constraints.txt"
    wanted = "\n".join([*requirements, constraints.read_text()])
    if done.exists() and done.read_text() == wanted:
        return folder
    downloads = CACHE / f"wheels-{architecture}"
    for old in (folder, downloads):
        shutil.rmtree(old, ignore_errors=True)
    version = ".".join(map(str, PYTHON))
    platforms = [f"manylinux_2_{minor}_{architecture}" for minor in (17, 24, 26, 27, 28, 31, 34)]
    options = [
        option for platform in (f"manylinux2014_{architecture}", *platforms) for option in ("--platform", platform)
    ]
    only = ["--only-binary=:all:", "--python-version", version, "--implementation", "cp", "-c", str(constraints)]
    run(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(downloads), *only, *options, *requirements)
    for wheel in sorted(downloads.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    done.write_text(wanted)
    return folder


def pure(folder: Path) -> Path:
    """Those packages of a folder that are Python alone, and `google_crc32c`, which is where it was not compiled."""
    to = CACHE / "packages-pure"
    shutil.rmtree(to, ignore_errors=True)
    wheels = [*CACHE.glob(f"{folder.name.replace('packages', 'wheels')}/*.whl")]
    for wheel in wheels:
        if wheel.stem.endswith("-none-any") or wheel.stem.startswith("google_crc32c"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(to, [name for name in archive.namelist() if not name.endswith(".so")])
    return to


def project() -> Path:
    """A folder that says what the project's packages are, and which plugins there are: what an installation says, without files."""
    to = CACHE / "project"
    shutil.rmtree(to, ignore_errors=True)
    for found in distributions():
        folder = to / f"{found.name.replace('-', '_')}-{found.version}.dist-info"
        folder.mkdir(parents=True)
        for name in ("METADATA", "entry_points.txt"):
            if text := found.read_text(name):
                (folder / name).write_text(text)
    return to


def requirements() -> list[str]:
    """What the project's packages need, with the extras that they ask of each other, but for torch, which is for training; and pytest."""
    projects = {
        found["name"]: found for found in (tomllib.loads(path.read_text("utf-8"))["project"] for path in _projects())
    }
    lines = [line for found in projects.values() for line in found["dependencies"]]
    needed = set()
    for line in lines:
        name, extras = re.match(r"([\w.-]+)(?:\[(.*?)\])?", line).groups()  # type: ignore[union-attr]
        if name not in projects:
            needed.add(line)
        for extra in (extras or "").split(","):
            needed |= {*projects[name]["optional-dependencies"][extra]} if extra not in ("", "torch") else set()
    return [*sorted(needed), "pytest"]


def distributions() -> list[metadata.Distribution]:
    """The project's packages, as they are installed here."""
    return [metadata.distribution(tomllib.loads(path.read_text("utf-8"))["project"]["name"]) for path in _projects()]


def _projects() -> list[Path]:
    return [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command says.

    Raises
    ------
    Unavailable
        If it cannot be run, or fails.
    """
    try:
        done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        last = (done.stderr.strip() or "nothing on stderr").splitlines()[-1]
        raise Unavailable(f"{Path(str(command[0])).name} ended with status {done.returncode}: {last}")
    return done.stdout
