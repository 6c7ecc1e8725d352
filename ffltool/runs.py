"""A training run from images to its folder: trained, kept on the way, rebuilt test images judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ffltool import outputs, ranks
from ffltool.datasets import Dataset, to_unit, wanted
from ffltool.errors import InputError, printable
from ffltool.evaluate import evaluate_pairs
from ffltool.formats import as_json
from ffltool.looking import Looking
from ffltool.memory import pair_in_memory
from ffltool.metrics import REBUILT
from ffltool.pairing import Pair, Pairing, pair
from ffltool.provenance import environment
from ffltool.report import Report
from ffltool.run_folder import Reuse, RunFolder, check_apart, held
from ffltool.train import Plan, Step, Training

_SHOWN = 8  # images of a grid
_TRIED = 10  # images, as many as any metric needs
_AT_ONCE = 256  # images in memory as floating-point numbers

# given what a training yields, the number of steps to come and of images in each, passes it on
TrainingProgress = Callable[[Iterable[list[Step]], int, int], Iterator[list[Step]]]


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What a run leaves on its way.

    A checkpoint at the end, and after ``checkpoint_seconds`` since the last one (0: at every look at the losses); a
    grid of images after every ``samples_every`` epochs and at the end (0: at the end alone).
    """

    checkpoint_seconds: float = 60.0
    samples_every: int = 1

    def __post_init__(self) -> None:
        if not self.checkpoint_seconds >= 0:  # a checkpoint is never due after NaN
            raise InputError(f"checkpoint_seconds must be 0 or more, got {self.checkpoint_seconds}")


@dataclass(frozen=True, kw_only=True)
class Judging:
    """By which metrics rebuilt images are judged, and how networks look at them."""

    metrics: tuple[str, ...] = REBUILT
    looking: Looking | None = None
    workers: int | None = None

    def try_out(self, images: Dataset) -> None:
        """Judge some images by themselves, which raises before a training what would be raised after it.

        That is of images too small or too few for a metric, and of weights; by all processes of a group.
        """
        some = wanted(images.pixels[:_TRIED])
        both = pair_in_memory(some, some).pictures.values()
        pictures = {Pair(name, name): each for name, each in zip(images.names, both, strict=False)}
        pairing = Pairing(images.folder, images.folder, tuple(pictures), pictures=pictures)
        evaluate_pairs(pairing, self.metrics, looking=self.looking, workers=1)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that came to its end: the losses of all steps, and the report of its test images, if there were any.

    ``seconds`` are those of training, in this process alone.
    """

    place: RunFolder
    plan: Plan
    steps: tuple[Step, ...]
    seconds: float
    report: Report | None


def carry_out(
    plan: Plan,
    images: Dataset,
    folder: Path,
    *,
    test: Dataset | None = None,
    device: torch.device | str = "cpu",
    reuse: Reuse | None = None,
    keeping: Keeping | None = None,
    judging: Judging | None = None,
    tried_out: bool = False,
    generate: int = 0,
    progress: TrainingProgress | None = None,
) -> Finished:
    """Train a model on images, and judge what it makes of test images.

    Parameters
    ----------
    reuse : whether a run in the folder may be gone on with, whose plan may differ in its length alone, or begun anew.
    tried_out : whether `judging` was, on these test images.
    generate : how many images to make of noise in the end, by a model that can.

    Raises
    ------
    InputError : for a folder that cannot be used, another run's checkpoint, too few images, a loss that is no longer
        finite, a full disk; the last checkpoint stays as it was.
    ShapeError : for test images too small for a metric.
    """
    place = RunFolder(folder)
    check_apart(folder, *(each.folder for each in (images, test) if each), cleared=place.cleared)
    run = _Run(Training(plan, device), place, images, test, keeping or Keeping())
    if generate and not run.training.model.generates:
        raise InputError(f"{plan.model} generates no images from noise, so that there are none to sample")
    judging = judging or Judging()
    with ranks.group(run.training.device.type):
        if test and not tried_out:
            judging.try_out(test)
        state = beginning(plan, images, place, reuse or Reuse())
        ranks.wait()
        with held(folder):
            run.begin(state)
            start = time.perf_counter()
            run.train(progress)
            seconds = time.perf_counter() - start
            report = run.judged(test, judging) if test else None
            if generate and ranks.rank() == 0:
                place.write_generated(run.training.generated(generate))
    return Finished(place=place, plan=plan, steps=tuple(run.steps), seconds=seconds, report=report)


def beginning(plan: Plan, images: Dataset, place: RunFolder, reuse: Reuse) -> dict[str, Any] | None:
    """Find out, before the work, what a run in a folder begins with: the state of a checkpoint, or None.

    Raises
    ------
    InputError : for too few images, a folder that cannot be used, or the checkpoint of another or a longer run.
    """
    plan.check_images(images.pixels)
    place.check(reuse)
    state = place.state() if reuse.resume else None
    if state is None:
        return None
    if difference := plan.difference(state["plan"]):
        raise InputError(f"{place.checkpoint} was trained with {difference}")
    if state["images"] != images.digest:
        raise InputError(f"{images.folder} holds other images than those of {place.checkpoint}")
    total = plan.total(len(images))
    if state["step"] > total:
        raise InputError(f"{place.checkpoint} is at step {state['step']}, beyond the {total} that are wanted")
    return state


@dataclass(eq=False)
class _Run:
    """A run under way; its first process writes."""

    training: Training
    place: RunFolder
    images: Dataset
    test: Dataset | None
    keeping: Keeping
    steps: list[Step] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self.training.plan.total(len(self.images))

    def begin(self, state: Mapping[str, Any] | None) -> None:
        """Go on from the state of a checkpoint, and write to the folder on the first process."""
        if state:
            self.training.go_on_from(state)
        if ranks.rank() == 0:
            self.steps = self.place.log_up_to(self.training.step) if state else []
            self.place.begin(self._config(), anew=state is None)
            if self.training.step < self.total:
                self.place.clear_results()

    def _config(self) -> dict[str, object]:
        return {
            "plan": asdict(self.training.plan),
            "images": _described(self.images),
            "test": _described(self.test) if self.test else None,
            "processes": ranks.world(),
            "environment": environment(self.training.device),
        }

    def train(self, progress: TrainingProgress | None) -> None:
        """Train to the end of the plan, keeping what is to be kept."""
        news = self.training.run(self.images.pixels)
        if progress:
            news = progress(news, self.total - self.training.step, self.training.plan.batch_size)
        kept = time.perf_counter()
        for new in news:
            if ranks.rank() > 0:
                continue
            self.place.append(new)
            self.steps += new
            due = time.perf_counter() - kept >= self.keeping.checkpoint_seconds or self.training.step == self.total
            shown = self._is_shown()
            state = self.training.state() if due or shown else {}
            if shown:  # before the checkpoint: a run that is killed in between comes here again
                self._show(new[-1].epoch)
            if due:
                self.place.keep(state | {"images": self.images.digest})
                kept = time.perf_counter()

    def _is_shown(self) -> bool:
        every = self.keeping.samples_every * self.training.plan.of_epoch(len(self.images))
        return self.training.step == self.total or bool(every and self.training.step % every == 0)

    def _show(self, epoch: int) -> None:
        """Write a grid of images, or both sides of pairs, over what becomes of them, and over what is made of noise."""
        pixels = (self.test or self.images).pixels
        pixels = pixels[:: max(1, len(pixels) // _SHOWN)][:_SHOWN]
        rows = [*(to_unit(side) for side in torch.split(pixels, 3, dim=1)), self.training.rebuilt(pixels)]
        rows += [torch.cat([*self.training.generated(_SHOWN)])] if self.training.model.generates else []
        self.place.write_samples(epoch, rows)

    def _rebuilt(self, test: Dataset) -> Iterator[tuple[Sequence[str], Tensor, Tensor]]:
        """Yield names of test images, these, and what becomes of them, some at a time."""
        for start in range(0, len(test), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            pixels = test.pixels[some]
            yield test.names[some], to_unit(wanted(pixels)), self.training.rebuilt(pixels)

    def judged(self, test: Dataset, judging: Judging) -> Report | None:
        """Rebuild test images into files, and measure these; all processes take their share of that."""
        if ranks.rank() == 0:
            self.place.write_rebuilt(self._rebuilt(test))
        ranks.wait()
        report = evaluate_pairs(
            pair(self.place.real, self.place.fake),
            judging.metrics,
            looking=judging.looking,
            workers=judging.workers,
            command="train",
        )
        if report:
            outputs.write(self.place.report, as_json(report).encode())
        return report


def _described(images: Dataset) -> dict[str, object]:
    return {"path": printable(str(images.folder)), "images": len(images), "digest": images.digest}
