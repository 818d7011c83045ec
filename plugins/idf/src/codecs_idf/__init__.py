"""Integer discrete flows: lossless compression of single images (Hoogeboom et al. 2019)."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="IDF: an integer discrete flow for images of any size, each decodable by itself",
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
    return [CodecSpec(id="idf.image", implementation="codecs_idf.codec:ImageCodec", info=INFO)]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it."""
    return []
