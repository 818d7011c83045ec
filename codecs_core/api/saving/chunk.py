"""From arrays to the chunks of a file that is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from codecs_core.api.choosing.embedding import embeds, packed
from codecs_core.api.items import exactly
from codecs_core.container import Entry, Writer, digest
from codecs_core.errors import CodecsError, UnsupportedArrayError
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
    names = {sha256: model.name for sha256, model in needed.items()}
    writer = Writer(file, entries, models=names, limits=limits, fold=True)
    for sha256, model in needed.items():
        if embeds(model, embed_model):
            writer.write_model(sha256, model.data, packed(model))
    return writer


class Encoded(NamedTuple):
    """A chunk as it goes into a file: its payload, and the digest of what that decodes to."""

    payload: bytes
    digest: bytes


class Refused(NamedTuple):
    """Why a codec does not take an array, or a chunk of it; another may."""

    error: UnsupportedArrayError


def encode_chunk(codec: Codec, part: Any, spec: ArraySpec, *, limits: Limits = DEFAULT_LIMITS) -> Encoded | Refused:
    """`encode`, for a caller that has another codec for what this one refuses."""
    try:
        return encode(codec, part, spec, limits=limits)
    except UnsupportedArrayError as error:
        return Refused(error)


def encode(codec: Codec, part: Any, spec: ArraySpec, *, limits: Limits = DEFAULT_LIMITS) -> Encoded:
    """One chunk.

    Raises
    ------
    InputError
        If `part` is not of `spec`.
    UnsupportedArrayError
        If the codec does not take it.
    """
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
    return Encoded(bytes(payload), digest(decoded))
