"""`codecs encode`: files and folders into one container file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place

if TYPE_CHECKING:
    from codecs_core.errors import InputError
    from codecs_core.media import Source
    from codecs_core.models import Model

#: For this number of kinds of arrays, the report says what was tried.
_GROUPS = 5
#: Files of a sort that are named.
_NAMED = 5


def encode(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SRC", show_default=False, readable=False, help="Files, or folders of them."),
    ],
    dst: Annotated[
        Place, typer.Argument(parser=place, metavar="DST.ccf", show_default=False, help="The file to write.")
    ],
    codec: Annotated[
        str, typer.Option(metavar="ID", help="A codec id, or auto: the smallest on a sample of the data.")
    ] = "auto",
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="The model, for codecs that take one.")] = None,
    set_: Annotated[list[str], typer.Option("--set", metavar="K=V", help="A setting of the codec; repeatable.")] = [],  # noqa: B006
    chunk: Annotated[
        str | None,
        typer.Option(
            metavar="N|NxM...|K=N...",
            help="Items along the first axis per chunk; or lengths of several axes (16x256x256, z=16,y=256).",
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads; by default one a CPU.")] = None,
    embed_model: Annotated[bool, typer.Option("--embed-model", help="Put the model into the file.")] = False,
    train: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Train a model on the data first, about so long (90s, 20m), and put it into the file."
        ),
    ] = None,
    limit: Caps = [],  # noqa: B006
    pixels: Annotated[
        bool, typer.Option("--pixels", help="Take the pixels of JPEG and lossy WebP, not the files.")
    ] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Take every file as its bytes.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where a file is damaged, or the named codec does not take it.")
    ] = False,
) -> None:
    """Encode files and folders into one file.

    Arrays and images are taken as values. Every other file is kept whole, and so is one that is damaged or that would lose
    something; stderr says which. What cannot be read at all is named, and the exit status is 1.
    """
    from codecs_core import api, media, models, registry
    from codecs_core.arrays import ArraySpec
    from codecs_core.cli.arguments import check_file, check_target, limits, seconds, settings
    from codecs_core.cli.arguments import chunk as lengths
    from codecs_core.cli.output import plural, put, say, shown
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError

    if not str(dst).lower().endswith(".ccf"):
        # A forgotten DST must not overwrite the last source.
        raise ConfigError(f"the last path is the file to write and ends in .ccf, which {dst} does not")
    if pixels and whole:
        raise ConfigError("--pixels takes the pixels of a file and --whole its bytes: give one of them, not both")
    if train is not None and model is not None:
        raise ConfigError("--train makes a model and --model names one: give one of them, not both")
    budget = None if train is None else seconds(train, "--train")
    config = settings(set_)
    stated = None if codec == "auto" else registry.default().spec(codec)  # a slip is told before anything is read
    check_target(dst, sources)
    check_file(dst)
    told = _Told(strict)
    replaces = isinstance(dst, Path) and dst.exists()
    with progress("reading") as bar:
        found = media.read(
            sources,
            # Of a codec that does not take the bytes of a file, it is plain that pixels are meant.
            pixels=pixels
            or model is not None
            or train is not None
            or (stated is not None and not stated.info.accepts(ArraySpec((1,), "uint8"))),
            whole=whole,
            on_skip=told.left_out,
            on_keep=told.keep,
            on_rename=told.rename,
            progress=bar,
        )
    learnt = None if budget is None else _trained(found, sources, codec, budget)
    if learnt is not None and codec == "auto":
        models.use(learnt)  # to be tried beside all others: one that was trained too briefly does not pay
        learnt = None
    with progress("encoding") as bar:
        info = api.save(
            dst,
            found,
            codec=codec,
            model=learnt or model,
            chunk=None if chunk is None else lengths(chunk),
            config=config or None,
            embed_model=embed_model or budget is not None,
            strict=strict,
            jobs=jobs,
            progress=bar,
            limits=limits(limit),
        )
    for line in [
        *_tried(info["tried"]),
        *told.lines(),
        *_beside(found),
        *_aside(info["aside"], codec),
        *_grown(info, found),
    ]:
        say(line)
    if replaces:
        say(f"{shown(dst)} was there, and is replaced")
    for line in _summary(dst, info, found):
        put(line)
    if n := len(told.missing):
        say(f"error: {plural(n, 'file')} could not be read and {'is' if n == 1 else 'are'} missing")
        raise typer.Exit(1)


def _trained(found: "dict[str, Source]", sources: list[Path], codec: str, budget: float) -> "Model":
    """A model for these arrays, of a size that pays for them where its trainer can tell."""
    from codecs_core import api, registry
    from codecs_core.cli.output import plural, say, size
    from codecs_core.cli.progress import notes, progress
    from codecs_core.cli.train import AUTO, chosen, items_of

    known = registry.default()
    id = chosen(found, sources, known) if codec == AUTO else codec
    info = known.spec(id).info
    items = items_of(found, sources, id, info)
    say(f"training {id} on {plural(len(items), 'item')}")
    more: dict[str, Any] = {"items": len(items)} if info.sizes_models else {}
    with progress("training") as bar, notes(bar) as told:
        model = api.train(id, items, budget=budget, progress=told, registry=known, **more)
    say(f"a model of {size(len(model.data))} is made, to be put into the file")
    return model


class _Told:
    """What `media.read` says of files that are not taken as values."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.missing: list[Path] = []
        self.kept: list[tuple[Path, InputError | None]] = []
        self.renamed: list[str] = []

    def left_out(self, path: Path, error: "InputError") -> None:
        """A file that is not in the archive, or not all of it."""
        from codecs_core.cli.output import say, shown

        if self.strict:
            raise error
        self.missing.append(path)
        say(f"not read: {shown(error)}")

    def keep(self, path: Path, why: "InputError | None") -> None:
        """A file that is kept whole."""
        from codecs_core.errors import UnknownKindError

        if self.strict and why is not None and not isinstance(why, UnknownKindError):
            raise why
        self.kept.append((path, why))

    def rename(self, path: Path, name: str) -> None:
        """A path whose name another one has."""
        from codecs_core.cli.output import shown

        self.renamed.append(f"{shown(path)} is stored as {shown(name)}, since another source has its name")

    def lines(self) -> list[str]:
        """How many files of each kind were kept whole; and the reason for each file that is damaged or would lose something."""
        from collections import Counter

        from codecs_core.cli.output import plural, shown
        from codecs_core.errors import InexactError, UnknownKindError

        if not self.kept:
            return self.renamed
        kinds = Counter(shown(path.suffix.lower()) or "without a suffix" for path, _ in self.kept)
        names = [f"{n:,} {kind}" for kind, n in kinds.most_common(_NAMED)] + ["..."] * (len(kinds) > _NAMED)
        why = [error for _, error in self.kept if error is not None and not isinstance(error, UnknownKindError)]
        damaged = [error for error in why if not isinstance(error, InexactError)]
        inexact = [error for error in why if isinstance(error, InexactError)]
        lines = [*self.renamed, f"kept whole, byte for byte: {plural(len(self.kept), 'file')} ({', '.join(names)})"]
        lines += [f"  damaged: {shown(error)}" for error in damaged]
        lines += [f"  not as values: {shown(error)}" for error in inexact[:_NAMED]]
        if len(inexact) > _NAMED:
            lines.append(f"  and likewise {plural(len(inexact) - _NAMED, 'more file')}")
        return lines


def _aside(aside: dict[str, str], codec: str) -> list[str]:
    """The entries that the named codec does not take, and `auto` chose another for."""
    from codecs_core.cli.output import plural, shown

    if not aside:
        return []
    name, why = next(iter(aside.items()))
    return [
        f"not by {codec}, but as auto chooses: {plural(len(aside), 'entry', 'entries')}, "
        f"the first {shown(repr(name))}: {shown(why)}"
    ]


def _beside(found: "dict[str, Source]") -> list[str]:
    """The images that lie beside another in a TIFF file: overviews of it, masks, and those of another size."""
    from codecs_core.cli.output import shown

    members = [
        name
        for name, source in found.items()
        if (media := source.attrs.get("media", {})).get("format") == "TIFF" and media.get("member", "image") != "image"
    ]
    if not members:
        return []
    more = ", ..." if len(members) > _NAMED else ""
    return [f"beside other images of a TIFF file: {', '.join(shown(name) for name in members[:_NAMED])}{more}"]


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
    trials = [trial for trial in trials if not trial["files"]]
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
    from codecs_core.media.kept import is_kept
    from codecs_core.media.kinds import is_image

    before, after = sum(map(decoded_bytes, info["entries"])), info["bytes"]["total"]
    rate = info["bits_per_value"]
    every = [source.attrs for source in found.values()]
    noun = ("array", "arrays")
    if any(map(is_kept, every)):
        noun = ("file", "files") if all(map(is_kept, every)) else ("entry", "entries")
    elif all(map(is_image, every)):
        noun = ("image", "images")
    files, originals = len({source.path for source in found.values()}), _file_bytes(found)
    lines = [
        f"{shown(dst)}: {plural(len(info['entries']), *noun)}, {count(before)} bytes in, "
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
    heads = ("codec", "model", noun[1], "bytes in", "payload bytes", "ratio", "bits/value")
    return lines + table(heads, rows, right="llrrrrr")
