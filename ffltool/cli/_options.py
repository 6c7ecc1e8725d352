"""Arguments and options that commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

_IMAGES = "Images"
_OUTPUT = "Output"


Real = Annotated[Path, typer.Argument(help="Folder of real images, or one image.", show_default=False)]
Fake = Annotated[
    Path | None,
    typer.Argument(help="Folder of generated images, or one image; none with --side-by-side.", show_default=False),
]
Pair = Annotated[
    Literal["stem", "name", "order"],
    typer.Option(help="Pair by relative path without suffix, with it, or by natural order.", rich_help_panel=_IMAGES),
]
SideBySide = Annotated[
    bool, typer.Option("--side-by-side", help="One folder: real left, fake right.", rich_help_panel=_IMAGES)
]
Recursive = Annotated[bool, typer.Option(help="Look into subfolders.", rich_help_panel=_IMAGES)]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Compare only the first N pairs.", rich_help_panel=_IMAGES, show_default=False)
]
AllowUnpaired = Annotated[
    bool, typer.Option("--allow-unpaired", help="Leave out files without a partner.", rich_help_panel=_IMAGES)
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out pairs with a broken image.", rich_help_panel=_IMAGES)
]
Alpha = Annotated[
    Literal["drop", "white", "black", "error"],
    typer.Option(help="Drop an alpha channel, composite it, or refuse.", rich_help_panel=_IMAGES),
]
Fit = Annotated[
    Literal["none", "crop", "resize"],
    typer.Option(help="Bring pairs of different sizes to one size.", rich_help_panel=_IMAGES),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Threads that decode; default: all cores.", show_default=False)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.", rich_help_panel=_OUTPUT)]
Json = Annotated[Path | None, typer.Option(help="Write JSON; - for stdout.", rich_help_panel=_OUTPUT)]
Csv = Annotated[Path | None, typer.Option(help="Write CSV, a row per pair; - for stdout.", rich_help_panel=_OUTPUT)]
Markdown = Annotated[Path | None, typer.Option(help="Write Markdown tables; - for stdout.", rich_help_panel=_OUTPUT)]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML; - for stdout.", rich_help_panel=_OUTPUT)]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files that ffltool did not write.", rich_help_panel=_OUTPUT)
]
