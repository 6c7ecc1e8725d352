"""Options of learned metrics, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ffltool.cli import _options

if TYPE_CHECKING:
    import torch

    from ffltool.looking import Looking, Sources

PANEL = {"rich_help_panel": "Networks"}
SEED = 2020  # that of `ffltool.looking`

Backbone = Annotated[
    Literal["alex", "vgg", "squeeze"],
    typer.Option("--lpips", metavar="NET", help="LPIPS of alex, vgg, squeeze.", **PANEL),
]
Preset = Annotated[
    Literal["pytorch-fid", "torch-fidelity", "clean"],
    typer.Option(metavar="NAME", help="How images come to 299x299: pytorch-fid, torch-fidelity or clean.", **PANEL),
]
Layer = Annotated[
    Literal["64", "192", "768", "2048"],
    typer.Option(metavar="N", help="Features of fid and kid: 64, 192, 768 or 2048.", **PANEL),
]
Seed = Annotated[int, typer.Option(min=0, max=999_999, metavar="N", help="Of kid's subsets and is's order.", **PANEL)]
Device = Annotated[str, typer.Option(metavar="NAME", help="Of the networks: auto, cpu, cuda, cuda:1, mps.", **PANEL)]
Half = Annotated[bool, typer.Option("--half", help="Convolve in float16, on a GPU.", **PANEL)]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, max=999_999, metavar="N", help="Pairs or images at a time; by the device.", show_default=False, **PANEL
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=PATH", help="A file of weights of your own.", show_default=False, **PANEL),
]
Download = Annotated[bool, typer.Option("--download", help="Fetch weights that are missing.", **PANEL)]
SkipMissing = Annotated[
    bool, typer.Option("--skip-missing", help="Leave out metrics whose weights are missing.", **PANEL)
]
SaveStats = Annotated[
    Path | None,
    typer.Option(metavar="FILE.npz", help="Write REAL's statistics, to stand for it.", show_default=False, **PANEL),
]
Cache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Keep features for the next run.", show_default="yes", **PANEL)
]


def sources(own: list[str] | None, *, download: bool, skip_missing: bool, cached: bool, quiet: bool) -> Sources:
    """Return where weights and features come from; `own` are texts NAME=PATH."""
    from ffltool.cli import _render
    from ffltool.looking import Sources

    files = {}
    if own:
        from ffltool.weights import named_file

        files = dict(map(named_file, own))
    progress = _render.progress(quiet=quiet, doing="fetching, MiB")
    return Sources(own=files, download=download, progress=progress, skip_missing=skip_missing, cached=cached)


def device_for(metrics: list[str], name: str) -> torch.device | str:
    """Return the device that networks of these metrics, if there are any, compute on."""
    from ffltool.metrics import need_networks

    return _options.torch_device(name) if need_networks(metrics) else "cpu"


def need_pairs(metrics: list[str], looking: Looking) -> bool:
    """Tell whether images have to be paired: not for metrics that are left out, for want of their weights."""
    from ffltool.errors import MissingWeightsError
    from ffltool.loaded import Networks
    from ffltool.metrics import look_up

    of_pairs = [metric for metric in look_up(metrics) if metric.of != "sets"]
    if of_pairs and looking.sources.skip_missing and all(metric.learned for metric in of_pairs):
        try:
            Networks(of_pairs, looking)
        except MissingWeightsError:
            return False
    return bool(of_pairs)


def looking(metrics: list[str], sources: Sources, *, backbone: str, preset: str, layer: str, device: str) -> Looking:
    """Return how networks look at images for these metrics."""
    from ffltool.looking import Computing, Looking

    computing = Computing(device=device_for(metrics, device))
    return Looking(backbone=backbone, preset=preset, layer=layer, computing=computing, sources=sources)


def statistics(path: Path | None) -> list[tuple[Path, str]]:
    """Return the file of statistics with its mark, for `_render.check_outputs`."""
    if path is None:
        return []
    from ffltool.set_statistics import MARK

    return [(path, MARK)]
