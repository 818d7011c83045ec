"""Images and sound as small Bayesian networks (COIN, COMBINER, RECOMBINER): a library of the parts, and codecs."""

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

SOUND = CodecInfo(
    summary="sound as the weights of small networks of time, by relative entropy coding; a fixed rate, lossy",
    dtypes=("int16",),
    ndim=(1, 2),
    kind="lossy",
    trainable=True,
    needs_model=True,
    auto=False,
    resumable=True,
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
        CodecSpec(
            id="inr.sound",
            implementation="codecs_inr.sound.codec:SoundCodec",
            format_version=1,
            info=SOUND,
            trainer="codecs_inr.sound.train:train",
        ),
        CodecSpec(id="inr.coin", implementation="codecs_inr.coin:CoinCodec", format_version=1, info=COIN),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it; ``scripts/train.py`` and ``scripts/train_voices.py`` make them."""
    return [
        ModelSpec(
            name="cifar10-1",
            codec="inr.image",
            resource="codecs_inr:models/cifar10-1.safetensors",
            sha256="21db4b6a5378f5cace9fe21913953e089f8d781c4790c6c096499aaa346a6b17",
            summary="colour images in patches of 32 x 32, 0.94 bits per pixel",
            nbytes=441583,
        ),
        ModelSpec(
            name="cifar10-2",
            codec="inr.image",
            resource="codecs_inr:models/cifar10-2.safetensors",
            sha256="56d36ae8f8f2df4eb8963056b6fc1d1ea6b070cc8727c86edf3ee00110ec98a3",
            summary="colour images in patches of 32 x 32, 1.88 bits per pixel",
            nbytes=441583,
        ),
        ModelSpec(
            name="combiner-1",
            codec="inr.image",
            resource="codecs_inr:models/combiner-1.safetensors",
            sha256="646f5b1347d3492a4abcee6c4fca230ec4fa588f593b9f686341e33550ad9c34",
            summary="colour images in patches of 32 x 32, 0.94 bits per pixel, without a basis: to compare with",
            nbytes=11942,
        ),
        ModelSpec(
            name="recombiner-1",
            codec="inr.image",
            resource="codecs_inr:models/recombiner-1.safetensors",
            sha256="55330e102187ec62513c2728f0a618584b9729a468b48c8928af9da2e8f1ed71",
            summary="colour images in patches of 32 x 32, 0.94 bits per pixel, with positional latents: nearest to the image",
            nbytes=864199,
        ),
        ModelSpec(
            name="recombiner-2",
            codec="inr.image",
            resource="codecs_inr:models/recombiner-2.safetensors",
            sha256="9b4c7e02f57be7a27c1636612846d74cd9a1dbaf47d19285f91ce964ad01567f",
            summary="the same, 1.88 bits per pixel",
            nbytes=1259719,
        ),
        ModelSpec(
            name="photo-20",
            codec="inr.image",
            resource="codecs_inr:models/photo-20.safetensors",
            sha256="6f9ead3447e849b3aa95d43008f5635e6636134b5d0b9fa88fbd815997972b60",
            summary="photographs, whose patches of 32 x 32 share what they have in common: some 0.18 bits per pixel",
            nbytes=183355,
        ),
        ModelSpec(
            name="photo-20-alone",
            codec="inr.image",
            resource="codecs_inr:models/photo-20-alone.safetensors",
            sha256="9d32e088e836ac31a14a745fc302f6a3dbbb54116ad960f111fc9e41ca28afb5",
            summary="photographs in patches of 32 x 32 that share nothing, 0.19 bits per pixel: to compare with",
            nbytes=173655,
        ),
        ModelSpec(
            name="voice-5",
            codec="inr.sound",
            resource="codecs_inr:models/voice-5.safetensors",
            sha256="a7ea80e02da87bce6b4b25caa67386878224476de6f9d9041fb8be80f36fcc79",
            summary="speech of 8,000 samples a second, 0.61 bits per sample: 4.9 kbit/s",
            nbytes=6162,
        ),
        ModelSpec(
            name="voice-10",
            codec="inr.sound",
            resource="codecs_inr:models/voice-10.safetensors",
            sha256="38df20a829e050dc42f3ec732d40799c657287ec4abe96e188f7c303cf602822",
            summary="speech of 8,000 samples a second, 1.21 bits per sample: 9.7 kbit/s",
            nbytes=6162,
        ),
        ModelSpec(
            name="voice-20",
            codec="inr.sound",
            resource="codecs_inr:models/voice-20.safetensors",
            sha256="4366192a6afa8d4934d25df151d7b1974ccc7ab7945efcd24fbf4344a66492c3",
            summary="speech of 8,000 samples a second, 2.41 bits per sample: 19.3 kbit/s",
            nbytes=6162,
        ),
    ]
