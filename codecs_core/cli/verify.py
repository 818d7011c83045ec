"""`codecs verify`: is every byte what was written, and does it decode to what was encoded.

JSON: what `codecs_core.File.verify` returns.
"""

from typing import Annotated, Any

import typer

from codecs_core.cli.arguments import Caps, Place, place


def verify(
    file: Annotated[Place, typer.Argument(parser=place, metavar="FILE", show_default=False, help="A .ccf file.")],
    decode: Annotated[bool, typer.Option("--decode", help="Also decode every chunk and compare its digest.")] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="A model that is neither in the file nor installed.")
    ] = None,
    limit: Caps = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Check a file against its checksums, and with --decode against what was encoded.

    Exit status 4 if bytes are damaged or missing, 1 if intact bytes decode to something else, 3 if a codec or model is missing.
    """
    from codecs_core import api
    from codecs_core.cli.arguments import limits
    from codecs_core.cli.output import put, put_json, say
    from codecs_core.cli.progress import progress

    with api.open(file, models=model, limits=limits(limit)) as held, progress("verifying") as bar:
        report = held.verify(decode=decode, progress=bar)
    if json:
        put_json(report)
    else:
        for line in _faults(report):
            say(line)
        put(_verdict(report))
    status = _status(report)
    if status:
        raise typer.Exit(status)


def _errors(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every error of a report, with what it is about."""
    found: list[tuple[str, dict[str, Any]]] = []
    for entry in report["entries"]:
        what = f"entry {entry['name']!r}" if entry["name"] else "the array"
        found += [(f"{what}, chunk {fault['chunk']}", fault) for fault in entry["damaged"]]
        if entry["missing"]:
            gone = {"code": "missing-chunk", "message": f"{entry['missing']} of {entry['chunks']} chunks are missing"}
            found.append((what, gone))
        if entry["error"] is not None:
            found.append((what, entry["error"]))
    found += [(f"model {model['name']!r}", model["error"]) for model in report["models"] if model["error"]]
    return found


def _faults(report: dict[str, Any]) -> list[str]:
    from codecs_core.cli.output import shown

    return [shown(f"{what}: {error['message']}") for what, error in _errors(report)]


def _verdict(report: dict[str, Any]) -> str:
    from codecs_core.cli.output import plural, shown

    chunks = sum(entry["chunks"] for entry in report["entries"])
    whole = sum(entry["ok"] for entry in report["entries"])
    how = "every chunk decodes to what was encoded" if report["decoded"] else "every byte matches its checksum"
    if report["ok"]:
        held = f"{plural(len(report['entries']), 'array')} in {plural(chunks, 'chunk')}"
        return f"{shown(report['path'])}: ok; {held}; {how}"
    text = f"{whole:,} of {plural(chunks, 'chunk')} {'is' if whole == 1 else 'are'} whole"
    if any(entry["error"] for entry in report["entries"]):
        text += ", but not every one can be decoded here"
    return f"{shown(report['path'])}: FAILED; {text}"


def _status(report: dict[str, Any]) -> int:
    """The gravest of the errors: damage, then wrong decoding, then what is missing here."""
    from codecs_core.errors import CodecsError

    statuses: dict[str, int] = {}
    classes: list[type[CodecsError]] = [CodecsError]
    for cls in classes:
        statuses.setdefault(cls.code, cls.exit_status)
        classes += cls.__subclasses__()
    found = {statuses.get(error["code"], 1) for _, error in _errors(report)}
    return next((status for status in (4, 1, 3, 5, 2) if status in found), 0 if report["ok"] else 1)
