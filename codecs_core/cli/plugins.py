"""`codecs plugins`: what is installed, what loaded, what failed and why.

JSON: ``{"plugins": [{"name", "distribution", "version", "value", "state", "error", "codecs", "seconds"}], "conflicts":
{id: [distribution]}, "ok"}``; with ``--check``, loaded plugins also have ``"checked": [{"id", "ok", "error"}]``.
"""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from codecs_core.registry import PluginRecord, Registry


def plugins(
    check: Annotated[
        bool, typer.Option("--check", help="Import every codec's implementation; exit status 1 if one fails.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the plugins, and why those that failed did."""
    from codecs_core import registry
    from codecs_core.cli.output import put, put_json, say, shown, table

    known = registry.default()
    described = [_describe(record, known, check) for record in known.plugins]
    conflicts = {id: list(names) for id, names in known.conflicts.items()}
    faults = [f"{p['name']} of {p['distribution']}: {p['error']}" for p in described if p["state"] == "failed"]
    faults += [c["error"] for p in described for c in p.get("checked", []) if not c["ok"] and c["id"] not in conflicts]
    faults += [f"codec {id} is claimed by {' and '.join(names)}" for id, names in conflicts.items()]
    if json:
        put_json({"plugins": described, "conflicts": conflicts, "ok": not faults})
    else:
        rows = [
            (
                p["name"],
                p["distribution"],
                p["version"],
                p["state"],
                f"{p['seconds']:.2f} s",
                ", ".join(p["codecs"]) or "-",
            )
            for p in described
        ]
        for line in table(("plugin", "distribution", "version", "state", "loading", "codecs"), rows, right="llllrl"):
            put(line)
        for fault in faults:
            say(f"failed: {shown(fault)}")
        if check and not faults:
            say("every implementation can be imported")
    if check and faults:
        raise typer.Exit(1)


def _describe(record: "PluginRecord", known: "Registry", check: bool) -> dict[str, Any]:
    described: dict[str, Any] = dataclasses.asdict(record)
    described["codecs"] = list(record.codecs)
    if check and record.state == "loaded":
        described["checked"] = [_check(id, known) for id in record.codecs]
    return described


def _check(id: str, known: "Registry") -> dict[str, Any]:
    from codecs_core.errors import CodecsError

    try:
        known.codec_class(id)
    except CodecsError as error:
        return {"id": id, "ok": False, "error": str(error)}
    return {"id": id, "ok": True, "error": None}
