"""Relative entropy coding: a library of samplers, and codecs for small images."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

LOSSY = CodecInfo(
    summary="Relative entropy coding: a variational autoencoder for small images, lossy, one image at a time",
    dtypes=("uint8", "bool"),
    kind="lossy",
    trainable=True,
    needs_model=True,
    auto=False,
)
LOSSLESS = CodecInfo(
    summary="Relative entropy coding: a variational autoencoder for single small images, without seed bits",
    dtypes=("uint8", "bool"),
    trainable=True,
    needs_model=True,
    auto=False,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return [
        CodecSpec(id="rec.vae", implementation="codecs_rec.codec:LossyCodec", info=LOSSY),
        CodecSpec(id="rec.vae-lossless", implementation="codecs_rec.codec:LosslessCodec", info=LOSSLESS),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train.py`` makes them."""
    return [
        ModelSpec(
            name="mnist-binary",
            codec="rec.vae-lossless",
            resource="codecs_rec:models/mnist-binary.safetensors",
            sha256="a8bfcb2c920791b52caa76aca561ee0a7f4b04ec14881589d5a1be7a3eaa128b",
            summary="single handwritten digits in black and white, 28 x 28",
            nbytes=1966056,
        ),
        ModelSpec(
            name="mnist",
            codec="rec.vae-lossless",
            resource="codecs_rec:models/mnist.safetensors",
            sha256="e1fbd048efacf132fe0c5939003e6d297bb32fcd67a05a5f639b75cd8a2b71d6",
            summary="single handwritten digits in grey, 28 x 28",
            nbytes=3208580,
        ),
        ModelSpec(
            name="colour",
            codec="rec.vae",
            resource="codecs_rec:models/colour.safetensors",
            sha256="a1fb68aa0525ffb8bad135394eb5e99ebef8960a57ad7b02fa1315640dc8f0f4",
            summary="colour images of 32 x 32, lossy",
            nbytes=4077176,
        ),
    ]
