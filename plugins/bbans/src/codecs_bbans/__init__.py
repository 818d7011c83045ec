"""BB-ANS: lossless compression of images with variational autoencoders (Townsend, Bird, Barber 2019)."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="BB-ANS: a variational autoencoder for stacks of small images of one shape",
    speed=5,
    dtypes=("uint8", "bool"),
    trainable=True,
    needs_model=True,
)
HIERARCHICAL = CodecInfo(
    summary="a hierarchical autoencoder for images of any size, each decodable by itself",
    speed=0.3,
    dtypes=("uint8",),
    ndim=(2, 3, 4),
    trainable=True,
    ragged=True,
    resumable=True,
    needs_model=True,
)
LOSSY = CodecInfo(
    summary="a hierarchical autoencoder, its coarsest latents alone: previews of images of any size, lossy",
    speed=1,
    dtypes=("uint8",),
    ndim=(2, 3, 4),
    kind="lossy",
    needs_model=True,
    models_of="bbans.hvae",
    auto=False,
)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return [
        CodecSpec(
            id="bbans.vae",
            implementation="codecs_bbans.codec:VAECodec",
            format_version=3,
            info=INFO,
            trainer="codecs_bbans.train:train",
        ),
        CodecSpec(
            id="bbans.hvae",
            implementation="codecs_bbans.hvae.codec:HierarchicalCodec",
            format_version=3,
            info=HIERARCHICAL,
            trainer="codecs_bbans.hvae.train:train",
        ),
        CodecSpec(
            id="bbans.hvae-lossy",
            implementation="codecs_bbans.hvae.lossy:LossyHierarchicalCodec",
            info=LOSSY,
        ),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train_mnist.py`` and ``scripts/train_hvae.py`` make them."""
    return [
        ModelSpec(
            name="mnist",
            codec="bbans.vae",
            resource="codecs_bbans:models/mnist.safetensors",
            sha256="808c7b0b2d07876fcbf07c050172841bc2ed619f624835b801256b4c4df206ea",
            summary="handwritten digits in grey, 28 x 28",
            nbytes=4368348,
            shapes=((None, 28, 28),),
        ),
        ModelSpec(
            name="mnist-binary",
            codec="bbans.vae",
            resource="codecs_bbans:models/mnist-binary.safetensors",
            sha256="2dbb8a2862899f346530ae1e4e6cfaf31eb5eb9f0dce59ed8069ed3d59263917",
            summary="handwritten digits in black and white, 28 x 28",
            nbytes=1441208,
            shapes=((None, 28, 28),),
        ),
        ModelSpec(
            name="photo",
            codec="bbans.hvae",
            resource="codecs_bbans:models/photo.safetensors",
            sha256="cf82d4721836f6b1809409820790c338192ee4388a5b996a1421451b77f3729b",
            summary="photographs in colour, of any size",
            nbytes=2130341,
            shapes=((None, None, 3), (None, None, None, 3)),
        ),
        ModelSpec(
            name="cifar10",
            codec="bbans.hvae",
            resource="codecs_bbans:models/cifar10.safetensors",
            sha256="4abeb682b2b648742bd1ae3f1b5cb1ea9feb3efcfb5b4c7480d5197e84f270db",
            summary="small colour photographs, 32 x 32",
            nbytes=2130293,
            shapes=((None, 32, 32, 3), (32, 32, 3)),
        ),
    ]
