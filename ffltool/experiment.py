"""The paper's experiment as data: which variants under which seeds, and what each of them came to."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ffltool.errors import InputError
from ffltool.objective import canonical
from ffltool.report import Report, Score
from ffltool.runs import Finished
from ffltool.survey import Survey

WITHOUT, WITH = "w/o FFL", "FFL"


@dataclass(frozen=True)
class Trial:
    """A variant of the objective under one seed."""

    variant: str
    seed: int

    @property
    def folder(self) -> str:
        """The name of its folder, in letters that any system takes."""
        return re.sub(r"[^\w.=+-]+", "-", f"{self.variant} seed {self.seed}")


@dataclass(frozen=True, kw_only=True)
class Design:
    """Which trials make an experiment: ``variants`` under each of ``seeds``, those of ``once`` under the first.

    Variants are kept by their one name, "weight=1" where "weight=1.0" was given.
    """

    variants: tuple[str, ...] = (WITHOUT, WITH)
    seeds: tuple[int, ...] = (0,)
    once: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("variants", "once"):
            object.__setattr__(self, field, tuple(map(canonical, getattr(self, field))))

    @property
    def baseline(self) -> str:
        """The variant that the others are held against: that without FFL, or else the first."""
        return WITHOUT if WITHOUT in self.variants else self.variants[0]

    def trials(self) -> list[Trial]:
        """Return the trials, variant by variant.

        Raises
        ------
        InputError : if there is none, or one twice.
        """
        trials = [Trial(name, seed) for name in self.variants for seed in self.seeds]
        trials += [Trial(name, self.seeds[0]) for name in self.once]
        if not self.variants:
            raise InputError("an experiment needs a variant")
        folders = [trial.folder for trial in trials]
        for trial in trials:
            if folders.count(trial.folder) > 1:
                raise InputError(f"the variant {trial.variant!r} with seed {trial.seed} is there twice")
        return trials


@dataclass(frozen=True)
class Value:
    """A score over the seeds of a variant: the mean, and the standard deviation (n - 1) of more than one."""

    mean: float
    std: float | None


@dataclass(frozen=True)
class Row:
    """A variant, how many seeds it had, and its values in the order of the columns."""

    variant: str
    seeds: int
    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class JudgedTrial:
    """A trial that came to its end: its run, and the report of what that made of the test images."""

    trial: Trial
    run: Finished
    report: Report


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """What trials came to, in their order."""

    design: Design
    trials: tuple[JudgedTrial, ...]

    @property
    def columns(self) -> tuple[Score, ...]:
        """A score for each column, which knows its name, unit, and which way is better."""
        return self.trials[0].report.scores

    def rows(self) -> list[Row]:
        """Return a row for each variant, in order."""
        rows = []
        for name in dict.fromkeys(each.trial.variant for each in self.trials):
            scores = [each.report.scores for each in self.trials if each.trial.variant == name]
            values = tuple(_over_seeds([score.value for score in column]) for column in zip(*scores, strict=True))
            rows.append(Row(name, len(scores), values))
        return rows

    def best(self, column: int, rows: Sequence[Row]) -> Row | None:
        """Return the row that is best in a column; None where the best is 0, or no value is finite."""
        better = self.columns[column].better
        finite = [row for row in rows if math.isfinite(row.values[column].mean)]
        if better == "0" or not finite:
            return None
        chosen = max if better == "higher" else min
        return chosen(finite, key=lambda row: row.values[column].mean)

    @property
    def contender(self) -> str | None:
        """The best variant in the first column, of those with all seeds beside the baseline, if there is any."""
        others = [
            row for row in self.rows() if row.variant in self.design.variants and row.variant != self.design.baseline
        ]
        best = self.best(0, others) or next(iter(others), None)
        return best.variant if best else None

    def of(self, name: str) -> JudgedTrial:
        """Return a variant's trial with the first seed."""
        return next(each for each in self.trials if each.trial.variant == name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment(Results):
    """What an experiment found, and what it says of itself.

    ``about`` are lines of text: what was trained on what, and what code, libraries and seeds were. ``spectra`` are
    those of test images, of what the baseline makes of them, and of what the contender does, if there is one.
    """

    about: tuple[str, ...]
    warnings: tuple[str, ...]
    spectra: Survey


def _over_seeds(values: list[float]) -> Value:
    several = len(values) > 1 and all(map(math.isfinite, values))
    return Value(sum(values) / len(values), statistics.stdev(values) if several else None)
