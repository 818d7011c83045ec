"""Integer discrete flows: lossless compression of single images (Hoogeboom et al. 2019)."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="IDF: an integer discrete flow for images of any size, each decodable by itself",
    speed=0.3,
    dtypes=("uint8",),
    ndim=(2, 3, 4),
    trainable=True,
    ragged=True,
    resumable=True,
    needs_model=True,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codec of this plugin."""
    return [
        CodecSpec(
            id="idf.image",
            implementation="codecs_idf.codec:ImageCodec",
            format_version=2,
            info=INFO,
            trainer="codecs_idf.train:train",
        )
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train_models.py`` makes them."""
    return [
        ModelSpec(
            name="photo",
            codec="idf.image",
            resource="codecs_idf:models/photo.safetensors",
            sha256="c91abf0b2fa67b827e7ca24d14fbae13599e67e5ade3e0727a21f5719b80dd43",
            summary="photographs in colour, of any size",
            nbytes=1349633,
            shapes=((None, None, 3), (None, None, None, 3)),
        ),
        ModelSpec(
            name="cifar10",
            codec="idf.image",
            resource="codecs_idf:models/cifar10.safetensors",
            sha256="45ae40f6237b7ca936845b9c490e9b522a939a5dd9fdc9359e681d7a02973aa1",
            summary="colour images of 32 x 32",
            nbytes=1120156,
            shapes=((32, 32, 3), (None, 32, 32, 3)),
        ),
    ]
