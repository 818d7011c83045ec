"""The sentence for a codec id that nothing provides: what to install, what was meant, what failed."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from codecs_core.registry.loading import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from codecs_core.registry.specs import PluginRecord

#: First-party packages by the vendor part of the ids they provide.
KNOWN_PACKAGES = {vendor: f"codecs-{vendor}" for vendor in ("ar", "bbans", "classic", "idf", "inr", "lbb", "rec")}

# A package name may come from a file that nobody vouches for, and ends up in a line that people paste.
_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")


def explain(id: str, *, package: str | None, known: Collection[str], plugins: Sequence[PluginRecord]) -> str:
    """Why there is no codec `id`, and what to do.

    Parameters
    ----------
    id
        What was asked for.
    package
        The distribution that a file says provides it, if any.
    known
        The ids there are.
    plugins
        The result of loading each plugin.
    """
    near = get_close_matches(id, known, n=3, cutoff=0.6)
    meant = f" (did you mean {' or '.join(near)}?)" if near else ""
    parts = [f"no installed plugin provides codec {id!r}{meant}"]
    ours = KNOWN_PACKAGES.get(id.split(".", 1)[0])
    if ours is not None or package is None or not _PACKAGE.fullmatch(package):
        package = ours  # which the file need not tell us
    if package is not None:
        parts.append(_remedy(package, plugins))
    elif not near:
        parts.append("`codecs list` shows the codecs there are")
    told = canonical(package) if package is not None else ""
    failed = [p for p in plugins if p.state == "failed" and canonical(p.distribution) != told]
    if failed:
        which = ", ".join(f"{p.distribution} {p.version}".strip() + f" ({p.error})" for p in failed)
        parts.append(f"failed to load: {which}")
    return "; ".join(parts)


def _remedy(package: str, plugins: Sequence[PluginRecord]) -> str:
    states = {p.state: p for p in plugins if canonical(p.distribution) == canonical(package)}
    if "loaded" in states:
        version = f"{package} {states['loaded'].version}".strip()
        return f"{version} is installed and has none of that id: pip install -U {package}"
    ours = package in KNOWN_PACKAGES.values()
    said = f"{package} provides it" if ours else f"the file claims that the package {package} provides it"
    if "disabled" in states:
        return f"{said}, but CODECS_PLUGINS leaves it out"
    if "failed" in states:
        return f"{said}, but it failed to load: {states['failed'].error}"
    if ours:
        return f"{said}: pip install {package}"
    return f"{said}, which nobody has checked; if you trust both: pip install {package}"
