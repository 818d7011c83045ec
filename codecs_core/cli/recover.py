"""`codecs recover`: a file of what is whole in a damaged one.

JSON: what `codecs_core.api.recover` returns.
"""

from typing import Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place


def recover(
    file: Annotated[Place, typer.Argument(parser=place, metavar="IN", show_default=False, help="A damaged .ccf file.")],
    out: Annotated[
        Place, typer.Argument(parser=place, metavar="OUT", show_default=False, help="The .ccf file to write.")
    ],
    limit: Caps = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Save every whole chunk of a file that is cut short or damaged, and tell which are lost.

    Exit status 0 if nothing is lost, 1 if something is, 4 if nothing can be recovered and OUT was not written.
    """
    from codecs_core import api
    from codecs_core.cli.arguments import check_file, check_target, limits
    from codecs_core.cli.output import put, put_json, say

    check_target(out, [file])
    check_file(out)
    report = api.recover(file, out, limits=limits(limit))
    if json:
        put_json(report)
    else:
        for line in _faults(report):
            say(line)
        put(_verdict(report))
    if not report["ok"]:
        raise typer.Exit(1)


def _faults(report: dict[str, Any]) -> list[str]:
    from codecs_core.cli.output import shown

    lines = [f"index and trailer are of no use: {report['ending']}"] if report["ending"] else []
    for entry in report["entries"]:
        what = f"entry {entry['name']!r}" if entry["name"] else "the array"
        for run in entry["lost"]:
            many = run["last"] > run["first"]
            chunks = f"chunks {run['first']} to {run['last']}" if many else f"chunk {run['first']}"
            where = "" if run["offset"] is None else f" at offset {run['offset']}"
            lines.append(f"{what}, {chunks}{where}: lost: {run['reason']}")
    lines += [
        f"model {m['name']!r} ({m['sha256']}): lost: {m['reason']}" for m in report["models"] if m["state"] == "lost"
    ]
    return [shown(line) for line in lines]


def _verdict(report: dict[str, Any]) -> str:
    from codecs_core.cli.output import plural, shown

    said = f"{shown(report['out'])}: {report['whole']:,} of {plural(report['chunks'], 'chunk')} recovered"
    if report["whole"] < report["chunks"]:
        return f"{said}; decoding the others is an error, unless --fill says what to put there"
    return f"{said}; nothing is lost" if report["ok"] else f"{said}; a model has to come from elsewhere"
