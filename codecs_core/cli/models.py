"""`codecs models`: the models that ship with plugins or are in the store.

JSON: ``{"models": [{"name", "codec", "sha256", "bytes", "summary", "source", "where"}], "store"}``.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer


def models(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    spec: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Print the ModelSpec with which a plugin announces this file, instead of the list."
        ),
    ] = None,
) -> None:
    """List the models that are at hand."""
    if spec is not None:
        _print_spec(spec)
        return
    from codecs_core import models as library
    from codecs_core import registry
    from codecs_core.cli.output import put, put_json, say, size, table

    found = library.available(registry.default())
    if json:
        described = [dataclasses.asdict(record) for record in found]
        for one in described:
            one["bytes"] = one.pop("nbytes")
        put_json({"models": described, "store": str(library.store_dir())})
        return
    rows = [(m.name, m.codec or "damaged", m.sha256[:12], size(m.nbytes), m.source, m.summary) for m in found]
    for line in table(("model", "codec", "sha256", "size", "source", "summary"), rows, right="lllrll"):
        put(line)
    if not found:
        say(f"there is no model among the plugins, and none in the store {library.store_dir()}")


def _print_spec(path: Path) -> None:
    """The `ModelSpec` of a model file, as lines of Python to be put into `codecs_register_models`."""
    from codecs_core import registry
    from codecs_core.cli.output import put
    from codecs_core.errors import UnknownCodecError
    from codecs_core.models import Model

    model = Model.from_file(path)
    try:
        package = registry.default().provider(model.codec).replace("-", "_")
    except UnknownCodecError:
        package = model.codec.replace(".", "_").replace("-", "_")  # as `codecs new` calls it
    fields = {
        "name": model.name or path.stem,
        "codec": model.codec,
        "resource": f"{package}:models/{path.name}",
        "sha256": model.sha256,
        "summary": "what it is for, in a line",
        "nbytes": len(model.data),
    }
    put("ModelSpec(")
    for key, value in fields.items():
        put(f"    {key}={value}," if isinstance(value, int) else f'    {key}="{value}",')
    put(")")
