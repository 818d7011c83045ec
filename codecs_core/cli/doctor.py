"""`codecs doctor`: what is installed, on what it runs, and whether it computes here what it must compute everywhere.

JSON: what `codecs_core.report.doctor.diagnose` returns.
"""

from typing import Annotated, Any

import typer


def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check the installation, and whether this machine decodes what others encoded.

    Exit status 1 if something is wrong. The first run on a machine compiles for some seconds.
    """
    from codecs_core.cli.output import put, put_json, say, shown
    from codecs_core.report.doctor import diagnose

    found = diagnose()
    if json:
        put_json(found)
    else:
        for line in _lines(found):
            put(line)
        for fault in found["faults"]:
            say(f"wrong: {shown(fault)}")
        put(_verdict(found))
    if not found["ok"]:
        raise typer.Exit(1)


def _lines(found: dict[str, Any]) -> list[str]:
    from codecs_core.cli.output import shown, table

    simd, threads, accelerator = found["simd"], found["threads"], found["accelerator"]
    versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in found["versions"].items())
    variables = "".join(f", {name}={value}" for name, value in threads["variables"].items())
    lines = [
        f"system       {found['platform']['system']}",
        f"versions     {versions}",
        f"threads      {threads['usable']} of {threads['cpus']} CPUs{shown(variables)}",
        f"SIMD         numpy {' '.join([*simd['baseline'], *simd['dispatched']]) or 'none'}; "
        f"{simd['blas']} {simd['blas_kernels']}; numba {simd['numba_cpu']}",
        f"accelerator  {shown(', '.join(accelerator['devices']) or accelerator['error'] or 'none')}; "
        "the codecs of this project use none, neither to train nor to decode",
        "",
    ]
    plugins = [(p["name"], p["distribution"], p["version"], p["state"]) for p in found["plugins"]]
    models = [(m["name"], m["codec"] or "?", m["sha256"][:12], _mark(m)) for m in found["models"]]
    tests = [(t["test"], _mark(t), f"{t['seconds']:.2f} s") for t in found["exactness"]["tests"]]
    lines += [*table(("plugin", "distribution", "version", "state"), plugins), ""]
    lines += [*table(("model", "codec", "sha256", "file"), models), ""]
    return [*lines, *table(("exactness", "", ""), tests, right="llr"), ""]


def _mark(one: dict[str, Any]) -> str:
    return "ok" if one["ok"] else "WRONG"


def _verdict(found: dict[str, Any]) -> str:
    from codecs_core.cli.output import plural

    if found["ok"]:
        return "all is well: this machine computes what every other does"
    exact = "computes" if found["exactness"]["ok"] else "may not compute"
    return (
        f"{plural(len(found['faults']), 'thing')} wrong; in what was tested, this machine {exact} what every other does"
    )
