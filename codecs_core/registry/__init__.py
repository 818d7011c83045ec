"""Finds the plugins that are installed and the codecs and models they provide."""

from codecs_core.registry.hooks import hookimpl, hookspec
from codecs_core.registry.registry import Registry, default
from codecs_core.registry.specs import CodecSpec, ModelSpec, PluginRecord

__all__ = ["CodecSpec", "ModelSpec", "PluginRecord", "Registry", "default", "hookimpl", "hookspec"]
