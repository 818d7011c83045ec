"""Local bits-back coding: lossless compression with normalising flows (Ho, Lohn, Abbeel 2019)."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="LBB: local bits-back coding with a normalising flow, for stacks of images",
    speed=0.5,
    dtypes=("uint8",),
    ndim=(3, 4),
    trainable=True,
    resumable=True,
    needs_model=True,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codec of this plugin."""
    return [
        CodecSpec(
            id="lbb.flow",
            implementation="codecs_lbb.codec:FlowCodec",
            format_version=2,
            info=INFO,
            trainer="codecs_lbb.train:train",
        )
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train_mnist.py`` and ``scripts/train_cifar10.py`` make them."""
    return [
        ModelSpec(
            name="cifar10",
            codec="lbb.flow",
            resource="codecs_lbb:models/cifar10.safetensors",
            sha256="c0121a9b80d80f28246a7219e3a11d183e6eb228e38f1416b6d1f3ec00ecf94e",
            summary="colour images of 32 x 32: a flow of the type of Flow++",
            nbytes=1147352,
            shapes=((None, 32, 32, 3),),
        ),
        ModelSpec(
            name="mnist",
            codec="lbb.flow",
            resource="codecs_lbb:models/mnist.safetensors",
            sha256="7e1202221d60bceadf1335ff590f09625948368ef49a7a1208e4b1a79391fcc9",
            summary="grey digits of 28 x 28: a flow of the type of RealNVP",
            nbytes=510536,
            shapes=((None, 28, 28), (None, 28, 28, 1)),
        ),
    ]
