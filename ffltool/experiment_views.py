"""An experiment's results as the paper's figures: reconstructions, spectra, losses and the strip of all variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ffltool import figures, views
from ffltool.experiment import Experiment, JudgedTrial
from ffltool.figures import Curve
from ffltool.gallery import panel
from ffltool.images import read
from ffltool.pairing import find
from ffltool.pictures import as_shown
from ffltool.runs import Finished

_COLUMNS = 8  # images of a row
_KINDS = {"mse": "mean squared error", "l1": "L1"}


def reconstructions(experiment: Experiment) -> figures.Figure:
    """Return test images, from all over the set, over what the variants of every seed make of them."""
    real = experiment.trials[0].run.place.real
    names = find(real)
    chosen = names[:: max(1, len(names) // _COLUMNS)][:_COLUMNS]
    rows = [("real", [_image(real / name) for name in chosen])]
    for variant in experiment.design.variants:
        folder = experiment.of(variant).run.place.fake
        rows.append((variant, [_image(folder / name) for name in chosen]))
    return figures.image_rows(rows)


def spectra(experiment: Experiment) -> figures.Figure:
    """Return the mean spectra of test images, of what the baseline makes of them, and the best of the others."""
    return views.draw(experiment.spectra, layout="full")


def losses(experiment: Experiment) -> figures.Figure:
    """Return the pixel losses of the variants of every seed, means over epochs, under the first seed."""
    runs = {name: experiment.of(name).run for name in experiment.design.variants}
    curves = [Curve(name, *zip(*_epochs(run), strict=True)) for name, run in runs.items()]
    kinds = dict.fromkeys(_KINDS[run.plan.objective.loss] for run in runs.values())
    return figures.spatial_losses(curves, label=" or ".join(kinds))


def _epochs(run: Finished) -> Iterator[tuple[int, float]]:
    """Yield the number of each epoch with its mean pixel loss."""
    epochs: dict[int, list[float]] = {}
    for step in run.steps:
        epochs.setdefault(step.epoch, []).append(step.pixel)
    for epoch, values in epochs.items():
        yield epoch, sum(values) / len(values)


def ablation(experiment: Experiment) -> figures.Figure:
    """Return one test image under every variant, over spectra: the median one of the baseline by the first score."""
    baseline = experiment.of(experiment.design.baseline)
    real, scores = baseline.run.place.real, baseline.report.of_pairs
    values = _values(baseline)
    names = sorted(values, key=values.__getitem__) if scores else find(real)
    name = names[len(names) // 2]
    panels = [panel("real", read(real / name).tensor())]
    for variant in dict.fromkeys(each.trial.variant for each in experiment.trials):
        judged = experiment.of(variant)
        value = f"\n{_values(judged)[name]:.2f} {scores[0].unit}".rstrip() if scores else ""
        panels.append(panel(variant + value, read(judged.run.place.fake / name).tensor()))
    return figures.strip(panels)


def _values(judged: JudgedTrial) -> dict[str, float]:
    """Return the first score of each test image."""
    return {pair.real: pair.values[0] for pair in judged.report.pairs}


def _image(path: Path) -> np.ndarray:
    return as_shown(read(path).tensor())


FILES: dict[str, Callable[[Experiment], figures.Figure]] = {
    "reconstructions.png": reconstructions,
    "spectra.png": spectra,
    "losses.png": losses,
    "ablation.png": ablation,
}


def write(experiment: Experiment, folder: Path) -> None:
    """Write the figures into a folder."""
    for name, drawn in FILES.items():
        figures.save(drawn(experiment), folder / name)
