"""`codecs decode`: a container file back to arrays or images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from codecs_core.api import File
    from codecs_core.codec import Progress


def decode(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    dst: Annotated[
        Path,
        typer.Argument(metavar="DST", show_default=False, help="A .npy, .npz or image to write, or a new folder."),
    ],
    entry: Annotated[str | None, typer.Option(metavar="NAME", help="Decode this entry alone.")] = None,
    items: Annotated[
        str | None, typer.Option(metavar="A:B", help="Only items A to B along the first axis (of each entry).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="A model that is neither in the file nor installed.")
    ] = None,
    preview: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="LEVELS", help="Not the data, but previews of it from the deepest levels of its codec only."
        ),
    ] = None,
    fill: Annotated[
        str | None, typer.Option(metavar="VALUE", help="What to put where chunks are missing from a recovered file.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default one a CPU.")] = None,
    limit: Caps = [],  # noqa: B006
) -> None:
    """Decode a file to .npy, .npz, an image or a folder.

    A folder gets images where images went in, and .npy files otherwise.
    """
    from functools import partial

    from codecs_core import api, media
    from codecs_core.api.parallel import job_count, ordered
    from codecs_core.cli import arguments
    from codecs_core.cli.output import plural, put, shown, size
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError

    arguments.check_target(dst, [file])
    where = arguments.items(items) if items is not None else None
    value = arguments.number(fill) if fill is not None else None
    with api.open(file, jobs=jobs, models=model, fill=value, limits=arguments.limits(limit)) as held:
        if entry is not None and entry not in held:
            known = ", ".join(repr(name) if name else "one without a name" for name in list(held)[:10])
            raise ConfigError(
                f"{file} has no entry {entry!r}; it has {known or 'none'}{', ...' if len(held) > 10 else ''}"
            )
        names = list(held) if entry is None else [entry]
        if where is not None:
            for name in names:
                arguments.check_items(where, held[name].shape, name)
        media.check_target(dst, names)
        sizes: list[int] = []

        def arrays(bar: "Progress | None") -> "Iterator[tuple[str, NDArray[Any]]]":
            """Each when its turn comes: not all of them need fit into memory."""
            plain = where is None and entry is None and preview is None
            for name, array in held.arrays(progress=bar) if plain else _some(held, names, where, preview, bar):
                sizes.append(array.nbytes)
                yield name, array

        with progress("decoding") as bar:
            attrs = {name: held[name].attrs for name in names}
            media.write(dst, arrays(bar), attrs, each=partial(ordered, jobs=job_count(jobs)))
        missing = sum(held[name].missing for name in names)
    if preview is None:
        how = "every chunk as it was encoded"
        if missing and fill is not None:
            how = f"{plural(missing, 'missing chunk')} filled with {shown(fill)}, which is not data; the others as encoded"
        put(f"{shown(dst)}: {plural(len(sizes), 'array')}, {size(sum(sizes))}, {how}")
    else:
        levels = plural(preview, "level")
        put(f"{shown(dst)}: {plural(len(sizes), 'preview')} of {levels}, {size(sum(sizes))}; this is not the data")


def _some(
    held: "File", names: list[str], where: slice | None, preview: int | None, bar: "Progress | None"
) -> "Iterator[tuple[str, NDArray[Any]]]":
    """Some of the entries, or a part of each, or previews."""
    for done, name in enumerate(names):
        if bar is not None:
            bar(done / len(names), name)
        view, key = held[name], ... if where is None else where
        yield name, view[key] if preview is None else view.preview(preview, key)
