"""Arguments and options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ffltool.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from ffltool.images import Reading
    from ffltool.label_maps import LabelMaps
    from ffltool.pairing import Pairing

IMAGES = {"rich_help_panel": "Images"}
LABELS = {"rich_help_panel": "Label maps"}
OUTPUT = {"rich_help_panel": "Output", "show_default": False}

Real = Annotated[Path, typer.Argument(metavar="REAL", help="Folder of real images, or one image.", show_default=False)]
Fake = Annotated[
    Path | None,
    typer.Argument(metavar="FAKE", help="Folder of generated images, or one image.", show_default=False),
]
Pair = Annotated[
    Literal["stem", "name", "order"],
    typer.Option(metavar="HOW", help="By stem (path without suffix), name or order.", **IMAGES),
]
SideBySide = Annotated[
    bool, typer.Option("--side-by-side", help="REAL alone: real left, fake right in each image.", **IMAGES)
]
Recursive = Annotated[
    bool, typer.Option("--recursive/--no-recursive", help="Look into subfolders.", show_default="yes", **IMAGES)
]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only the first N pairs.", show_default=False, **IMAGES)
]
AllowUnpaired = Annotated[bool, typer.Option("--allow-unpaired", help="Leave out files without a partner.", **IMAGES)]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out broken images and their partners.", **IMAGES)
]
Alpha = Annotated[
    Literal["drop", "white", "black", "error"],
    typer.Option(metavar="HOW", help="An alpha channel: drop, over white or black, error.", **IMAGES),
]
Fit = Annotated[
    Literal["none", "crop", "resize"],
    typer.Option(metavar="HOW", help="Sizes that differ: none (error), crop or resize.", **IMAGES),
]
Labels = Annotated[
    bool,
    typer.Option(
        "--labels", help="The files are label maps: PNG of class numbers, for miou, pixel_accuracy.", **LABELS
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Classes 0 to N-1; default: every label found.", show_default=False, **LABELS
    ),
]
IgnoreIndex = Annotated[
    int, typer.Option(min=-1, metavar="LABEL", help="Pixels of this real label do not count.", **LABELS)
]
Absent = Annotated[
    Literal["nan", "zero"],
    typer.Option(metavar="HOW", help="Absent classes: nan (left out of the mean) or zero.", **LABELS),
]
AccuracyOver = Annotated[
    Literal["valid", "all"],
    typer.Option(metavar="PIXELS", help="Accuracy over valid pixels or all, ignored ones too.", **LABELS),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Threads or processes that decode; default: all cores.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.", **OUTPUT)]
Json = Annotated[Path | None, typer.Option(metavar="PATH", help="Write JSON; - for stdout.", **OUTPUT)]
Csv = Annotated[Path | None, typer.Option(metavar="PATH", help="Write CSV, a row per pair; - for stdout.", **OUTPUT)]
Markdown = Annotated[Path | None, typer.Option(metavar="PATH", help="Write Markdown; - for stdout.", **OUTPUT)]
Junit = Annotated[Path | None, typer.Option(metavar="PATH", help="Write JUnit XML; - for stdout.", **OUTPUT)]
Html = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Write a page with figures and pictures; - for stdout.", **OUTPUT)
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that ffltool did not write.", **OUTPUT)]
FocalAlpha = Annotated[float, typer.Option("--alpha", min=0, metavar="X", help="Exponent of the focal weight (Eq. 9).")]
Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1, mps.")]

_OF_PAIRS = ("side_by_side", "recursive", "allow_unpaired", "limit")
_OF_LABELS = ("classes", "ignore_index", "absent", "accuracy_over")


def pairing(real: Path, fake: Path | None, asked: Mapping[str, Any], *, paired: bool = True) -> Pairing:
    """Return the pairs that are asked for by the parameters of a command, or without `paired` both sets."""
    from ffltool.pairing import pair

    by = asked["pair"] if paired else "none"
    return pair(real, fake, by=by, **{name: asked[name] for name in _OF_PAIRS})


def reading(asked: Mapping[str, Any]) -> Reading | LabelMaps:
    """Return how files are read, by the parameters of a command: as images, or as label maps.

    Raises
    ------
    InputError : if anything was asked of the other one.
    """
    from ffltool.images import Reading
    from ffltool.label_maps import LabelMaps

    images = Reading(alpha=asked["alpha"], fit=asked["fit"])
    maps = LabelMaps(**{name: asked[name] for name in _OF_LABELS})
    if asked["labels"] and images != Reading():
        raise InputError("label maps are read as they are; --alpha and --fit are for images")
    if not asked["labels"] and maps != LabelMaps():
        raise InputError("--classes, --ignore-index, --absent and --accuracy-over are of label maps, see --labels")
    return maps if asked["labels"] else images


def only(context: typer.Context, beside: str, *names: str) -> None:
    """Raise InputError for an option that was given on the command line and would do nothing beside another.

    `names` are of the parameters that do something there.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in names and source is not None and source.name == "COMMANDLINE":
            option = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.human_readable_name
            raise InputError(f"{option.rstrip('.')} does not go with {beside}")


def torch_device(name: str, *, double: bool = False) -> torch.device:
    """Return the device of this name; "auto" is the first accelerator there is, or the CPU.

    `double` is for work in float64, which mps does not have.
    """
    import torch

    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if double:
        del there["mps"]
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there()))
    kind, _, number = name.partition(":")
    if kind not in there or (number and (kind != "cuda" or not number.isdecimal())):
        raise InputError(f"there is no device {name!r}; known are auto, {', '.join(there)}")
    if not there[kind]() or (kind == "cuda" and int(number or 0) >= torch.cuda.device_count()):
        raise InputError(f"device {name} is not there")
    return torch.device(name)
