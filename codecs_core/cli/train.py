"""`codecs train`: a model for a codec, from data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from codecs_core.codec import CodecInfo
    from codecs_core.media import Source


def train(
    id: Annotated[str, typer.Argument(metavar="ID", show_default=False, help="Id of the codec.")],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA", show_default=False, readable=False, help=".npy, .npz, idx, images or folders of them."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="MODEL", show_default=False, help="The .safetensors file to write.")],
    budget: Annotated[str, typer.Option(metavar="TIME", help="About how long to train: 90s, 20m, 1.5h.")] = "20m",
    set_: Annotated[
        list[str], typer.Option("--set", metavar="K=V", help="A setting of the training; repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Train a model for a codec. Nothing is written unless training ends."""
    from codecs_core import api, media, registry
    from codecs_core.cli.arguments import check_file, check_target, seconds, settings
    from codecs_core.cli.output import plural, put, say, shown, size
    from codecs_core.cli.progress import progress
    from codecs_core.errors import ConfigError

    time, hyper = seconds(budget), settings(set_)
    if taken := hyper.keys() & {"id", "data", "budget", "progress", "registry"}:
        raise ConfigError(
            f"training has no setting {min(taken)!r}" + ("; --budget says it" if "budget" in taken else "")
        )
    check_target(out, data)
    check_file(out)
    known = registry.default()
    items = _items(media.read(data, stack=True), id, known.spec(id).info)
    say(f"training {id} on {plural(len(items), 'item')} of {items.dtype} and shape {items.shape[1:]}")
    with progress("training") as bar:
        model = api.train(id, items, budget=time, progress=bar, registry=known, **hyper)
    model.save(out)
    put(f"{shown(out)}: a model of {size(len(model.data))} for {id}, sha256 {model.sha256}")
    say(f"use it: codecs encode SRC... DST.ccf --codec {id} --model {shown(out)}")


def _items(sources: "dict[str, Source]", id: str, info: "CodecInfo") -> Any:
    """The arrays that the codec takes, as one array of items: of several kinds, the kind with the most bytes."""
    import numpy as np

    from codecs_core.cli.output import say, shown
    from codecs_core.errors import UnsupportedArrayError

    kinds: dict[tuple[str, tuple[int, ...]], list[Source]] = {}
    for source in sources.values():
        if info.accepts(source.spec) and source.spec.shape:
            kinds.setdefault((source.spec.dtype, source.spec.shape[1:]), []).append(source)
    if not kinds:
        spec = next(iter(sources.values())).spec
        raise UnsupportedArrayError(
            f"there is no array in the data that codec {id} takes: it takes stacks of items of "
            f"{' or '.join(info.dtypes) or 'any dtype'}, not {spec.dtype} of shape {spec.shape}"
        )
    taken = max(kinds.values(), key=lambda like: sum(source.spec.nbytes for source in like))
    for source in sources.values():
        if all(source is not one for one in taken):
            what = f"{shown(repr(source.name or source.path.name))}: {source.spec.dtype} of shape {source.spec.shape}"
            say(f"left out {what}, since items are of one dtype and shape")
    arrays = [source.read() for source in taken]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
