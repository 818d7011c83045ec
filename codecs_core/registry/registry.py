"""Finds codecs and models by name among the installed plugins."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from codecs_core.capabilities import SupportsTraining
from codecs_core.codec import Codec
from codecs_core.errors import (
    CodecConflictError,
    ConfigError,
    MissingDependencyError,
    PluginLoadError,
    UnknownCodecError,
)
from codecs_core.registry.loading import Plugin, call_hooks, discover, one_line
from codecs_core.registry.specs import CodecSpec, ModelSpec, PluginRecord
from codecs_core.registry.unknown import explain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from codecs_core.capabilities import Trainer


class Registry:
    """The codecs and models that plugins provide.

    Nothing is imported before the first question; then every plugin's light module is; the implementation
    of a codec when it is asked for by `codec_class`.

    Parameters
    ----------
    entry_points
        The plugins to load; by default the installed ones of group ``codecs_core``.
    """

    def __init__(self, entry_points: Iterable[EntryPoint] | None = None) -> None:
        self._entry_points = entry_points
        self._discovered: list[Plugin] | None = None
        self._registered: dict[str, Plugin] = {}
        self._classes: dict[str, type[Codec]] = {}
        self._lock = threading.RLock()

    # --- what there is ---------------------------------------------------------------------------

    @property
    def plugins(self) -> list[PluginRecord]:
        """One record a plugin, whether it loaded or not."""
        return [plugin.record for plugin in self._plugins()]

    @property
    def codecs(self) -> dict[str, CodecSpec]:
        """The codecs by id; ids that more than one distribution claims are left out (see `conflicts`)."""
        return {id: claims[0][1] for id, claims in self._claims().items() if len(claims) == 1}

    @property
    def conflicts(self) -> dict[str, tuple[str, ...]]:
        """Ids that are claimed more than once, and by which distributions."""
        return {
            id: tuple(record.distribution for record, _ in claims)
            for id, claims in self._claims().items()
            if len(claims) > 1
        }

    @property
    def models(self) -> list[ModelSpec]:
        """The models that ship with plugins."""
        return list(dict.fromkeys(model for plugin in self._plugins() for model in plugin.models))

    # --- look-up ---------------------------------------------------------------------------------

    def spec(self, id: str, *, package: str | None = None) -> CodecSpec:
        """The spec of a codec.

        Parameters
        ----------
        id
            Id of the codec.
        package
            The distribution that a file says provides it, for the error message.

        Raises
        ------
        UnknownCodecError
            If no plugin provides it.
        CodecConflictError
            If more than one distribution does.
        """
        return self._find(id, package)[1]

    def provider(self, id: str) -> str:
        """Name of the distribution that provides a codec; raises as `spec` does."""
        return self._find(id, None)[0].distribution

    def models_of(self, id: str) -> str:
        """Id of the codec that models of a codec are for: its own, unless it takes those of another (`CodecInfo.models_of`)."""
        spec = self.codecs.get(id)
        return spec.info.models_of or id if spec else id

    def models_for(self, id: str) -> list[ModelSpec]:
        """The models that ship with plugins and that a codec takes."""
        return [model for model in self.models if model.codec == self.models_of(id)]

    def codec_class(self, id: str, *, package: str | None = None) -> type[Codec]:
        """The class of a codec, imported on first use.

        Raises
        ------
        UnknownCodecError, CodecConflictError
            As `spec`.
        PluginLoadError
            If it cannot be imported, or is not what its spec says.
        """
        record, spec = self._find(id, package)
        with self._lock:
            if id not in self._classes:
                self._classes[id] = _implementation(spec, record)
            return self._classes[id]

    def trainer(self, id: str) -> Trainer:
        """The function that trains a model for a codec, imported when it is asked for.

        Raises
        ------
        UnknownCodecError, CodecConflictError
            As `spec`.
        ConfigError
            If there is none: the codec has nothing to train.
        MissingDependencyError
            If it needs a library that is not installed.
        PluginLoadError
            If it cannot be imported.
        """
        spec = self.spec(id)
        if spec.trainer is not None:
            return _trainer(spec, spec.trainer, self._find(id, None)[0])
        cls = self.codec_class(id)
        if not issubclass(cls, SupportsTraining):
            raise ConfigError(f"codec {id} has nothing to train; `codecs list` shows which have")
        return cls.train

    def register(self, plugin: object, name: str | None = None) -> PluginRecord:
        """Add a plugin by hand, for tests and notebooks. The same name again replaces it.

        Parameters
        ----------
        plugin
            A module or an object with hook implementations.
        name
            Stands in for the name of a distribution; by default the name of the module or class.

        Raises
        ------
        PluginLoadError
            If its hooks are not as they should be.
        """
        value: str = getattr(plugin, "__name__", type(plugin).__name__)
        name = name or value
        record = PluginRecord(name=name, distribution=name, version="", value=value, state="loaded")
        try:
            loaded = call_hooks(plugin, record)
        except PluginLoadError:
            raise
        except Exception as error:
            raise PluginLoadError(f"plugin {name} failed to register: {one_line(error)}") from error
        with self._lock:
            self._registered[name] = loaded
            self._classes.clear()
        return loaded.record

    # --- inside ----------------------------------------------------------------------------------

    def _plugins(self) -> list[Plugin]:
        with self._lock:
            if self._discovered is None:
                self._discovered = discover(self._entry_points)
            return [*self._discovered, *self._registered.values()]

    def _claims(self) -> dict[str, list[tuple[PluginRecord, CodecSpec]]]:
        claims: dict[str, list[tuple[PluginRecord, CodecSpec]]] = {}
        for plugin in self._plugins():
            for spec in plugin.codecs:
                others = claims.setdefault(spec.id, [])
                # Two entry points of one distribution that say the same thing do not contradict each other.
                if not any(r.distribution == plugin.record.distribution and s == spec for r, s in others):
                    others.append((plugin.record, spec))
        return claims

    def _find(self, id: str, package: str | None) -> tuple[PluginRecord, CodecSpec]:
        claims = self._claims()
        found = claims.get(id, [])
        if not found:
            raise UnknownCodecError(explain(id, package=package, known=list(claims), plugins=self.plugins))
        if len(found) > 1:
            who = " and ".join(f"{r.distribution} {r.version}".strip() + f" (plugin {r.name})" for r, _ in found)
            raise CodecConflictError(
                f"codec {id} is claimed by {who}; uninstall one, or name the ones to load in CODECS_PLUGINS"
            )
        return found[0]


def _implementation(spec: CodecSpec, record: PluginRecord) -> type[Codec]:
    where = f"{spec.implementation} of {record.distribution} {record.version}".strip()
    module, _, name = spec.implementation.partition(":")
    try:
        cls: Any = getattr(import_module(module), name)
    except Exception as error:
        raise PluginLoadError(
            f"codec {spec.id} cannot be imported from {where}: {one_line(error)}; "
            f"`codecs plugins --check` tries every plugin"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Codec)):
        raise PluginLoadError(f"codec {spec.id} is no class derived from codecs_core.Codec in {where}")
    for field in ("id", "format_version", "info"):
        stated, found = getattr(spec, field), getattr(cls, field, None)
        if found != stated:
            raise PluginLoadError(
                f"codec {spec.id} has {field} {found!r} in {where}, where its CodecSpec says {stated!r}; both must say the same"
            )
    return cls


def _trainer(spec: CodecSpec, trainer: str, record: PluginRecord) -> Trainer:
    module, _, name = trainer.partition(":")
    try:
        function: Trainer = getattr(import_module(module), name)
    except (MissingDependencyError, ModuleNotFoundError) as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing == module.partition(".")[0]:
            raise PluginLoadError(f"the trainer of {spec.id} cannot be imported from {trainer}: {error}") from error
        raise MissingDependencyError(
            f"training of {spec.id} needs {missing}, which is not installed: pip install '{record.distribution}[train]'"
        ) from error
    except Exception as error:
        raise PluginLoadError(
            f"the trainer of {spec.id} cannot be imported from {trainer}: {one_line(error)}"
        ) from error
    return function


_DEFAULT = Registry()


def default() -> Registry:
    """The registry of this process; plugins are discovered when it is first asked something."""
    return _DEFAULT
