"""`codecs sample`: what a model holds likely, as pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sample(
    model: Annotated[str, typer.Argument(metavar="MODEL", show_default=False, help="Name or path of a model.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", show_default=False, help="An image, or .npy for a stack of all.")
    ],
    items: Annotated[int, typer.Option(min=1, max=4096, metavar="N", help="How many images.")] = 16,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH",
            show_default=False,
            help="Of an image, where the model takes any size. By default 32x32.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Other seeds give other images.")] = 0,
    between: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", show_default=False, help="Images on the way from image A to image B instead."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it is a file that is there.")] = False,
) -> None:
    """Decode random bits: the images are samples of what the model holds likely. With --between, they lead from one image to another.

    The same model, size and seed give the same images on every machine. An image OUT shows all of them side by side.
    """
    from codecs_core import api, media
    from codecs_core.cli import arguments
    from codecs_core.cli.output import plural, put, shown
    from codecs_core.errors import ConfigError, OutputError

    arguments.check_target(out, [])
    if not force and out.is_file():
        raise OutputError(f"{out} is there already; choose another name, or --force to replace it")
    if size is not None and between is not None:
        raise ConfigError("--size is for samples; with --between images have the size of the two: give one of them")
    height_and_width = arguments.image_size(size or "32x32")
    found = api.load_model(model)
    codec = api.get_codec(found.codec, model=found)
    if between is None:
        images = codec.sample(items, height_and_width, seed=seed)
        if size is not None and images.shape[1:3] != height_and_width:
            its = "x".join(map(str, images.shape[1:]))
            raise ConfigError(
                f"model {shown(found.label)} makes images of {its} alone, not of {size}; leave out --size"
            )
    else:
        images = codec.between(one_image(between[0]), one_image(between[1]), items)
    picture = images if out.suffix == ".npy" else side_by_side(images)
    media.write(out, [("", picture)], {"": {}})
    what = plural(items, "sample") if between is None else f"{plural(items, 'image')} from one to the other"
    put(f"{shown(out)}: {what} of {shown(found.label)}")


def one_image(path: Path) -> "NDArray[Any]":
    """The array of a file that holds one; raises `InputError` for any other."""
    from codecs_core import media
    from codecs_core.errors import InputError

    sources = list(media.read([path]).values())
    if len(sources) != 1:
        raise InputError(f"{path} holds {len(sources)} arrays; --between takes files of one image each")
    return sources[0].load()


def side_by_side(images: "NDArray[Any]") -> "NDArray[Any]":
    """Images of shape (n, h, w, ...) as one, in rows of about as many as there are rows; what is left over is black."""
    import numpy as np

    images = images[..., 0] if images.ndim == 4 and images.shape[-1] == 1 else images
    n, h, w = images.shape[:3]
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    full = np.zeros((rows * columns, *images.shape[1:]), images.dtype)
    full[:n] = images
    grid = full.reshape(rows, columns, h, w, *images.shape[3:]).swapaxes(1, 2)
    return grid.reshape(rows * h, columns * w, *images.shape[3:])
