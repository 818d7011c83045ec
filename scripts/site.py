"""The documentation as a site: ``python scripts/site.py [build|serve]``.

The pages are plain Markdown that reads well in the repository, with links to files beside them. They are copied to
``build/pages`` under the same names; links to what is no page lead to the repository. The navigation is that of
``docs/index.md``; the reference of the Python API is made from docstrings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGES, CONFIG = ROOT / "build/pages", ROOT / "build/mkdocs.yml"
REPOSITORY = "https://github.com/codecs-core/codecs-core/blob/main"
#: What becomes a page or stands beside one.
SOURCES = (
    "*.md",
    "docs/**/*.md",
    "docs/**/*.ipynb",
    "docs/assets/*",
    "spec/*.md",
    "spec/codecs/*.md",
    "plugins/*/README.md",
    "samples/README.md",
)
#: Public modules: one page of the reference each.
MODULES = {
    "codecs_core": "codecs_core",
    "codecs_core.entropy": "codecs_core.entropy",
    "codecs_core.exact": "codecs_core.exact",
    "codecs_core.jit": "codecs_core.jit",
    "codecs_core.learn": "codecs_core.learn",
    "codecs_core.errors": "codecs_core.errors",
    "codecs_core.testing": "codecs_core.testing",
    "codecs_core.adapters": "adapters",
}
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#:\s]+)((?:#[^)]*)?\))")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def sources() -> list[Path]:
    """Files of the site, relative to the repository, in the order of their names."""
    found = {path.relative_to(ROOT) for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(found)


def stage() -> None:
    """Lay the pages out, with links to other files turned to the repository."""
    shutil.rmtree(PAGES, ignore_errors=True)
    known = set(sources())
    for path in sorted(known):
        target = PAGES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(
                LINK.sub(lambda link, path=path: linked(link, path, known), (ROOT / path).read_text("utf-8")), "utf-8"
            )
        else:
            shutil.copy(ROOT / path, target)
    for module, title in MODULES.items():
        page = PAGES / reference_page(module)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"# {title}\n\n" + "\n\n".join(f"::: {name}" for name in documented(module)) + "\n", "utf-8")


def linked(link: re.Match[str], page: Path, known: set[Path]) -> str:
    """A link as it is, or to the repository if its target is no page."""
    target = Path(ROOT / page.parent, link[2]).resolve().relative_to(ROOT)
    return link[0] if target in known else f"{link[1]}{REPOSITORY}/{target.as_posix()}{link[3]}"


def reference_page(module: str) -> Path:
    """The page of a public module."""
    return Path("docs/reference/python", f"{module.partition('.')[2] or 'package'}.md")


def documented(module: str) -> list[str]:
    """The public names of a module by where they are defined; a module whose names are its classes is taken whole."""
    from importlib import import_module

    if module == "codecs_core.adapters":
        return [
            f"codecs_core.adapters.{name}"
            for name in ("zarr", "numcodecs", "hdf5", "torch")
            if (ROOT / f"codecs_core/adapters/{name}.py").exists()
        ]
    loaded = import_module(module)
    names = [name for name in getattr(loaded, "__all__", ()) if name not in ("hookimpl", "Progress", "CodecsError")]
    if not names:
        return [module]
    objects = [getattr(loaded, name) for name in names]
    found = [f"{value.__module__}.{value.__qualname__}" for value in objects if hasattr(value, "__qualname__")]
    return [name for name in found if "<locals>" not in name]  # kernels that are made by a function have no docstring


# --- navigation -----------------------------------------------------------------------------------


def title(page: Path) -> str:
    """The first heading of a page."""
    found = TITLE.search((PAGES / page).read_text("utf-8"))
    return found[1].replace("`", "") if found else page.stem


def navigation() -> list[Any]:
    """Sections of ``docs/index.md``: paragraphs that start in bold, and the table of codecs."""
    index = (ROOT / "docs/index.md").read_text("utf-8")
    headed = ((re.match(r"\*\*(.+?)\.\*\*", paragraph), paragraph) for paragraph in index.split("\n\n"))
    sections: list[Any] = [{"Home": "README.md"}]
    sections += [{heading[1]: pages_of(paragraph)} for heading, paragraph in headed if heading]
    codecs = [
        {"Which codec": "docs/index.md"},
        *(Path("docs/codecs", p.name).as_posix() for p in sorted((ROOT / "docs/codecs").glob("*.md"))),
    ]
    sections.insert(2, {"Codecs": codecs})
    placed = set(re.findall(r"[\w./-]+\.(?:md|ipynb)", yaml.safe_dump(sections)))
    python = [{name: reference_page(module).as_posix()} for module, name in MODULES.items()]
    sections.append({"Python": python})
    rest = [path.as_posix() for path in sources() if path.suffix == ".md" and path.as_posix() not in placed]
    project = [page for page in rest if "/" not in page and page != "README.md"]
    more: dict[str, list[str]] = {
        "Bitstreams": [page for page in rest if page.startswith("spec/")],
        "Plugins": [page for page in rest if page.startswith("plugins/")],
        "Design": [page for page in rest if page.startswith("docs/design/")],
        "Project": [*project, *(page for page in rest if page.startswith("samples/"))],
    }
    sections.append({"More": [{name: pages} for name, pages in more.items() if pages]})
    return sections


def pages_of(paragraph: str) -> list[str]:
    """The pages that a paragraph of the index links to."""
    targets = [Path("docs", link[2]) for link in LINK.finditer(paragraph)]
    return [Path(*resolved(target)).as_posix() for target in targets]


def resolved(path: Path) -> tuple[str, ...]:
    """The parts of a path without ``..``."""
    return (ROOT / path).resolve().relative_to(ROOT).parts


def main() -> int:
    """Lay out, configure, and build or serve."""
    stage()
    config = {"INHERIT": "../mkdocs.yml", "docs_dir": "pages", "site_dir": "site", "nav": navigation()}
    CONFIG.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")
    serve = sys.argv[1:] == ["serve"]
    command = ["serve"] if serve else ["build", "--strict", "--clean"]
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *command, "--config-file", str(CONFIG)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
