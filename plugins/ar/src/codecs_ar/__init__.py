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
    return [
        ModelSpec(
            name="photo",
            codec="ar.image",
            resource="codecs_ar:models/photo.safetensors",
            sha256="9d52d442717743cad65ec4ece32936bc0c51d556a76a2c4fca6c15d4ec493104",
            summary="photographs in colour, also with alpha, of any size",
            nbytes=100148,
        ),
        ModelSpec(
            name="cifar10",
            codec="ar.image",
            resource="codecs_ar:models/cifar10.safetensors",
            sha256="4338e33d804f34c965671a3221799b7d22670a9461952629568b7b1c8ce2193e",
            summary="colour images of 32 x 32",
            nbytes=186948,
        ),
        ModelSpec(
            name="gray",
            codec="ar.image",
            resource="codecs_ar:models/gray.safetensors",
            sha256="8f2b7103285328bf2ef7fad8257bc2b4c08e63e997d87dffd7b93fe18096ae0b",
            summary="grey images of 8 to 16 bits, of any size",
            nbytes=30356,
        ),
    ]
