"""Relative entropy coding: a library of samplers, and codecs for small images."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

LOSSY = CodecInfo(
    summary="Relative entropy coding: transform coding of small images and of photographs, a linear encoder and a learned decoder, lossy",
    dtypes=("uint8", "bool"),
    ndim=(3, 4),
    kind="lossy",
    ragged=True,
    trainable=True,
    resumable=True,
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
LATENTS = CodecInfo(
    summary="Relative entropy coding: the latents of a variational autoencoder alone, a few bytes a small image, lossy",
    dtypes=("uint8", "bool"),
    kind="lossy",
    needs_model=True,
    models_of="rec.vae-lossless",
    auto=False,
)
WEIGHTS = CodecInfo(
    summary="Relative entropy coding: weights of networks as samples of what training left open, lossy",
    dtypes=("float32",),
    kind="lossy",
    trainable=True,
    resumable=True,
    labelled=True,
    auto=False,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return [
        CodecSpec(
            id="rec.vae",
            implementation="codecs_rec.lossy.codec:LossyCodec",
            format_version=3,
            info=LOSSY,
            trainer="codecs_rec.lossy.train:train",
        ),
        CodecSpec(
            id="rec.vae-lossless",
            implementation="codecs_rec.codec:LosslessCodec",
            format_version=2,
            info=LOSSLESS,
            trainer="codecs_rec.train:train",
        ),
        CodecSpec(
            id="rec.vae-latents",
            implementation="codecs_rec.ladder:LatentsCodec",
            info=LATENTS,
        ),
        CodecSpec(
            id="rec.weights",
            implementation="codecs_rec.weights.codec:WeightsCodec",
            format_version=1,
            info=WEIGHTS,
            trainer="codecs_rec.weights.train:train",
        ),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train.py`` makes them."""
    return [
        ModelSpec(
            name="mnist-binary",
            codec="rec.vae-lossless",
            resource="codecs_rec:models/mnist-binary.safetensors",
            sha256="0a3218341d15879647d3eafc026fb6fbab1088f0545a94e7a6b79ae1331da7f7",
            summary="single handwritten digits in black and white, 28 x 28",
            nbytes=1965872,
        ),
        ModelSpec(
            name="mnist",
            codec="rec.vae-lossless",
            resource="codecs_rec:models/mnist.safetensors",
            sha256="e8e4e3a7b648f8b74f9fda407d2ba2a6016d0ee59002115c93fab5dc5cf93097",
            summary="single handwritten digits in grey, 28 x 28",
            nbytes=3208384,
        ),
        ModelSpec(
            name="colour",
            codec="rec.vae",
            resource="codecs_rec:models/colour.safetensors",
            sha256="3581baf19ba574a615bb58beb92314fdcd694c23a8d671060d46f1381d79d442",
            summary="colour images of 32 x 32, lossy, 0.16 to 1.55 bits per pixel",
            nbytes=204166,
        ),
        ModelSpec(
            name="colour-detail",
            codec="rec.vae",
            resource="codecs_rec:models/colour-detail.safetensors",
            sha256="f44a33bd14c1592be038d74b4fdd072f6fc7516fb22adfc4a39a61c07d1e13fd",
            summary="as colour, and draws detail that files do not tell",
            nbytes=308314,
        ),
        ModelSpec(
            name="photo",
            codec="rec.vae",
            resource="codecs_rec:models/photo.safetensors",
            sha256="f58b2344d286a3e3a3964e99a72993033ea4c9682ef22c4c542c1f1ecaf53904",
            summary="colour photographs of any size, lossy, 16 qualities, about 0.15 to 3 bits per pixel",
            nbytes=3214488,
        ),
        ModelSpec(
            name="photo-blocks",
            codec="rec.vae",
            resource="codecs_rec:models/photo-blocks.safetensors",
            sha256="2ba56fdee441a007abc49b6a9f95c7c65c0be0ff6976a6c7362d13643b721f7e",
            summary="the first model of photographs, for files that were made with it",
            nbytes=2978184,
        ),
    ]
