"""The command line: parse, call, render. Errors that a user can mend become one line and a status."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer

from ffltool import __version__
from ffltool.errors import FfltoolError, InputError, printable

_USAGE = 2  # the status of a command line that says nothing to do
_PANELS = 72  # columns that the help's panels need: in fewer they cut the names of options

# each is a module here, with a function of its name, or an app where it has commands of its own
COMMANDS = (
    "lfd",
    "metrics",
    "spectrum",
    "peaks",
    "bandlimit",
    "reconstruct",
    "diagnose",
    "check",
    "train",
    "experiment",
    "weights",
)


def app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands."""
    line = typer.Typer(
        name="ffltool",
        add_completion=False,
        rich_markup_mode="rich" if shutil.get_terminal_size().columns >= _PANELS else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=ffltool,
    )
    for name in names:
        command = getattr(import_module(f"{__name__}.{name}"), name)
        if isinstance(command, typer.Typer):
            line.add_typer(command)
        else:
            line.command()(command)
    return line


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ffltool {__version__}")
        raise typer.Exit


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
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _stand_somewhere()
        if "" in arguments:  # which as a path would be this folder
            raise InputError("an argument is empty; is a variable not set?")
        status = app(_needed(arguments))(arguments or ["--help"], prog_name="ffltool", standalone_mode=False) or 0
        return status if arguments else _USAGE
    except typer.TyperException as error:
        note(" ".join(error.format_message().split()))  # some are of several lines
        return error.exit_code
    except FfltoolError as error:
        note(str(error))
        return error.status
    except OSError as error:  # the system's refusal, of a path too long or a folder closed to us
        if error.strerror is None:
            raise
        note(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
        return FfltoolError.status


def note(text: str) -> None:
    """Print a line on standard error; one that cannot be written there costs neither results nor the status."""
    tell(f"ffltool: {printable(text)}")


def tell(line: str) -> None:
    """Print a line on standard error as it is; see `note`."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # for what Python, at its end, finds to be left


def _stand_somewhere() -> None:
    """Find out whether the current folder is there: in one that was removed MKL ends the process as torch loads."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputError("the current folder does not exist any more") from None


def _needed(arguments: Sequence[str]) -> Sequence[str]:
    """Return the command that the arguments begin with, for to read and build the others takes 0.03 s; else all."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
