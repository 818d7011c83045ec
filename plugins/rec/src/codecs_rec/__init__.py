"""Relative entropy coding: a library of samplers, and codecs for small images."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, hookimpl

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
