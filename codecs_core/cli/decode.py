"""`codecs decode`: a container file back to the files that went in, or to arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from codecs_core.api import EntryView, File
    from codecs_core.codec import Progress


def decode(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    dst: Annotated[
        Path,
        typer.Argument(metavar="DST", show_default=False, help="A file to write, or a new folder."),
    ],
    entry: Annotated[str | None, typer.Option(metavar="NAME", help="Decode this entry alone.")] = None,
    items: Annotated[
        str | None,
        typer.Option(
            metavar="A:B[,C:D...]",
            help="Only items A to B along the first axis of each entry, C to D along the second, ...",
        ),
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
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="S",
            help="Not the data, but what it is at another resolution: S times the items along each axis, such as 2, 0.5 or 2/3.",
        ),
    ] = None,
    fill: Annotated[
        str | None, typer.Option(metavar="VALUE", help="What to put where chunks are missing from a recovered file.")
    ] = None,
    npy: Annotated[
        bool, typer.Option("--npy", help="Arrays as .npy files, whatever kind of file they came from.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace DST if it is a file that is there.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default one a CPU.")] = None,
    limit: Caps = [],  # noqa: B006
) -> None:
    """Decode a file to a folder, or to a .npy, a .npz, an image or whatever kind of file went in.

    A folder gets the files that went in, under their names; arrays that came from none become .npy files. With --scale, for codecs
    that hold a function of the place such as inr.image: codecs decode photos.ccf small --scale 1/4
    """
    from functools import partial

    from codecs_core import api, media
    from codecs_core.api.parallel import job_count, ordered
    from codecs_core.cli import arguments
    from codecs_core.cli.output import plural, put, shown, size
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError, OutputError
    from codecs_core.scale import ratio

    arguments.check_target(dst, [file])
    if not force and dst.is_file():
        raise OutputError(f"{dst} is there already; choose another name, or --force to replace it")
    if preview is not None and scale is not None:
        raise ConfigError("--preview and --scale are two things instead of the data: give one of them, not both")
    factor = ratio(scale) if scale is not None else None
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
        part = where is not None or preview is not None or factor is not None
        attrs = {name: _told(held[name].attrs, part=part, alone=entry is not None, npy=npy) for name in names}
        media.check_target(dst, names, attrs)
        sizes: list[int] = []

        def taken(view: "EntryView") -> Any:
            """What is asked for of an entry."""
            key: Any = ... if where is None else where
            if factor is not None:
                return view.scaled(factor, key)
            return view[key] if preview is None else view.preview(preview, key)

        def arrays(bar: "Progress | None") -> "Iterator[tuple[str, NDArray[Any]]]":
            """Each when its turn comes: not all of them need fit into memory."""
            plain = entry is None and not part
            every = held.arrays(progress=bar, stored=True) if plain else _some(held, names, taken, bar)
            for name, array in every:
                sizes.append(array.nbytes)
                yield name, array

        with progress("decoding") as bar:
            media.write(dst, arrays(bar), attrs, each=partial(ordered, jobs=job_count(jobs)))
        missing = sum(held[name].missing for name in names)
    written = size(sum(sizes))
    if factor is not None:
        put(f"{shown(dst)}: {plural(len(sizes), 'array')} at scale {factor}, {written}; this is not the data")
    elif preview is not None:
        levels = plural(preview, "level")
        put(f"{shown(dst)}: {plural(len(sizes), 'preview')} of {levels}, {written}; this is not the data")
    else:
        how = "every chunk as it was encoded"
        if missing and fill is not None:
            how = f"{plural(missing, 'missing chunk')} filled with {shown(fill)}, which is not data; the others as encoded"
        put(f"{shown(dst)}: {plural(len(sizes), 'array')}, {written}, {how}")


def _told(attrs: dict[str, Any], *, part: bool, alone: bool, npy: bool) -> dict[str, Any]:
    """What is told of an entry to who writes it: nothing of the file it came from, where it cannot become that again."""
    from codecs_core.media.kept import is_kept
    from codecs_core.media.kinds import is_image

    media = attrs.get("media")
    if not isinstance(media, dict):
        return attrs
    others = {key: value for key, value in attrs.items() if key != "media"}
    if npy and not is_kept(attrs):
        return {**others, "media": {"name": media["name"]} if "name" in media and "member" not in media else {}}
    if part:  # an image of fewer rows is an image; of a file with a template, the values do not fit it any more
        held = {key: value for key, value in media.items() if key != "template"} if is_image(attrs) else {}
        return {**others, "media": held}
    return {**others, "media": {}} if alone and "member" in media else attrs


def _some(
    held: "File", names: list[str], taken: "Callable[[EntryView], Any]", bar: "Progress | None"
) -> "Iterator[tuple[str, NDArray[Any]]]":
    """Some of the entries, or what is asked for of each."""
    for done, name in enumerate(names):
        if bar is not None:
            bar(done / len(names), name)
        yield name, taken(held[name].stored)
