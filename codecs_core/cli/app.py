"""The application: its verbs, and the one place where errors become an exit status."""

from collections.abc import Callable, Iterator
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
    sample,
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
    epilog="""\b
Exit status:
  0  all went well
  1  a check failed, or something could not be read
  2  wrong usage, or input that a codec does not take
  3  a codec, a model or a library is missing
  4  a damaged file
  5  a file asks for more than a limit allows""",
    no_args_is_help=True,
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


#: Each verb, its function, and examples of its use.
VERBS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "encode": (
        encode.encode,
        ("codecs encode photos photos.ccf", "codecs encode scan.npy scan.ccf --codec ar.array --chunk 64x64x64"),
    ),
    "decode": (decode.decode, ("codecs decode photos.ccf photos", "codecs decode scan.ccf part.npy --items 10:20")),
    "info": (info.info, ("codecs info photos.ccf",)),
    "view": (view.view, ("codecs view photos.ccf page.html",)),
    "verify": (verify.verify, ("codecs verify --decode photos.ccf",)),
    "recover": (recover.recover, ("codecs recover damaged.ccf whole.ccf",)),
    "list": (listing.list_codecs, ("codecs list",)),
    "plugins": (plugins.plugins, ("codecs plugins --check",)),
    "models": (models.models, ("codecs models",)),
    "train": (train.train, ("codecs train bbans.vae digits.npy --out digits.safetensors --budget 10m",)),
    "sample": (sample.sample, ("codecs sample mnist digits.png --items 64",)),
    "bench": (bench.bench, ("codecs bench photos --codec ar.image --codec classic.jxl",)),
    "check": (check.check, ("codecs check acme.delta --quick",)),
    "new": (new.new, ("codecs new acme-delta", "codecs new acme-tiny --learned")),
    "doctor": (doctor.doctor, ("codecs doctor",)),
    "warm": (warm.warm, ("codecs warm ar.image",)),
}
for verb, (function, examples) in VERBS.items():
    app.command(verb, epilog="\b\nExamples:\n" + "\n".join(f"  {example}" for example in examples))(function)
