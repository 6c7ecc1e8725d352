"""``ffltool weights``: the networks' weight files, where they are and whether they are whole."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ffltool.cli import _options as opt

if TYPE_CHECKING:
    from ffltool.weights import Found

Name = Annotated[str, typer.Argument(metavar="NAME", help="alexnet, squeezenet, vgg16 or inception.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="alexnet, squeezenet, vgg16 or inception.")]
SomeNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME...]", help="Of these networks; default: all files there are.", show_default=False),
]
NamedFile = Annotated[str, typer.Argument(metavar="NAME=FILE", help="A network and a file of its weights.")]

weights = typer.Typer(name="weights")


@weights.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Weight files of networks: which there are, where they lie, whether they are whole; alone, lists them.

    Example: ffltool weights fetch alexnet
    """
    if context.invoked_subcommand is None:
        show()


@weights.command("list")
def show(json: opt.Json = None, force: opt.Force = False, quiet: opt.Quiet = False) -> None:
    """All weight files that ffltool knows, what they are for, and which are here.

    Example: ffltool weights list --json weights.json
    """
    from ffltool.cli import _render, _weights
    from ffltool.networks import FILES
    from ffltool.weights import MARK, as_json

    _render.check_files([(json, MARK)], force=force)
    checked, problems = _checked(list(FILES), quiet=quiet)
    _render.deliver(partial(_weights.of_weights, checked), {json: partial(as_json, checked)}, warnings=problems)


def _checked(names: list[str], *, quiet: bool) -> tuple[list["Found"], list[str]]:
    """Return what was found of networks' files, with a bar meanwhile, and what is wrong with damaged ones."""
    from ffltool.cli import _render
    from ffltool.weights import survey

    checked = list(_render.progress(quiet=quiet, doing="checking")(survey(names), len(names)))
    return checked, [found.problem for found in checked if found.problem is not None]


@weights.command()
def fetch(names: Names, quiet: opt.Quiet = False) -> None:
    """Bring published files into ffltool's cache; what is on this machine already is not fetched.

    A fetch that broke off is taken up where it ended. Example: ffltool weights fetch alexnet vgg16
    """
    from ffltool import weights as files
    from ffltool.cli import _render, _weights

    for name in names:
        found = files.fetch(name, progress=_render.progress(quiet=quiet, doing=f"{name}, MiB"))
        _render.deliver(partial(_weights.of_found, found))


@weights.command()
def path(name: Name) -> None:
    """Print the path of the file that is used, after checking it; nothing is fetched.

    Example: ffltool weights path alexnet
    """
    from ffltool import weights as files
    from ffltool.cli import _render

    found = files.check(name)
    _render.deliver(lambda: f"{found.path}\n")


@weights.command()
def verify(names: SomeNames = None, quiet: opt.Quiet = False) -> None:
    """Compare files with the published SHA-256; status 2 if one is damaged, or missing though named.

    Example: ffltool weights verify alexnet
    """
    from ffltool import weights as files
    from ffltool.cli import _render, _weights
    from ffltool.networks import FILES

    checked, problems = _checked(names or list(FILES), quiet=quiet)
    _render.deliver(lambda: "".join(map(_weights.of_found, checked)), warnings=problems)
    files.demand(checked, each=bool(names))


@weights.command()
def add(file: NamedFile) -> None:
    """Copy a file into the cache, to be used from now on; a whole checkpoint or its features alone.

    Weights that are not the published ones are named as your own. Example: ffltool weights add alexnet=features.pth
    """
    from ffltool import weights as files
    from ffltool.cli import _render, _weights

    name, path = files.named_file(file)
    found = files.add(name, path)
    _render.deliver(lambda: _weights.of_found(found))
