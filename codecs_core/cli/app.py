"""The application: its verbs, and the one place where errors become an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from codecs_core.cli import (
    bench,
    check,
    decode,
    doctor,
    encode,
    info,
    listing,
    models,
    new,
    plugins,
    recover,
    train,
    verify,
    view,
    warm,
)
from codecs_core.cli.failure import report


class Group(TyperGroup):
    """Runs a verb and turns what it raises into one sentence and an exit status."""

    # Here rather than around the whole: some errors of the tree are EOFError or OSError, which Typer would take.

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the arguments."""
        with _told():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        status = report(error)
        if status is None:
            raise
        raise typer.Exit(status) from error


app = typer.Typer(
    cls=Group,
    help="Compress arrays and images with learned and classical codecs, without losing a bit.",
    epilog="Exit status: 0 ok, 1 a check failed, 2 usage, 3 codec or model missing, 4 damaged file, 5 over a limit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from codecs_core import __version__

        typer.echo(f"codecs {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


for verb, function in (
    ("encode", encode.encode),
    ("decode", decode.decode),
    ("info", info.info),
    ("view", view.view),
    ("verify", verify.verify),
    ("recover", recover.recover),
    ("list", listing.list_codecs),
    ("plugins", plugins.plugins),
    ("models", models.models),
    ("train", train.train),
    ("bench", bench.bench),
    ("check", check.check),
    ("new", new.new),
    ("doctor", doctor.doctor),
    ("warm", warm.warm),
):
    app.command(verb)(function)
