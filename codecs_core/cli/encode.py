"""`codecs encode`: arrays and images into one container file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from codecs_core.cli.arguments import Place, place

#: Kinds of arrays of which it is told what was tried.
_GROUPS = 5


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
) -> None:
    """Encode arrays and images into one file.

    A file in a folder that cannot be read is named on stderr; the rest is encoded, and the exit status is 1.
    """
    from codecs_core import api, media
    from codecs_core.cli.arguments import check_target, settings
    from codecs_core.cli.output import plural, put, say, shown
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError

    if not str(dst).lower().endswith(".ccf"):
        # A forgotten DST must not overwrite the last source.
        raise ConfigError(f"the last path is the file to write and ends in .ccf, which {dst} does not")
    config = settings(set_)
    check_target(dst, sources)
    skipped: list[Path] = []

    def skip(path: Path, error: Exception) -> None:
        skipped.append(path)
        say(f"skipped: {shown(error)}")

    found = media.read(sources, on_skip=skip)
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
        )
    for line in _tried(info["tried"]):
        say(line)
    for line in _summary(dst, info):
        put(line)
    if skipped:
        say(
            f"error: {plural(len(skipped), 'file')} could not be read and {'is' if len(skipped) == 1 else 'are'} missing"
        )
        raise typer.Exit(1)


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


def _summary(dst: Place, info: dict[str, Any]) -> list[str]:
    """The whole file in a line, then a line a codec and model."""
    from codecs_core.cli.output import count, plural, ratio, shown, table
    from codecs_core.cli.shapes import by_codec, decoded_bytes

    before, after = sum(map(decoded_bytes, info["entries"])), info["bytes"]["total"]
    rate = info["bits_per_value"]
    lines = [
        f"{shown(dst)}: {plural(len(info['entries']), 'array')}, {count(before)} bytes in, {count(after)} bytes out"
        + (f", {ratio(before, after)}, {rate:.3f} bits per value, all included" if rate is not None else "")
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
