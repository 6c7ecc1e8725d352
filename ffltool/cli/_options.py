"""Arguments and options that commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

_IMAGES = {"rich_help_panel": "Images"}
_OUTPUT = {"rich_help_panel": "Output", "show_default": False}

Real = Annotated[Path, typer.Argument(metavar="REAL", help="Folder of real images, or one image.", show_default=False)]
Fake = Annotated[
    Path | None,
    typer.Argument(metavar="FAKE", help="Folder of generated images, or one image.", show_default=False),
]
Pair = Annotated[
    Literal["stem", "name", "order"],
    typer.Option(metavar="HOW", help="By stem (path without suffix), name or order.", **_IMAGES),
]
SideBySide = Annotated[
    bool, typer.Option("--side-by-side", help="REAL alone: real left, fake right in each image.", **_IMAGES)
]
Recursive = Annotated[
    bool, typer.Option("--recursive/--no-recursive", help="Look into subfolders.", show_default="yes", **_IMAGES)
]
Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only the first N pairs.", show_default=False, **_IMAGES)
]
AllowUnpaired = Annotated[bool, typer.Option("--allow-unpaired", help="Leave out files without a partner.", **_IMAGES)]
SkipBroken = Annotated[bool, typer.Option("--skip-broken", help="Leave out pairs with a broken image.", **_IMAGES)]
Alpha = Annotated[
    Literal["drop", "white", "black", "error"],
    typer.Option(metavar="HOW", help="An alpha channel: drop, over white or black, error.", **_IMAGES),
]
Fit = Annotated[
    Literal["none", "crop", "resize"],
    typer.Option(metavar="HOW", help="Sizes that differ: none (error), crop or resize.", **_IMAGES),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Threads or processes that decode; default: all cores.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.", **_OUTPUT)]
Json = Annotated[Path | None, typer.Option(metavar="PATH", help="Write JSON; - for stdout.", **_OUTPUT)]
Csv = Annotated[Path | None, typer.Option(metavar="PATH", help="Write CSV, a row per pair; - for stdout.", **_OUTPUT)]
Markdown = Annotated[Path | None, typer.Option(metavar="PATH", help="Write Markdown; - for stdout.", **_OUTPUT)]
Junit = Annotated[Path | None, typer.Option(metavar="PATH", help="Write JUnit XML; - for stdout.", **_OUTPUT)]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that ffltool did not write.", **_OUTPUT)]
