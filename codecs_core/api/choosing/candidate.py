"""Which codecs may be chosen for an array, once with each model where they need one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codecs_core.models import installed
from codecs_core.models.given import at_hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Codec
    from codecs_core.models import Model
    from codecs_core.models.resolve import InstalledModel
    from codecs_core.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A codec that might be chosen; `build` imports it and loads its model. `speed` is in megabytes a second, as the codec states it."""

    id: str
    model: str | None
    build: Callable[[], Codec]
    speed: float = 1.0


def candidates(spec: ArraySpec, registry: Registry, *, files: bool = False) -> Iterator[Candidate]:
    """Every codec that `auto` may choose for arrays of this spec, once a model where it needs one.

    For the bytes of files that are kept whole these are fewer: a learned codec of numbers is slow on them, and no better.
    """
    for id, stated in registry.codecs.items():
        info = stated.info
        # Who lets a program choose asked neither for losses nor for a file that only this machine reads.
        if (
            (info.files if files else info.auto)
            and info.kind == "lossless"
            and info.exactness == "portable"
            and info.accepts(spec)
        ):
            yield from with_models(id, {}, registry, spec) if info.needs_model else [_plain(id, registry)]


def with_models(
    id: str, config: Mapping[str, Any], registry: Registry, spec: ArraySpec | None = None
) -> Iterator[Candidate]:
    """A codec with each of the models that ship for it, and of those that the user put at hand.

    Given a spec, those models that ship are left out that are not for such arrays.
    """
    for model in registry.models_for(id):
        if spec is None or model.fits(spec.shape):

            def build(model: InstalledModel = model) -> Codec:
                return registry.codec_class(id).from_config(config, model=installed(model))

            yield Candidate(id=id, model=model.name, build=build, speed=registry.spec(id).info.speed)
    for own in at_hand():
        if own.codec == registry.models_of(id):

            def build_own(own: Model = own) -> Codec:
                return registry.codec_class(id).from_config(config, model=own)

            name = own.name or own.sha256[:16]
            yield Candidate(id=id, model=name, build=build_own, speed=registry.spec(id).info.speed)


def _plain(id: str, registry: Registry) -> Candidate:
    return Candidate(
        id=id,
        model=None,
        build=lambda: registry.codec_class(id).from_config({}),
        speed=registry.spec(id).info.speed,
    )
