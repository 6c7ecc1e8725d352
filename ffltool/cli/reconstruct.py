"""``ffltool reconstruct``: one image rebuilt from noise under several objectives."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ffltool.cli import _options as opt

_DESCENT = {"rich_help_panel": "Descent"}


def reconstruct(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The image to rebuild.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for all files.", show_default=False)
    ],
    objective: Annotated[
        list[str],
        typer.Option(
            metavar="NAMES",
            help="Of ffl, frequency, amplitude, phase, phase-eq6, pixel, ffl-amplitude, ffl-phase, ffl-pixel, "
            "ffl-dct; separated by commas.",
        ),
    ] = ["amplitude,phase,frequency,ffl"],  # noqa: B006 (Typer reads the list, nothing changes it)
    swap: Annotated[
        Path | None,
        typer.Option(metavar="OTHER", help="Swap amplitude and phase with this image instead.", show_default=False),
    ] = None,
    size: Annotated[int, typer.Option(min=8, metavar="N", help="Shrink to a longest side of N pixels.")] = 256,
    steps: Annotated[int, typer.Option(metavar="N", help="Steps of each objective.", **_DESCENT)] = 300,
    seconds: Annotated[
        float | None,
        typer.Option(metavar="S", help="Stop each objective after S seconds.", show_default=False, **_DESCENT),
    ] = None,
    optimizer: Annotated[Literal["adam", "sgd"], typer.Option(help="How to descend.", **_DESCENT)] = "adam",
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="X", help="Length of a step; default 0.05 (adam), 1 (sgd).", show_default=False, **_DESCENT
        ),
    ] = None,
    alpha: opt.FocalAlpha = 1.0,
    init: Annotated[
        str, typer.Option(metavar="WHAT", help="Begin with noise, grey or an image.", **_DESCENT)
    ] = "noise",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, metavar="N", help="Of the noise.", **_DESCENT)] = 0,
    device: opt.Device = "auto",
    animate: Annotated[bool, typer.Option("--animate", help="Write a GIF per objective too.")] = False,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Rebuild an image from noise under objectives that know its amplitude, its phase, or both.

    Example: ffltool reconstruct photo.jpg -o rebuilt/
    """
    from ffltool import gallery, pictures
    from ffltool.cli import _render, _tables
    from ffltool.reconstruct import Descent, known_objectives, rebuild

    if swap is not None:
        opt.only(context, "--swap", "swap", "image", "output", "size", "force", "quiet")
        files = gallery.names_of_swapped()
        pictures.check(output, files, force=force)
        *images, warnings = gallery.load_two(image, swap, size=size)
        gallery.write_swapped(output, *images)
        return _render.deliver(lambda: _tables.of_files(output, files), warnings=warnings)

    names = known_objectives(",".join(objective).split(","))
    descent = Descent(steps=steps, seconds=seconds, optimizer=optimizer, lr=lr, alpha=alpha)
    files = gallery.names_of_rebuilt(names, animate=animate)
    pictures.check(output, files, marks=gallery.MARKS, force=force)
    target, start, warnings = gallery.load(image, size=size, init=init, seed=seed)
    where = opt.torch_device(device)
    results = rebuild(
        target.to(where),
        names,
        start=start,
        descent=descent,
        animate=animate,
        progress=_render.descent_progress(quiet=quiet),
    )
    facts = gallery.facts(image, target, descent, init=init, seed=seed, device=str(where))
    gallery.write_rebuilt(output, target, results, facts)
    return _render.deliver(lambda: _tables.of_rebuilt(output, results), warnings=warnings)
