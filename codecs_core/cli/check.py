"""`codecs check`: the conformance kit, on a codec that is installed.

JSON: ``{"codec", "plugin", "model", "ok", "clauses": [{"clause", "test", "says", "verdict", "detail"}]}``; a verdict is ``"pass"``,
``"fail"``, or ``"skip"`` for a clause that does not apply.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from codecs_core.registry import Registry
    from codecs_core.testing import Verdict


def check(
    id: Annotated[str, typer.Argument(metavar="ID", show_default=False, help="Id of the codec.")],
    model: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The model; by default the smallest that is installed.")
    ] = None,
    set_: Annotated[list[str], typer.Option("--set", metavar="K=V", help="A setting to check too; repeatable.")] = [],  # noqa: B006
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer arrays, and one other way to compute: much faster.")
    ] = False,
    match: Annotated[str, typer.Option("-k", metavar="TEXT", help="Only clauses with this text in their name.")] = "",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Hold a codec to every clause of the Codec contract.

    A line for each clause, as soon as its verdict is there. Exit status 1 if one does not hold. It starts some twenty processes,
    and takes from seconds to some minutes.
    """
    from codecs_core import registry
    from codecs_core.cli.arguments import settings
    from codecs_core.cli.output import plural, put_json, say
    from codecs_core.errors import MissingDependencyError

    known = registry.default()
    config, spec = settings(set_), known.spec(id)
    if spec.info.needs_model and model is None:
        model = _smallest(id, known)
    try:
        from codecs_core.testing.conformance import check as run
        from codecs_core.testing.conformance import named
    except ModuleNotFoundError as error:
        raise MissingDependencyError(f"checking needs {error.name}: pip install 'codecs-core[testing]'") from error
    known.codec_class(id).from_config(config, model=_found(model, id, known))
    clauses, verdicts = named(match), []
    width = max(len(clause.says) for clause in clauses)
    for verdict in run(id, config=config, model=model, quick=quick, only=clauses):
        verdicts.append(verdict)
        if not json:
            _print(verdict, width)
    failed = sum(verdict.verdict == "fail" for verdict in verdicts)
    if json:
        described = [_describe(verdict) for verdict in verdicts]
        put_json({"codec": id, "plugin": known.provider(id), "model": model, "ok": not failed, "clauses": described})
    else:
        held, skipped = sum(v.verdict == "pass" for v in verdicts), sum(v.verdict == "skip" for v in verdicts)
        say(f"{id}: of {plural(len(verdicts), 'clause')} {held} held, {failed} failed, {skipped} did not apply")
    if failed:
        raise typer.Exit(1)


def _print(verdict: "Verdict", width: int) -> None:
    from codecs_core.cli.output import put, shown

    said = verdict.verdict.upper() if verdict.verdict == "fail" else verdict.verdict
    put(f"{verdict.clause.clause:<2}  {verdict.clause.says:<{width}}  {said}  {shown(verdict.detail)}".rstrip())


def _smallest(id: str, known: "Registry") -> str | None:
    models = known.models_for(id)
    return f"{known.models_of(id)}/{min(models, key=lambda model: model.nbytes).name}" if models else None


def _found(model: str | None, id: str, known: "Registry") -> Any:
    from codecs_core.models import resolve

    return None if model is None else resolve(model, codec=known.models_of(id), registry=known)


def _describe(verdict: "Verdict") -> dict[str, Any]:
    clause = verdict.clause
    return {
        "clause": clause.clause,
        "test": clause.test,
        "says": clause.says,
        "verdict": verdict.verdict,
        "detail": verdict.detail,
    }
