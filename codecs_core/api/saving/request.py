"""What the caller of `save` asks for: a codec for each entry, in one of the ways to name one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codecs_core.codec import Codec
from codecs_core.errors import ConfigError

if TYPE_CHECKING:
    from codecs_core.api.codecs import CodecChoice

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the caller asked for one entry: a codec instance, or an id (``"auto"``) with a config."""

    id: str
    config: Mapping[str, Any]
    codec: Codec | None = None

    @property
    def key(self) -> str:
        """Equal for requests that one codec instance serves."""
        return json.dumps([self.id, self.config, id(self.codec)], sort_keys=True, default=repr)


def requests(
    codec: CodecChoice | Mapping[str, CodecChoice], config: Mapping[str, Any] | None, names: Sequence[str]
) -> dict[str, Request]:
    """What is asked for each entry.

    Raises
    ------
    ConfigError
        If that is not plain.
    """
    each: dict[str, Any] = dict.fromkeys(names, codec)
    if isinstance(codec, Mapping) and not (isinstance(codec.get("id"), str) and set(codec) != set(names)):
        if unnamed := [name for name in names if name not in codec]:
            raise ConfigError(f"codec names none for entry {unnamed[0]!r}; expected a codec for each entry, or one id")
        if strange := [name for name in codec if name not in names]:
            raise ConfigError(f"codec names {strange[0]!r}, which is no entry and no 'id' stands beside it")
        each = dict(codec)
    shared: dict[int, Request] = {}  # thousands of entries mostly ask for the same thing
    return {name: shared.setdefault(id(each[name]), _request(each[name], config)) for name in names}


def _request(codec: Any, config: Mapping[str, Any] | None) -> Request:
    if isinstance(codec, Codec):
        if config:
            raise ConfigError(f"codec {codec.id} is given as an instance, which has its config; drop config=...")
        return Request(id=codec.id, config={}, codec=codec)
    if isinstance(codec, Mapping):
        if not isinstance(codec.get("id"), str):
            raise ConfigError(f"codec {dict(codec)!r} has no 'id'; expected {{'id': ..., setting: value, ...}}")
        settings = {**{key: value for key, value in codec.items() if key != "id"}, **(config or {})}
        return Request(id=codec["id"], config=settings)
    if not isinstance(codec, str):
        raise ConfigError(f"codec is a {type(codec).__name__}; expected an id, 'auto', a Codec or {{'id': ...}}")
    if codec == AUTO and config:
        raise ConfigError(
            "there are settings (config=..., --set), but no codec is named; name the one they are for (codec=..., --codec)"
        )
    return Request(id=codec, config=dict(config or {}))
