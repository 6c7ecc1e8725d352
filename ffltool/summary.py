"""From what became of every item to a report."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import PIL

from ffltool import __version__
from ffltool.errors import NothingComparedError, printable
from ffltool.images import alpha_dropped, left_out
from ffltool.metrics import Metric
from ffltool.metrics.sums import Mean
from ffltool.outcomes import MEASURED, SKIPPED, Facts, Outcome
from ffltool.pairing import Pair, Pairing, digest
from ffltool.report import ImageSet, PairValues, Report, Score

if TYPE_CHECKING:
    from ffltool.batches import Gathered
    from ffltool.learned import Learned
    from ffltool.tallies import Tally

Measured = Sequence[tuple[Pair, Outcome]]


@dataclass(frozen=True, kw_only=True)
class RunSums:
    """What is made of all items together; None for what was not asked for.

    ``gathered`` are the sums of metrics of mean spectra and of bands, ``tally`` is the sum over label maps, ``learned``
    what networks say.
    """

    gathered: Gathered | None = None
    tally: Tally | None = None
    learned: Learned | None = None

    def all_reduce(self) -> None:
        """Bring each together over all processes."""
        for each in (self.gathered, self.tally, self.learned):
            if each:
                each.all_reduce()


def summarised(
    pairing: Pairing,
    metrics: Sequence[Metric],
    outcomes: Iterable[Outcome],
    sums: RunSums,
    *,
    common: tuple[int, int] | None,
    command: str,
    start: float,
) -> Report:
    """Return the report of a run that began at `start`, a reading of the performance counter.

    `common` is the size that images were cut to for metrics of mean spectra.

    Raises
    ------
    NothingComparedError : if no item was measured, or none of one side.
    """
    fates = list(zip(pairing.pairs, outcomes, strict=True))
    measured = [(pair, outcome) for pair, outcome in fates if outcome.state == MEASURED]
    known = sums.learned.known if sums.learned else (None, None)
    real, fake = (known[side] or _image_set(pairing, measured, side) for side in range(2))
    if not (real.images and fake.images):
        raise NothingComparedError("nothing was compared")
    skipped = [printable(pair.name) for pair, outcome in fates if outcome.state == SKIPPED]
    rows = [_values(pair, outcome) for pair, outcome in measured if outcome.values]
    scores = tuple(_scores(metrics, measured, sums, common=common, images=fake.images))
    bands = sums.gathered.bands if sums.gathered else None
    return Report(
        command=command,
        version=__version__,
        real=real,
        fake=fake,
        scores=scores,
        pairs=tuple(row for row in rows if not _is_unlabelled(row)),
        warnings=(
            *pairing.warnings,
            *(sums.learned.warnings if sums.learned else ()),
            *_of_files(skipped, int(sum(outcome.alphas for _, outcome in measured)), paired=pairing.paired),
            *_of_sizes(metrics, measured, common=common),
            *_of_infinities(scores),
            *_of_unlabelled([printable(row.real) for row in rows if _is_unlabelled(row)]),
        ),
        environment=_environment(metrics, sums),
        seconds=time.perf_counter() - start,
        bands=bands.compute() if bands else (),
        classes=sums.tally.classes() if sums.tally else (),
        error_map=bands.error_map() if bands else None,
    )


def _scores(
    metrics: Sequence[Metric], measured: Measured, sums: RunSums, *, common: tuple[int, int] | None, images: int
) -> Iterator[Score]:
    columns = zip(*(outcome.values for _, outcome in measured), strict=True)
    learned, tally, gathered = sums.learned, sums.tally, sums.gathered
    for metric in metrics:
        settings = metric.settings | (learned.networks.settings(metric) if learned and metric.learned else {})
        if metric.of == "pairs":
            yield _of_values(metric, next(columns), settings)
        elif tally and metric.of == "labels":
            yield _of_labels(metric, next(columns), tally)
        elif learned and learned.sets and metric.learned:
            value, std = learned.sets.score(metric)
            yield _of_set(metric, metric.name, value, std, settings, images=images)
        elif gathered and common:
            settings |= {"height": common[0], "width": common[1]}
            for name, value in zip(metric.score_names, gathered.scores(metric), strict=True):
                yield _of_set(metric, name, value, None, settings, images=images)


def _of_set(
    metric: Metric, name: str, value: float, std: float | None, settings: dict[str, float | str], *, images: int
) -> Score:
    return Score(
        metric=name,
        value=value,
        std=std,
        min=None,
        max=None,
        images=images,
        unit=metric.unit,
        better=metric.better,
        infinite=int(math.isinf(value)),
        settings=settings,
    )


def _of_values(metric: Metric, values: tuple[float, ...], settings: dict[str, float | str]) -> Score:
    mean = Mean(origin=next(filter(math.isfinite, values), 0.0))
    mean.update(values)
    infinite = int(mean.state["infinite"])
    value, std = (math.inf, None) if infinite else mean.compute()
    return Score(
        metric=metric.name,
        value=value,
        std=std,
        min=min(values),
        max=max(values),
        images=len(values),
        unit=metric.unit,
        better=metric.better,
        infinite=infinite,
        settings=settings,
    )


def _of_labels(metric: Metric, values: tuple[float, ...], tally: Tally) -> Score:
    score = tally.score(metric)
    known = [value for value in values if not math.isnan(value)]
    return Score(
        metric=metric.name,
        value=score,
        std=None,
        min=min(known),
        max=max(known),
        images=len(values),
        unit=metric.unit,
        better=metric.better,
        settings=tally.settings(metric),
    )


def _values(pair: Pair, outcome: Outcome) -> PairValues:
    return PairValues(pair.name, pair.partner, int(outcome.real.height), int(outcome.real.width), outcome.values)


def _is_unlabelled(row: PairValues) -> bool:
    """Tell whether the real label map of a pair has no pixel that counts."""
    return any(map(math.isnan, row.values))


def _image_set(pairing: Pairing, measured: Measured, side: int) -> ImageSet:
    """Return the real images (side 0) or the fake ones (1)."""
    items = [(pairing.names(pair)[side], (outcome.real, outcome.fake)[side]) for pair, outcome in measured]
    images = [(name, facts) for name, facts in items if name is not None]
    given: Path = (pairing.real, pairing.fake)[side]
    return ImageSet(
        path=printable(str(given)),
        images=len(images),
        sizes=tuple(sorted({_size(facts) for _, facts in images})),
        digest=digest((name, facts.file_bytes) for name, facts in images),
    )


def _size(facts: Facts) -> tuple[int, int]:
    return int(facts.height), int(facts.width)


def _of_files(skipped: list[str], alphas: int, *, paired: bool) -> Iterator[str]:
    if skipped:
        yield left_out(skipped, paired=paired)
    if alphas:
        yield alpha_dropped(alphas, composites=True)


def _of_sizes(metrics: Sequence[Metric], measured: Measured, *, common: tuple[int, int] | None) -> Iterator[str]:
    sizes = {_size(facts) for _, outcome in measured for facts in (outcome.real, outcome.fake) if facts.height}
    if len(sizes) > 1 and any(metric.name == "lfd" for metric in metrics):
        yield (
            f"LFD grows with the number of pixels, and the images have {len(sizes)} sizes: "
            "the mean LFD compares only with that of sets of the same sizes"
        )
    if common and sizes != {common}:
        names = ", ".join(metric.name for metric in metrics if metric.of == "sets" and not metric.learned)
        yield f"the images have several sizes; for {names} each was cut about its centre to {common[0]}x{common[1]}"


def _of_infinities(scores: Iterable[Score]) -> Iterator[str]:
    names = [score.metric for score in scores if score.infinite and not score.per_pair]
    if names:
        yield f"{', '.join(names)}: infinite, for at some frequencies one set has no power and the other has"


def _of_unlabelled(names: list[str]) -> Iterator[str]:
    if names:
        pairs, their = ("pair has", "its") if len(names) == 1 else ("pairs have", "their")
        yield f"{len(names)} {pairs} no labelled pixel, and no row of {their} own: {', '.join(names)}"


def _environment(metrics: Sequence[Metric], sums: RunSums) -> dict[str, str | None]:
    torch = bool(sums.gathered or sums.learned)
    numpy = torch or any("numpy" in metric.libraries for metric in metrics)
    lpips = any("lpips" in metric.libraries for metric in metrics)
    return {
        "device": str(sums.learned.networks.device) if sums.learned else "cpu",
        "torch": import_module("torch").__version__ if torch else None,
        "numpy": import_module("numpy").__version__ if numpy else None,
        **({"lpips": _version_of("lpips")} if lpips else {}),  # which has the heads, and is not imported
        "pillow": PIL.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _version_of(package: str) -> str:
    from importlib.metadata import version  # which loads a mail reader, for nothing where no one asks

    return version(package)
