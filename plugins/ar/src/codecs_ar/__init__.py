"""Local autoregression for images: predictors that adapt to the image, and a small network that knows how far they are off."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="Local autoregression: images of any size, smaller than any classical codec makes them",
    dtypes=("uint8", "uint16"),
    ndim=(2, 3, 4),
    trainable=True,
    ragged=True,
    resumable=True,
    needs_model=True,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codec of this plugin."""
    return [CodecSpec(id="ar.image", implementation="codecs_ar.codec:ImageCodec", info=INFO)]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train_models.py`` makes them."""
    return []
