"""`codecs view`: a container as a page for the browser."""

from pathlib import Path
from typing import Annotated

import typer

from codecs_core.cli.arguments import Caps, Place, place


def view(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT.html", show_default=False, help="Where to write the page; without it the browser shows it."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="A model that is neither in the file nor installed.")
    ] = None,
    limit: Caps = [],  # noqa: B006
) -> None:
    """Show what is in a file as one page of HTML: arrays, pictures of them, codecs, models, and where the bytes go.

    The page holds all that it shows, and no script.

    Example: codecs view photos.ccf photos.html
    """
    import tempfile
    import webbrowser

    from codecs_core import api
    from codecs_core.cli.arguments import check_file, check_target, limits
    from codecs_core.cli.output import put, say, shown
    from codecs_core.container import atomic_write
    from codecs_core.report.page import page

    if out is not None:
        check_target(out, [file])
        check_file(out)
    with api.open(file, models=model, limits=limits(limit)) as held:
        text = page(held).encode()
    shows = out is None
    if out is None:
        with tempfile.NamedTemporaryFile(prefix="codecs-", suffix=".html", delete=False) as temporary:
            out = Path(temporary.name)
    with atomic_write(out) as written:
        written.write(text)
    put(f"{shown(out)}: {len(text):,} bytes")
    if shows and not webbrowser.open(out.as_uri()):
        say("there is no browser to open it with")
