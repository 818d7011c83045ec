"""From arrays to the chunks of a file that is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codecs_core.api.embedding import embeds, packed
from codecs_core.api.items import exactly
from codecs_core.container import Entry, Writer, digest
from codecs_core.errors import CodecsError
from codecs_core.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codecs_core.arrays import ArraySpec
    from codecs_core.codec import Codec
    from codecs_core.limits import Limits
    from codecs_core.models import Model


def begin(file: Any, entries: list[Entry], codecs: Sequence[Codec], embed_model: bool | int, limits: Limits) -> Writer:
    """A writer that has written the header, and the models that are to be embedded."""
    needed: dict[str, Model] = {codec.model.sha256: codec.model for codec in codecs if codec.model is not None}
    writer = Writer(
        file, entries, models={sha256: model.name for sha256, model in needed.items()}, attrs={}, limits=limits
    )
    for sha256, model in needed.items():
        if embeds(model, embed_model):
            writer.write_model(sha256, model.data, packed(model))
    return writer


def encode(codec: Codec, part: Any, spec: ArraySpec, *, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, bytes]:
    """Payload and digest of one chunk; raises `InputError` if `part` is not of `spec`."""
    array = exactly(part, spec)
    try:
        payload = codec.encode(array)
        # The digest is of what a reader gets, which for a lossy codec is not what went in.
        decoded = codec.decode(payload, spec, limits=limits) if codec.info.kind == "lossy" else array
    except CodecsError:
        raise
    except Exception as error:
        error.add_note(f"while codec {codec.id} encoded {spec.dtype} of shape {spec.shape}")
        raise
    return bytes(payload), digest(decoded)
