"""`codecs train`: a model for a codec, from data."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codecs_core.codec import CodecInfo
    from codecs_core.media import Source
    from codecs_core.models import Model
    from codecs_core.registry import Registry

#: Stands for the codec that is for the data.
AUTO = "auto"


def train(
    id: Annotated[
        str, typer.Argument(metavar="ID", show_default=False, help="Id of the codec, or auto: the one for such data.")
    ],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA", show_default=False, readable=False, help=".npy, .npz, idx, images or folders of them."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="MODEL", show_default=False, help="The .safetensors file to write.")],
    budget: Annotated[str, typer.Option(metavar="TIME", help="About how long to train: 90s, 20m, 1.5h.")] = "20m",
    items: Annotated[
        int | None,
        typer.Option("--for", min=1, metavar="N", help="Items the model will code: its size then counts as well."),
    ] = None,
    set_: Annotated[
        list[str], typer.Option("--set", metavar="K=V", help="A setting of the training; repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Train a model for a codec. Nothing is written unless training ends.

    A codec that can go on with training that was interrupted keeps its state in MODEL.checkpoint until then.
    """
    from codecs_core import api, media, registry
    from codecs_core.cli.arguments import check_file, check_target, seconds, settings
    from codecs_core.cli.output import plural, put, say, shown, size
    from codecs_core.cli.progress import notes, progress
    from codecs_core.errors import ConfigError

    time, hyper = seconds(budget), settings(set_)
    if taken := hyper.keys() & {"id", "data", "budget", "progress", "checkpoint", "registry"}:
        raise ConfigError(
            f"training has no setting {min(taken)!r}" + ("; --budget says it" if "budget" in taken else "")
        )
    if items is not None:
        hyper["items"] = items
    check_target(out, data)
    check_file(out)
    known = registry.default()
    sources = media.read(data, stack=True)
    if id == AUTO:
        id = chosen(sources, data, known)
    info = known.spec(id).info
    if items is not None and not info.sizes_models:
        raise ConfigError(f"--for is for codecs that size their models by it, which {id} does not")
    checkpoint = out.with_name(out.name + ".checkpoint")
    if info.resumable:
        check_target(checkpoint, data)
        check_file(checkpoint)
        hyper["checkpoint"] = checkpoint
    stack = labelled(sources, id) if info.labelled else items_of(sources, data, id, info)
    items_ = stack["images"] if isinstance(stack, dict) else stack
    say(f"training {id} on {plural(len(items_), 'item')} of {_kind(items_)}")
    if info.resumable and checkpoint.exists():
        say(f"training goes on from {shown(checkpoint)}; delete that file to start from the beginning")
    try:
        with progress("training") as bar, notes(bar) as told:
            model = api.train(id, stack, budget=time, progress=told, registry=known, **hyper)
        model.save(out)
    except KeyboardInterrupt as error:
        if info.resumable and checkpoint.exists():
            raise KeyboardInterrupt(f"the same command goes on from {checkpoint}") from error
        raise
    if info.resumable:
        checkpoint.unlink(missing_ok=True)
    put(f"{shown(out)}: a model of {size(len(model.data))} for {id}, sha256 {model.sha256}")
    for line in pays(model):
        put(line)
    if info.needs_model:
        say(f"use it: codecs encode SRC... DST.ccf --codec {id} --model {shown(out)}")


def chosen(sources: "dict[str, Source]", data: Sequence[Path], known: "Registry") -> str:
    """The codec that is for most of the data, as `CodecInfo.trains_up_to` says.

    Images in files of their own are items of several shapes.

    Raises
    ------
    UnsupportedArrayError
        If there is none.
    """
    import math

    from codecs_core.errors import UnsupportedArrayError

    codecs = sorted((spec.info.trains_up_to, id) for id, spec in known.codecs.items() if spec.info.trains_up_to)
    bytes_of: dict[str, int] = {}
    for source in sources.values():
        spec, alone = source.spec, _alone(source, data)
        values = math.prod(spec.shape if alone else spec.shape[1:])
        for most, id in codecs:
            info = known.spec(id).info
            if values <= most and info.accepts(spec) and (info.ragged or not alone):
                bytes_of[id] = bytes_of.get(id, 0) + spec.nbytes
                break
    if not bytes_of:
        raise UnsupportedArrayError(
            "no installed codec trains on such data by itself; name one of those that codecs list calls trainable"
        )
    return max(bytes_of, key=lambda id: bytes_of[id])


def pays(model: "Model") -> list[str]:
    """At how many items a model pays, if its training has found out."""
    from codecs_core.cli.output import plural

    table = model.attrs.get("pays")
    if not isinstance(table, dict):
        return []
    lines = []
    for name, row in table.items():
        count = row["from"]
        when = f"from {plural(count, 'item')} on" if count is not None else "for no number of items"
        lines.append(f"file and model are smaller than {name} ({row['bits_per_value']:.3f} bits a value) {when}")
    return lines


def items_of(
    sources: "dict[str, Source]", data: Sequence[Path], id: str, info: "CodecInfo"
) -> "NDArray[Any] | list[NDArray[Any]]":
    """The items that the codec takes: of several kinds, the kind with the most bytes.

    One array of them; for a ragged codec, unless they are one array already, a list in the order of the sources. For a codec of any number
    of dimensions every array is one item.
    """
    import numpy as np

    from codecs_core.cli.output import say, shown
    from codecs_core.errors import UnsupportedArrayError

    def alone(source: "Source") -> bool:
        return not info.ndim or _alone(source, data)

    kinds: dict[tuple[Any, ...], list[Source]] = {}
    for source in sources.values():
        shape = source.spec.shape
        if not info.accepts(source.spec) or not shape or (info.ragged and not source.spec.size):
            continue
        if info.ragged:
            item = shape if alone(source) else shape[1:]
            channels = item[2:] if info.ndim else ()  # images are of any height and width
            kind: tuple[Any, ...] = (source.spec.dtype, len(item), channels)
        else:
            kind = (source.spec.dtype, shape[1:])
        kinds.setdefault(kind, []).append(source)
    if not kinds:
        spec = next(iter(sources.values())).spec
        raise UnsupportedArrayError(
            f"there is no array in the data that codec {id} takes: it takes stacks of items of "
            f"{' or '.join(info.dtypes) or 'any dtype'}, not {spec.dtype} of shape {spec.shape}"
        )
    taken = max(kinds.values(), key=lambda like: sum(source.spec.nbytes for source in like))
    same = "shape" if not info.ragged else "number of channels" if info.ndim else "number of dimensions"
    for source in sources.values():
        if all(source is not one for one in taken):
            what = f"{shown(repr(source.name or source.path.name))}: {source.spec.dtype} of shape {source.spec.shape}"
            say(f"left out {what}, since items are of one dtype and {same}")
    if info.ragged and (len(taken) > 1 or alone(taken[0])):
        return [item for one in taken for item in ([one.read()] if alone(one) else one.read())]
    arrays = [source.read() for source in taken]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def labelled(sources: "dict[str, Source]", id: str) -> "dict[str, NDArray[Any]]":
    """The arrays of the data that are called ``images`` and ``labels``.

    Raises
    ------
    UnsupportedArrayError
        Unless there is one of each.
    """
    from codecs_core.errors import UnsupportedArrayError

    found: dict[str, NDArray[Any]] = {}
    for wanted in ("images", "labels"):
        some = [one for one in sources.values() if one.name.rpartition("/")[2] == wanted]
        if len(some) != 1:
            raise UnsupportedArrayError(
                f"codec {id} trains on labelled images: a .npz file with one array 'images' and one array 'labels'; "
                f"the data has {len(some) or 'no'} {wanted!r}"
            )
        found[wanted] = some[0].read()
    return found


def _kind(items: "NDArray[Any] | list[NDArray[Any]]") -> str:
    if not isinstance(items, list):
        return f"{items.dtype} and shape {items.shape[1:]}"
    shapes = {item.shape for item in items}
    return f"{items[0].dtype} and " + (f"shape {shapes.pop()}" if len(shapes) == 1 else f"{len(shapes):,} shapes")


def _alone(source: "Source", data: Sequence[Path]) -> bool:
    """Whether an array is one item, as an image is and a file of a folder, rather than a stack of items."""
    from codecs_core.media.kinds import is_image

    return source.path not in data or is_image(source.attrs)
