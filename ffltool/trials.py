"""The paper's experiment: one model under several objectives, from the same seeds, and how well each rebuilds images.

Runs of one seed begin with the same weights and see the same images in the same order, so that what differs is the
objective alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from ffltool import experiment_tables, experiment_views, outputs, ranks
from ffltool.datasets import Dataset
from ffltool.errors import DivergedError, printable
from ffltool.experiment import Design, Experiment, JudgedTrial, Results, Trial
from ffltool.formats import json_text
from ffltool.loading import Loading
from ffltool.objective import variant
from ffltool.provenance import environment
from ffltool.recipes import preset
from ffltool.run_folder import Reuse, RunFolder, check_apart, check_folder, held
from ffltool.runs import Finished, Judging, Keeping, TrainingProgress, beginning, carry_out
from ffltool.sources import Selection
from ffltool.survey import Survey, survey
from ffltool.train import Plan

SCHEMA = "ffltool.experiment/1"
MARK = f'"schema": "{SCHEMA}"'
_CONFIG, _RUNS = "experiment.json", "runs"
_KEEPING = Keeping(samples_every=0)  # of each run
RESULTS = (*experiment_tables.FILES, *experiment_views.FILES)  # which a caller writes


def check(folder: Path, reuse: Reuse) -> None:
    """Find out, before the work, whether an experiment can begin in a folder, or go on there; see `check_folder`."""
    owned = [folder / name for name in (_CONFIG, _RUNS, *RESULTS)]
    check_folder(folder, owned, reuse, mark=MARK)


def run(
    plan: Plan,
    design: Design,
    images: Dataset,
    test: Dataset,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    reuse: Reuse | None = None,
    judging: Judging | None = None,
    progress: Callable[[str], TrainingProgress | None] | None = None,
) -> Experiment | None:
    """Train a model under every trial of a design, each in a folder of its own in ``folder/runs``, and judge it.

    Parameters
    ----------
    plan : of all trials, but for seed and objective: its objective is what variants differ from.
    reuse : whether an experiment that was stopped may be gone on with, whose trials that came to their end are only
        judged anew; or all of it begun anew.
    progress : given the name of a trial, returns what wraps its steps.

    Returns
    -------
    Experiment on the first process, None on the others.

    Raises
    ------
    InputError : as `ffltool.runs.carry_out`, and for variants that are unknown.
    """
    reuse, judging = reuse or Reuse(), judging or Judging()
    trials = design.trials()
    plans = [replace(plan, seed=trial.seed, objective=variant(trial.variant, plan.objective)) for trial in trials]
    places = [folder / _RUNS / trial.folder for trial in trials]
    check_apart(folder, images.folder, test.folder, cleared=[folder / _RUNS])
    plan.check_images(images.pixels)
    with ranks.group(torch.device(device).type):
        check(folder, reuse)
        judging.try_out(test)
        for each, place in zip(plans, places, strict=True):
            if place.exists():
                beginning(each, images, RunFolder(place), reuse)
        ranks.wait()
        with held(folder):
            if ranks.rank() == 0:
                _begin(folder, plan, design, device, anew=not reuse.resume)
            ranks.wait()
            carry = partial(
                carry_out, images=images, test=test, device=device, reuse=reuse, judging=judging, tried_out=True
            )
            finished = []
            for trial, each, place in zip(trials, plans, places, strict=True):
                watch = progress(_label(trial)) if progress else None
                with _named(trial):
                    finished.append(carry(each, folder=place, keeping=_KEEPING, progress=watch))
            results = (
                Results(design=design, trials=tuple(map(_judged, trials, finished))) if ranks.rank() == 0 else None
            )
            spectra = _spectra(design, results.contender if results else None, folder)
    if results is None:
        return None
    about = tuple(_about(plan, design, images, test, device))
    warnings = tuple(_warnings(results.trials, (images, test)))
    return Experiment(design=design, trials=results.trials, about=about, warnings=warnings, spectra=spectra)


def _judged(trial: Trial, run: Finished) -> JudgedTrial:
    assert run.report is not None, "the first process has one, for there are test images"
    return JudgedTrial(trial, run, run.report)


def _spectra(design: Design, contender: str | None, folder: Path) -> Survey:
    """Measure the spectra of test images, and of those rebuilt; all processes take their share of that.

    The first of them knows the contender.
    """
    place = torch.zeros(1)
    if contender:
        place += design.variants.index(contender) + 1
    ranks.all_reduce(place)
    compared = [design.baseline, *design.variants[int(place) - 1 : int(place)]] if place else [design.baseline]
    places = [RunFolder(folder / _RUNS / Trial(name, design.seeds[0]).folder) for name in compared]
    found = survey([places[0].real, *(place.fake for place in places)], Selection(), preset("ffltool"), Loading())
    return replace(found, labels=("real", *compared))


def _begin(folder: Path, plan: Plan, design: Design, device: torch.device | str, *, anew: bool) -> None:
    """Remove the results of an earlier experiment, and `anew` its runs, and write the settings of this one."""
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)
    if anew:
        shutil.rmtree(folder / _RUNS, ignore_errors=True)
    about = {"plan": asdict(plan), "design": asdict(design), "environment": environment(device)}
    outputs.write(folder / _CONFIG, json_text(SCHEMA, "experiment", about).encode())  # first: it tells whose this is
    (folder / _RUNS).mkdir(exist_ok=True)


@contextmanager
def _named(trial: Trial) -> Iterator[None]:
    """Say of which trial an error is, if what is unlike in trials is its cause."""
    try:
        yield
    except DivergedError as error:
        raise DivergedError(f"{_label(trial)}: {error}") from error


def _label(trial: Trial) -> str:
    return f"{trial.variant} #{trial.seed}"


def _about(plan: Plan, design: Design, images: Dataset, test: Dataset, device: torch.device | str) -> Iterator[str]:
    steps = plan.total(len(images))
    length = f"{steps} step{'s' * (steps > 1)}"
    length = length if plan.steps else f"{plan.epochs} epoch{'s' * (plan.epochs > 1)} ({length})"
    yield f"{plan.model}, {plan.size}x{plan.size}: {len(images)} images, {length} of {plan.batch_size}"
    seeds = ", ".join(map(str, design.seeds))
    once = f"; seed {design.seeds[0]} for {', '.join(design.once)}" if design.once and len(design.seeds) > 1 else ""
    yield f"judged on {len(test)} other images; seed{'s' * (len(design.seeds) > 1)} {seeds}{once}"
    base = asdict(plan.objective)
    yield f"FFL with weight {base['ffl_weight']:g} and alpha {base['alpha']:g} where the variant says nothing else"
    yield ", ".join(f"{name} {version}" if name != "code" else version for name, version in environment(device).items())


def _warnings(trials: Iterable[JudgedTrial], sets: Iterable[Dataset]) -> Iterator[str]:
    """Yield what there is to say, each thing once."""
    said = [warning for images in sets for warning in images.warnings]
    said += [warning for each in trials for warning in each.report.warnings]
    yield from map(printable, dict.fromkeys(said))
