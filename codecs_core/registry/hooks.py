"""The hooks a plugin may implement. An argument added later does not break the implementations of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from codecs_core.registry.specs import CodecSpec, ModelSpec

#: The name that markers, managers and the entry-point group share.
PROJECT = "codecs_core"

hookspec = pluggy.HookspecMarker(PROJECT)

#: Marks a function of a plugin module as the implementation of the hook of the same name.
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The hook specifications."""

    @staticmethod
    @hookspec
    def codecs_register() -> list[CodecSpec]:  # type: ignore[empty-body]
        """The codecs a plugin provides; must import nothing heavy."""

    @staticmethod
    @hookspec
    def codecs_register_models() -> list[ModelSpec]:  # type: ignore[empty-body]
        """The models that ship with a plugin; must import nothing heavy."""
