"""`codecs encode`: arrays and images into one container file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place

if TYPE_CHECKING:
    from codecs_core.media import Source

#: Kinds of arrays of which it is told what was tried.
_GROUPS = 5
#: Files that were passed over and are named.
_NAMED = 5


def encode(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SRC", show_default=False, readable=False, help=".npy, .npz, idx, images, or folders of them."
        ),
    ],
    dst: Annotated[
        Place, typer.Argument(parser=place, metavar="DST.ccf", show_default=False, help="The file to write.")
    ],
    codec: Annotated[
        str, typer.Option(metavar="ID", help="A codec id, or auto: the smallest on a sample of the data.")
    ] = "auto",
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="The model, for codecs that take one.")] = None,
    set_: Annotated[list[str], typer.Option("--set", metavar="K=V", help="A setting of the codec; repeatable.")] = [],  # noqa: B006
    chunk: Annotated[int | None, typer.Option(min=1, metavar="N", help="Items along the first axis per chunk.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default one a CPU.")] = None,
    embed_model: Annotated[bool, typer.Option("--embed-model", help="Put the model into the file.")] = False,
    limit: Caps = [],  # noqa: B006
) -> None:
    """Encode arrays and images into one file.

    A file in a folder that cannot be read is named on stderr; the rest is encoded, and the exit status is 1. Files of
    other kinds are passed over, and counted.
    """
    from codecs_core import api, media
    from codecs_core.cli.arguments import check_file, check_target, limits, settings
    from codecs_core.cli.output import plural, put, say, shown
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError, UnknownKindError

    if not str(dst).lower().endswith(".ccf"):
        # A forgotten DST must not overwrite the last source.
        raise ConfigError(f"the last path is the file to write and ends in .ccf, which {dst} does not")
    config = settings(set_)
    check_target(dst, sources)
    check_file(dst)
    unread: list[Path] = []
    passed: list[Path] = []

    def skip(path: Path, error: Exception) -> None:
        if isinstance(error, UnknownKindError):
            passed.append(path)
        else:
            unread.append(path)
            say(f"not read: {shown(error)}")

    with progress("reading") as bar:
        found = media.read(sources, on_skip=skip, progress=bar)
    with progress("encoding") as bar:
        info = api.save(
            dst,
            found,
            codec=codec,
            model=model,
            chunk=chunk,
            config=config or None,
            embed_model=embed_model,
            jobs=jobs,
            progress=bar,
            limits=limits(limit),
        )
    for line in [*_tried(info["tried"]), *_passed(passed), *_grown(info, found)]:
        say(line)
    for line in _summary(dst, info, found):
        put(line)
    if unread:
        say(f"error: {plural(len(unread), 'file')} could not be read and {'is' if len(unread) == 1 else 'are'} missing")
        raise typer.Exit(1)


def _passed(paths: list[Path]) -> list[str]:
    """What lay in the folders beside arrays and images, by suffix where there is much of it."""
    from collections import Counter

    from codecs_core.cli.output import plural, shown

    if not paths:
        return []
    names = [shown(path.name) + " (a link to a folder)" * path.is_dir() for path in paths]
    if len(names) > _NAMED:
        kinds = Counter(shown(path.suffix) or "without a suffix" for path in paths)
        names = [f"{n:,} {kind}" for kind, n in kinds.most_common(_NAMED)] + ["..."] * (len(kinds) > _NAMED)
    return [f"passed over {plural(len(paths), 'file')} of other kinds: {', '.join(names)}"]


def _grown(info: dict[str, Any], found: "dict[str, Source]") -> list[str]:
    """A word on files that were smaller because they hold less than every pixel."""
    from codecs_core.cli.output import plural

    formats = [source.attrs.get("media", {}).get("format") for source in found.values()]
    lossy = sum(kind in ("JPEG", "MPO", "WEBP") for kind in formats)
    if not lossy or info["bytes"]["total"] <= _file_bytes(found):
        return []
    return [
        f"larger than the files themselves: {plural(lossy, 'of them is', 'of them are')} JPEG or WebP, which may have dropped "
        f"detail to be small; here every pixel of what they show is kept"
    ]


def _file_bytes(found: "dict[str, Source]") -> int:
    return sum(path.stat().st_size for path in {source.path for source in found.values()} if path.is_file())


def _tried(trials: list[dict[str, Any]]) -> list[str]:
    """What `auto` tried, best first, one line a group of like arrays; a codec that is not for such arrays is no news."""
    from codecs_core.cli.output import count, plural, shown, size

    lines = []
    for trial in trials[:_GROUPS]:
        ran = sorted((c for c in trial["candidates"] if c["bytes"] is not None), key=lambda c: (c["bytes"], c["codec"]))
        text = ", ".join(f"{_called(c)} {count(c['bytes'])}" for c in ran)
        lines.append(f"tried on {size(trial['sample_bytes'])} of {trial['dtype']}; estimated bytes for all: {text}")
        failed = [c for c in trial["candidates"] if c["error"] is not None and not c["unsupported"]]
        lines += [f"  not {_called(c)}: {shown(c['error'])}" for c in failed]
    if len(trials) > _GROUPS:
        lines.append(f"and likewise for {plural(len(trials) - _GROUPS, 'more kind')} of arrays")
    return lines


def _called(candidate: dict[str, Any]) -> str:
    return f"{candidate['codec']}/{candidate['model']}" if candidate["model"] else str(candidate["codec"])


def _summary(dst: Place, info: dict[str, Any], found: "dict[str, Source]") -> list[str]:
    """The whole file in a line, what it replaces in another, then a line a codec and model."""
    from codecs_core.cli.output import count, plural, ratio, shown, table
    from codecs_core.cli.shapes import by_codec, decoded_bytes
    from codecs_core.media.kinds import is_image

    before, after = sum(map(decoded_bytes, info["entries"])), info["bytes"]["total"]
    rate = info["bits_per_value"]
    images = all(is_image(source.attrs) for source in found.values())
    files, originals = len({source.path for source in found.values()}), _file_bytes(found)
    lines = [
        f"{shown(dst)}: {plural(len(info['entries']), 'image' if images else 'array')}, {count(before)} bytes in, "
        f"{count(after)} bytes out"
        + (f", {ratio(before, after)}, {rate:.3f} bits per value, all included" if rate is not None else ""),
        f"against {plural(files, 'file')} of {count(originals)} bytes: {ratio(originals, after)}",
    ]
    rows = [
        (
            part.codec,
            part.model or "-",
            part.entries,
            count(part.decoded),
            count(part.stored),
            ratio(part.decoded, part.stored),
            f"{8 * part.stored / part.values:.3f}" if part.values else "-",
        )
        for part in by_codec(info)
    ]
    heads = ("codec", "model", "arrays", "bytes in", "payload bytes", "ratio", "bits/value")
    return lines + table(heads, rows, right="llrrrrr")
