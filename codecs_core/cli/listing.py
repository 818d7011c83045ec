"""`codecs list`: the codecs that are installed.

JSON: ``{"codecs": [{"id", "plugin", "version", "summary", "kind", "exactness", "dtypes", "ndim", "format_version",
"trainable", "needs_model", "auto", "files", "ragged", "resumable", "labelled", "models"}]}``; empty ``dtypes`` and ``ndim`` mean any,
``models`` are names.
"""

from typing import Annotated

import typer


def list_codecs(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the installed codecs."""
    from codecs_core import api, registry
    from codecs_core.cli.output import plural, put, put_json, say, table

    codecs = api.list_codecs()
    if json:
        put_json({"codecs": codecs})
        return
    rows = [
        (
            codec["id"],
            codec["kind"],
            ", ".join(codec["dtypes"]) or "any",
            "/".join(map(str, codec["ndim"])) or "any",
            ", ".join(codec["models"]) or ("needs one" if codec["needs_model"] else "-"),
            codec["plugin"],
            codec["summary"],
        )
        for codec in sorted(codecs, key=lambda codec: codec["id"])
    ]
    for line in table(("codec", "kind", "dtypes", "axes", "models", "plugin", "summary"), rows):
        put(line)
    failed = [plugin for plugin in registry.default().plugins if plugin.state == "failed"]
    if failed:
        say(f"{plural(len(failed), 'plugin')} failed to load; `codecs plugins` says why")
    if not codecs and any(plugin.state == "disabled" for plugin in registry.default().plugins):
        say("CODECS_PLUGINS leaves out every plugin that has a codec")
    elif not codecs:
        say("no codec is installed; pip install codecs-classic has the classical ones")
