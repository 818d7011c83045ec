"""`codecs new`: a plugin package to start from."""

from pathlib import Path
from typing import Annotated

import typer


def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", show_default=False, help="VENDOR-NAME, such as acme-delta; also the folder."),
    ],
    learned: Annotated[
        bool, typer.Option("--learned", help="With a small network: training, freezing, a model that ships.")
    ] = False,
) -> None:
    """Write a plugin package with a small codec that works: id vendor.name, tests, CI."""
    from codecs_core.cli.output import put, say, shown
    from codecs_core.scaffold import LEARNED, PLAIN, Names, write

    names = Names.of(name)
    folder = Path(names.distribution)
    files = write(names, folder, LEARNED if learned else PLAIN)
    for file in files:
        put(shown(folder / file))
    say(f"codec {names.id}, in {names.package}/codec.py; next: pip install -e '{folder}[test]' && pytest {folder}")
