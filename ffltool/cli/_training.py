"""Options of commands that train models, and their results as text; printing is `_render`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ffltool.cli import _networks as nets
from ffltool.cli import _options as opt
from ffltool.metrics import REBUILT

if TYPE_CHECKING:
    import torch
    from rich.table import Table

    from ffltool.datasets import Dataset
    from ffltool.experiment import Experiment
    from ffltool.runs import Finished, Judging
    from ffltool.train import Plan

TRAINING = {"rich_help_panel": "Training"}
LOSS = {"rich_help_panel": "Loss"}
JUDGING = {"rich_help_panel": "Metrics"}

Model = Annotated[
    Literal["ae", "vae", "pix2pix"],
    typer.Argument(
        metavar="MODEL", help="ae (vanilla autoencoder), vae (variational) or pix2pix (pairs).", show_default=False
    ),
]
Data = Annotated[Path, typer.Argument(metavar="DATA", help="Folder of images to train with.", show_default=False)]
Test = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of images to rebuild and judge in the end.", show_default=False),
]
Direction = Annotated[
    Literal["AtoB", "BtoA"] | None,
    typer.Option(
        metavar="HOW",
        help="pix2pix: of two sides in each image, AtoB makes the right of the left, BtoA the left of the right.",
        show_default="AtoB",
    ),
]
# what is not asked for is the model's own
Size = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Side in pixels: the shorter side is resized, the centre cut out.",
        show_default="64, pix2pix 256",
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Images of a step, of all processes.", show_default="128, pix2pix 1", **TRAINING
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Passes over all images.", show_default="20, pix2pix 200", **TRAINING),
]
Steps = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Steps, in place of epochs.", show_default=False, **TRAINING)
]
Lr = Annotated[
    float | None, typer.Option(metavar="X", help="Adam's step.", show_default="0.001, pix2pix 0.0002", **TRAINING)
]
Decay = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="Share of the steps, the last, over which Adam's falls to 0.",
        show_default="0, pix2pix 0.5",
        **TRAINING,
    ),
]
Beta1 = Annotated[
    float | None,
    typer.Option(metavar="X", help="Adam's memory of gradients.", show_default="0.9, pix2pix 0.5", **TRAINING),
]
Beta2 = Annotated[float, typer.Option(metavar="X", help="Adam's memory of their squares.", **TRAINING)]
Amp = Annotated[bool, typer.Option("--amp", help="Compute the network in bfloat16, for GPUs.", **TRAINING)]
Loss = Annotated[
    Literal["mse", "l1"] | None,
    typer.Option(metavar="NAME", help="Of pixels: mse or l1.", show_default="mse, pix2pix l1", **LOSS),
]
PixelWeight = Annotated[
    float | None,
    typer.Option(min=0, metavar="W", help="Of the loss of pixels.", show_default="1, pix2pix 100", **LOSS),
]
FflWeight = Annotated[float, typer.Option(min=0, metavar="W", help="Of the focal frequency loss; 0: without.", **LOSS)]
KlWeight = Annotated[float, typer.Option(min=0, metavar="W", help="Of the divergence (vae).", **LOSS)]
SpregWeight = Annotated[float, typer.Option(min=0, metavar="W", help="Of the spectral regularisation.", **LOSS)]
GanWeight = Annotated[
    float, typer.Option(min=0, metavar="W", help="Of the critic's verdict (pix2pix); 0: no critic.", **LOSS)
]
FocalAlpha = Annotated[
    float, typer.Option("--alpha", min=0, metavar="X", help="FFL: exponent of the focal weight (Eq. 9).", **LOSS)
]
PatchFactor = Annotated[int, typer.Option(min=1, metavar="N", help="FFL: cut each side into N parts.", **LOSS)]
AveSpectrum = Annotated[bool, typer.Option("--ave-spectrum", help="FFL: compare mean spectra of batches.", **LOSS)]
LogMatrix = Annotated[bool, typer.Option("--log-matrix", help="FFL: weigh by the logarithm.", **LOSS)]
BatchMatrix = Annotated[bool, typer.Option("--batch-matrix", help="FFL: weights relative to the batch's.", **LOSS)]
Transform = Annotated[
    Literal["dft", "dct", "none"], typer.Option(metavar="NAME", help="FFL: dft, dct or none.", **LOSS)
]
Component = Annotated[
    Literal["complex", "amplitude", "phase"],
    typer.Option(metavar="NAME", help="FFL: complex, amplitude or phase.", **LOSS),
]
ExcludeDc = Annotated[bool, typer.Option("--exclude-dc", help="FFL: leave out the zero frequency.", **LOSS)]
Metrics = Annotated[
    list[str],
    typer.Option(
        "--metric", "-m", metavar="NAMES", help="Of rebuilt images; left out where weights are missing.", **JUDGING
    ),
]
METRICS = [",".join(REBUILT)]
Weights = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=PATH", help="A file of weights of your own.", show_default=False, **JUDGING),
]
Download = Annotated[bool, typer.Option("--download", help="Fetch weights that are missing.", **JUDGING)]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where it was stopped.")]
Force = Annotated[bool, typer.Option("--force", help="Begin anew in a folder that holds results or other files.")]


def plan_of(asked: Mapping[str, Any], *, seed: int) -> Plan:
    """Return the plan of the options of a command, which are called as the fields of a plan and its objective."""
    from ffltool.models import look_up
    from ffltool.objective import Objective
    from ffltool.train import Plan

    asked = {**look_up(asked["model"]).own, **{name: value for name, value in asked.items() if value is not None}}
    objective, rest = (
        {field.name: asked[field.name] for field in fields(kind) if field.name in asked} for kind in (Objective, Plan)
    )
    return Plan(**rest | {"seed": seed, "objective": Objective(**objective)})


def device_of(name: str) -> torch.device:
    """Return the device of that name; where processes share a machine, each takes a GPU of its own."""
    import torch

    from ffltool import ranks

    device = opt.torch_device(name)
    if device.type == "cuda":
        device = torch.device("cuda", ranks.local() if device.index is None else device.index)
        torch.cuda.set_device(device)
    return device


def judging_of(
    metric: list[str],
    weights: list[str] | None,
    *,
    device: torch.device,
    download: bool,
    quiet: bool,
    workers: int | None,
    tested: bool = True,
) -> Judging:
    """Return by what rebuilt images are judged; before any work metrics are known, and weights loaded if `tested`."""
    from ffltool.loaded import Networks
    from ffltool.looking import Computing, Looking
    from ffltool.metrics import look_up
    from ffltool.runs import Judging

    rows = look_up(",".join(metric).split(","))
    sources = nets.sources(weights, download=download, skip_missing=True, cached=False, quiet=quiet)
    looking = Looking(computing=Computing(device=device), sources=sources)
    if tested:
        Networks(rows, looking)  # raises now what it would raise after the training
    return Judging(metrics=tuple(row.name for row in rows), looking=looking, workers=workers)


def dataset_of(folder: Path, plan: Plan, *, workers: int | None, quiet: bool) -> Dataset:
    """Return the images of a folder as a plan wants them, with a bar while they are read."""
    from ffltool.cli import _render
    from ffltool.datasets import load
    from ffltool.loading import Loading

    progress = _render.progress(quiet=quiet, doing=f"reading {folder.name}", each="images")
    loading = Loading(workers=workers, progress=progress)
    return load(folder, size=plan.size, direction=plan.direction, loading=loading)


def what_was_trained(finished: Finished) -> str:
    """Return the line that says how a training went."""
    last, plan = finished.steps[-1], finished.plan
    named = zip(last._fields[3:], last[3:], strict=True)
    terms = ", ".join(f"{name} {value:.4g}" for name, value in named if value is not None)
    return (
        f"{plan.model}, {plan.size}x{plan.size}: step {last.step} of epoch {last.epoch}, loss {last.loss:.4g} ({terms})"
        f"\nfiles are in {finished.place.path}"
    )


def of_experiment(experiment: Experiment, folder: Path, files: Sequence[str]) -> str:
    """Return the tables of an experiment for a terminal: means over seeds, and deviations if there are several."""
    from ffltool.cli import _tables
    from ffltool.experiment_tables import deviations, means, titles

    names = titles(experiment)
    parts: list[Table | str] = ["\n".join(experiment.about), _tables.columns("variant", *names, rows=means(experiment))]
    if spread := deviations(experiment):
        parts.append(_tables.columns("± over seeds", *names, rows=spread))
    return _tables.drawn(*parts, f"* best of its column\n{', '.join(files)} and runs/ are in {folder}")
