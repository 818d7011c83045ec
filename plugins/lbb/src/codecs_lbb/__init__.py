"""Local bits-back coding: lossless compression with normalising flows (Ho, Lohn, Abbeel 2019)."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, hookimpl

INFO = CodecInfo(
    summary="LBB: local bits-back coding with a normalising flow, for stacks of images",
    dtypes=("uint8",),
    ndim=(3, 4),
    trainable=True,
    resumable=True,
    needs_model=True,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codec of this plugin."""
    return [CodecSpec(id="lbb.flow", implementation="codecs_lbb.codec:FlowCodec", info=INFO)]
