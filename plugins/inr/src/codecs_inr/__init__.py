"""Images as small Bayesian networks (COIN, COMBINER, RECOMBINER): a library of the parts, and codecs."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="COMBINER: an image as the weights of a small network, by relative entropy coding; a fixed rate, lossy",
    dtypes=("uint8",),
    ndim=(2, 3, 4),
    kind="lossy",
    trainable=True,
    needs_model=True,
    auto=False,
    ragged=True,
    resumable=True,
    speed=0.002,
)

COIN = CodecInfo(
    summary="COIN: an image as the rounded weights of a small network, without a model; lossy",
    dtypes=("uint8",),
    ndim=(2, 3, 4),
    kind="lossy",
    auto=False,
    speed=0.002,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return [
        CodecSpec(
            id="inr.image",
            implementation="codecs_inr.codec:InrCodec",
            format_version=1,
            info=INFO,
            trainer="codecs_inr.train:train",
        ),
        CodecSpec(id="inr.coin", implementation="codecs_inr.coin:CoinCodec", format_version=1, info=COIN),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train.py`` makes them."""
    return []
