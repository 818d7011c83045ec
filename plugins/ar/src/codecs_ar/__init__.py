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
            sha256="bcb60ab304a2a9a511eceae0818837fca8e26c4b013b74370d61ae82dc8059ac",
            summary="photographs in colour, also with alpha, of any size",
            nbytes=91739,
        ),
        ModelSpec(
            name="cifar10",
            codec="ar.image",
            resource="codecs_ar:models/cifar10.safetensors",
            sha256="5ad8eea939ba1495cfc66009183e9997b0c55b0175fa692b136df2c4829a174f",
            summary="colour images of 32 x 32",
            nbytes=99939,
        ),
        ModelSpec(
            name="gray",
            codec="ar.image",
            resource="codecs_ar:models/gray.safetensors",
            sha256="284d4443cce69223703d9723b9e9de9197c2d65c3093e12934cf0cbc0693dde6",
            summary="grey images of 8 to 16 bits, of any size",
            nbytes=32985,
        ),
    ]
