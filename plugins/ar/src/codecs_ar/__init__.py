"""Local autoregression for images: predictors that adapt to the image, and a small network that knows how far they are off."""

from __future__ import annotations

from codecs_core import CodecInfo, CodecSpec, ModelSpec, hookimpl

INFO = CodecInfo(
    summary="Local autoregression: images of any size, smaller than any classical codec makes them",
    speed=0.5,
    dtypes=("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    ndim=(2, 3, 4),
    trainable=True,
    ragged=True,
    resumable=True,
    trains_up_to=1 << 32,
    needs_model=True,
)

ARRAY_INFO = CodecInfo(
    summary="Numerical arrays of any type and any number of dimensions, by predictions that adapt to the data",
    speed=0.5,
    trainable=True,
    ragged=True,
)

STACK_INFO = CodecInfo(
    summary="Stacks of small images of one size, smaller than any other codec makes them, with a model of such images",
    speed=0.5,
    dtypes=("uint8", "bool"),
    ndim=(3, 4),
    trainable=True,
    resumable=True,
    trains_up_to=128 * 128 * 4,
    sizes_models=True,
    needs_model=True,
)

BOUNDED_INFO = CodecInfo(
    summary="Floats and integers with a guaranteed bound of the error, absolute or relative, checked value by value",
    speed=0.5,
    dtypes=(
        *("float16", "float32", "float64"),
        *("int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64"),
    ),
    kind="lossy",
    auto=False,
)


#: Images with and without alpha, and stacks of them; grey ones.
COLOUR = tuple((*items, None, None, channels) for items in ((), (None,)) for channels in (3, 4))
SMALL = tuple((*items, 32, 32, channels) for items in ((), (None,)) for channels in (3, 4))
DIGITS = ((None, 28, 28), (None, 28, 28, 1))
#: What has fewer columns is channels side by side, or coordinates, and no picture.
WIDE = range(8, 1 << 48)
GREY = ((None, WIDE), (None, None, WIDE), (None, None, WIDE, 1))

#: A model that was replaced is tried for no image.
NEVER = ((),)


@hookimpl
def codecs_register() -> list[CodecSpec]:
    """The codecs of this plugin."""
    return [
        CodecSpec(
            id="ar.image",
            implementation="codecs_ar.codec:ImageCodec",
            format_version=5,
            info=INFO,
            trainer="codecs_ar.train:train",
        ),
        CodecSpec(
            id="ar.array",
            implementation="codecs_ar.array.codec:ArrayCodec",
            format_version=4,
            info=ARRAY_INFO,
            trainer="codecs_ar.array.train:train",
        ),
        CodecSpec(
            id="ar.stack",
            implementation="codecs_ar.stack.codec:StackCodec",
            info=STACK_INFO,
            trainer="codecs_ar.stack.train:train",
        ),
        CodecSpec(
            id="ar.bounded",
            implementation="codecs_ar.array.bounded:BoundedCodec",
            format_version=3,
            info=BOUNDED_INFO,
        ),
    ]


@hookimpl
def codecs_register_models() -> list[ModelSpec]:
    """The models shipped with it, which ``scripts/train_*.py`` make."""
    return [
        ModelSpec(
            name="photo",
            codec="ar.image",
            resource="codecs_ar:models/photo.safetensors",
            sha256="1e981af67e5fc8eec7fc27204c11ce2253efe45ec5cc9b32dfca653552216507",
            summary="photographs in colour, also with alpha, of any size",
            nbytes=100260,
            shapes=COLOUR,
        ),
        ModelSpec(
            name="photo-smallest",
            codec="ar.image",
            resource="codecs_ar:models/photo-smallest.safetensors",
            sha256="30285dd1e477434dedea59efe8b5716b155900625816cb527aaad8c62c1f0c0d",
            summary="photo with a second opinion, for effort=smallest",
            nbytes=500572,
            shapes=NEVER,
        ),
        ModelSpec(
            name="cifar10",
            codec="ar.image",
            resource="codecs_ar:models/cifar10.safetensors",
            sha256="9d36b498cbdf23534a62032f8382a6cc7f9ab76c2f9bf738bbcafc269e419217",
            summary="colour images of 32 x 32",
            nbytes=186948,
            shapes=SMALL,
        ),
        ModelSpec(
            name="gray",
            codec="ar.image",
            resource="codecs_ar:models/gray.safetensors",
            sha256="b85e493ebd3e1b01ca73eaed2f15384483daa72bac3d661074d2041fc94e3d61",
            summary="grey images of 8 to 16 bits, of any size",
            nbytes=30356,
            shapes=GREY,
        ),
        ModelSpec(
            name="photo-1",
            codec="ar.image",
            resource="codecs_ar:models/photo-1.safetensors",
            sha256="5e9e0951cb62adf32ff4faee798a64be094dad0e2552dca8d01b792258bcbd71",
            summary="what was photo up to version 0.1: for files that name it",
            nbytes=100148,
            shapes=NEVER,
        ),
        ModelSpec(
            name="general",
            codec="ar.array",
            resource="codecs_ar:models/general.safetensors",
            sha256="b523be67893f74c11e1445431a4c6f112e503a2ec2af228130c7459ade85edc4",
            summary="a profile of fields, volumes, images and series: small chunks begin with it",
            nbytes=66006,
        ),
        ModelSpec(
            name="mnist",
            codec="ar.stack",
            resource="codecs_ar:models/mnist.safetensors",
            sha256="42d1591666fbcf687276b08f68515beff2b9fd50f6066ab4cedc2388e4a97899",
            summary="stacks of grey digits of 28 x 28",
            nbytes=32538,
            shapes=DIGITS,
        ),
        ModelSpec(
            name="mnist-binary",
            codec="ar.stack",
            resource="codecs_ar:models/mnist-binary.safetensors",
            sha256="3718288354ab452cbe341484e6e4574b0c6e1befcbfa8665ce260f4238c1116b",
            summary="stacks of binarised digits of 28 x 28",
            nbytes=129102,
            shapes=DIGITS,
        ),
        ModelSpec(
            name="cifar10",
            codec="ar.stack",
            resource="codecs_ar:models/cifar10-stack.safetensors",
            sha256="7e76d89966333ba2d1da439f89ccca236e13d6af948f8f1430c6d6f24b304d6d",
            summary="stacks of colour images of 32 x 32",
            nbytes=177541,
            shapes=((None, 32, 32, 3),),
        ),
    ]
