"""The command line: parse, call, render. Errors that a user can mend become one line and a status."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated

import typer

from ffltool import __version__
from ffltool.cli.bandlimit import bandlimit
from ffltool.cli.check import check
from ffltool.cli.diagnose import diagnose
from ffltool.cli.experiment import experiment
from ffltool.cli.lfd import lfd
from ffltool.cli.metrics import metrics
from ffltool.cli.peaks import peaks
from ffltool.cli.reconstruct import reconstruct
from ffltool.cli.spectrum import spectrum
from ffltool.cli.train import train
from ffltool.cli.weights import weights
from ffltool.errors import FfltoolError, printable

app = typer.Typer(
    name="ffltool",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(lfd)
app.command()(metrics)
app.command()(spectrum)
app.command()(peaks)
app.command()(bandlimit)
app.command()(reconstruct)
app.command()(diagnose)
app.command()(check)
app.command()(train)
app.command()(experiment)
app.add_typer(weights)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ffltool {__version__}")
        raise typer.Exit


@app.callback()
def ffltool(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Measure the frequency gap between real and generated images.

    Exit status: 0 done, 1 beyond a limit, 2 usage or input, 3 nothing was compared, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status; unexpected exceptions are bugs and pass through."""
    # images are decoded into memory that was used before: new pages cost as much as decoding a JPEG
    os.environ.setdefault("PILLOW_BLOCKS_MAX", "8")
    # what Pillow says of odd metadata is no concern of a comparison of pixels
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        return app(arguments, prog_name="ffltool", standalone_mode=False) or 0
    except (FfltoolError, typer.TyperException) as error:
        usage = isinstance(error, typer.TyperException)
        print(f"ffltool: {printable(error.format_message() if usage else str(error))}", file=sys.stderr)
        return error.exit_code if usage else error.status
    except OSError as error:  # the system's refusal, of a path too long or a folder closed to us
        if error.strerror is None:
            raise
        print(f"ffltool: {printable(str(error.filename or 'output'))}: {error.strerror}", file=sys.stderr)
        return FfltoolError.status
