"""Loads plugins one by one, each on its own, so that a broken one is written down and stops no other."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, TypeVar

import pluggy

from codecs_core.errors import PluginLoadError
from codecs_core.registry.hooks import PROJECT, Hooks
from codecs_core.registry.specs import CodecSpec, ModelSpec, PluginRecord
from codecs_core.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Environment variable: distributions to load, comma separated; empty loads none; unset loads all.
PLUGINS_VARIABLE = "CODECS_PLUGINS"

#: Operators of a requirement in words.
_WORDS = {">=": "{} or newer", "<": "older than {}", "==": "{}", "!=": "other than {}", "~=": "compatible with {}"}

_Spec = TypeVar("_Spec", CodecSpec, ModelSpec)


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One plugin: its record, and what its hooks returned if they did."""

    record: PluginRecord
    codecs: tuple[CodecSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()


def canonical(distribution: str) -> str:
    """The name of a distribution as package indexes compare it: ``Codecs_BBANS`` is ``codecs-bbans``."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def one_line(error: BaseException) -> str:
    """Type and text of an exception, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def discover(points: Iterable[EntryPoint] | None = None) -> list[Plugin]:
    """Load the given entry points, or the installed ones of the group, ordered by distribution and name."""
    found = list(entry_points(group=PROJECT) if points is None else points)
    found.sort(key=lambda point: (canonical(_distribution(point)[0]), point.name))
    setting = os.environ.get(PLUGINS_VARIABLE)
    wanted = None if setting is None else {canonical(name.strip()) for name in setting.split(",") if name.strip()}
    return [_load(point, wanted) for point in found]


def check_core(who: str, requirements: Iterable[str]) -> None:
    """Compare the versions of codecs-core that a distribution asks for with the one that runs.

    Parameters
    ----------
    who
        Name and version of the distribution.
    requirements
        What its metadata says it needs, in the form of PEP 508.

    Raises
    ------
    PluginLoadError
        If it needs another version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requirements:
        try:
            needed = Requirement(text)
        except InvalidRequirement:  # of another package, or pip would not have installed it
            continue
        if canonical(needed.name) != "codecs-core" or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        if not needed.specifier.contains(__version__, prereleases=True):
            parts = sorted(needed.specifier, key=str, reverse=True)
            versions = " and ".join(_WORDS.get(s.operator, s.operator).format(s.version) for s in parts)
            raise PluginLoadError(
                f"{who} needs codecs-core {versions}, this is {__version__}; pip install -U codecs-core {who.split()[0]}"
            )


def call_hooks(plugin: object, record: PluginRecord) -> Plugin:
    """Call the hooks of one plugin.

    Raises
    ------
    PluginLoadError
        If the plugin has no hook of ours, one has the wrong arguments, raises, or returns something else than due.
    """
    # A manager each: pluggy stops at the first implementation that raises, and no plugin shall stop another.
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    try:
        manager.register(plugin, name=record.name)
    except pluggy.PluginValidationError as error:
        raise PluginLoadError(one_line(error)) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        hooks = ", ".join(name for name in vars(Hooks) if name.startswith("codecs_"))
        raise PluginLoadError(f"{one_line(error)}; the hooks are {hooks}") from error
    if not manager.get_hookcallers(plugin):
        raise PluginLoadError(f"{record.value} implements no hook; decorate codecs_register with codecs_core.hookimpl")
    codecs = _checked("codecs_register", manager.hook.codecs_register(), CodecSpec)
    models = _checked("codecs_register_models", manager.hook.codecs_register_models(), ModelSpec)
    ids = tuple(spec.id for spec in codecs)
    if twice := next((i for i in ids if ids.count(i) > 1), None):
        raise PluginLoadError(f"codecs_register returned codec id {twice} twice")
    return Plugin(record=replace(record, codecs=ids), codecs=codecs, models=models)


def _checked(hook: str, results: list[object], kind: type[_Spec]) -> tuple[_Spec, ...]:
    specs: list[_Spec] = []
    for result in results:
        if not isinstance(result, list | tuple):
            raise PluginLoadError(f"{hook} must return a list of {kind.__name__}, got a {type(result).__name__}")
        for spec in result:
            if not isinstance(spec, kind):
                raise PluginLoadError(f"{hook} returned a list with a {type(spec).__name__}, not a {kind.__name__}")
            specs.append(spec)
    return tuple(specs)


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist is not None else ("unknown", "")


def _load(point: EntryPoint, wanted: set[str] | None) -> Plugin:
    distribution, version = _distribution(point)
    record = PluginRecord(
        name=point.name, distribution=distribution, version=version, value=point.value, state="loaded"
    )
    if wanted is not None and canonical(distribution) not in wanted:
        return Plugin(record=replace(record, state="disabled"))
    start = time.perf_counter()
    try:
        if point.dist is not None:
            check_core(f"{distribution} {version}", point.dist.requires or [])
        plugin = call_hooks(point.load(), record)
    except PluginLoadError as error:
        plugin = Plugin(record=replace(record, state="failed", error=" ".join(str(error).split())))
    except (Exception, SystemExit) as error:  # foreign code may raise anything; Ctrl-C stays Ctrl-C
        plugin = Plugin(record=replace(record, state="failed", error=one_line(error)))
    seconds = time.perf_counter() - start
    return replace(plugin, record=replace(plugin.record, seconds=seconds))
