"""`codecs warm`: compile ahead what codecs need."""

from typing import Annotated

import typer


def warm(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Codecs; all of them by default.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes; by default one for each CPU.")] = None,
) -> None:
    """Compile ahead what codecs need, so that their first use does not wait for it.

    For images of containers, services, and installations that are read-only later. Exit status 1 if a codec failed.
    """
    from codecs_core.cli.output import put, say, shown
    from codecs_core.report.warm import warm as warmed

    failed = False
    for one in warmed(ids or (), jobs=jobs):
        if one["ok"]:
            put(f"{one['test']}: ready after {one['seconds']:.1f} s")
        else:
            failed = True
            say(f"{one['test']}: {shown(one['error'])}")
    if failed:
        raise typer.Exit(1)
