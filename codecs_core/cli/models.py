"""`codecs models`: the models that ship with plugins or are in the store.

JSON: ``{"models": [{"name", "codec", "sha256", "bytes", "summary", "source", "where"}], "store"}``.
"""

import dataclasses
from typing import Annotated

import typer


def models(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the models that are at hand."""
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
