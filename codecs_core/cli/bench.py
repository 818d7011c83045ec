"""`codecs bench`: what each codec makes of some data.

JSON: what `codecs_core.report.result.Result.report` returns; with ``--recommend``, the recommendations beside it.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer


def bench(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA", show_default=False, readable=False, help=".npy, .npz, idx, images or folders of them."
        ),
    ],
    codec: Annotated[
        list[str], typer.Option(metavar="ID", help="A codec to measure; repeatable. By default all that take the data.")
    ] = [],  # noqa: B006
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="The model, for codecs that take one.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="The first N items of each array only.")] = None,
    recommend: Annotated[
        bool, typer.Option("--recommend", help="Say which codec to take for each kind of array, and how.")
    ] = False,
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the files that were measured here.")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw pictures into this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Measure codecs on data: whole files, decoded again and compared.

    Exit status 1 if an array did not come back as it was, or a codec failed.
    """
    from codecs_core import media
    from codecs_core.cli.benchtable import show
    from codecs_core.cli.output import put, put_json, say, shown
    from codecs_core.cli.progress import progress
    from codecs_core.report import bench as engine
    from codecs_core.report import plots as drawing
    from codecs_core.report.recommend import recommendations

    if plots is not None:
        drawing.check_matplotlib()  # before the work that would be lost
    sources = media.read(data, stack=True, on_skip=lambda path, error: say(f"skipped: {shown(error)}"))
    with progress("measuring") as bar:
        result = engine.run(sources, codecs=codec, model=model, limit=limit, efforts=recommend, keep=keep, progress=bar)
    pictures = []
    if plots is not None:
        with progress("drawing") as bar:
            pictures = drawing.save(plots, result, sources, limit=limit, progress=bar)
    advice = recommendations(result) if recommend else None
    if json:
        put_json(result.report() | ({} if advice is None else {"recommendations": [asdict(one) for one in advice]}))
    else:
        show(result)
        for one in advice or []:
            for line in ("", *str(one).splitlines()):
                put(shown(line))
        for row in result.rows:
            if row.path is not None:
                put(shown(row.path))
        for picture in pictures:
            put(shown(picture))
    if not result.ok:
        raise typer.Exit(1)
