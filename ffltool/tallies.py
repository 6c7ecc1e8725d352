"""Label maps of a run into one confusion matrix, and what a report has of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ffltool.label_maps import LabelMaps
from ffltool.metrics.segmentation import Cells, Confusion, of_labels
from ffltool.outcomes import Outcome
from ffltool.report import ClassScore

if TYPE_CHECKING:
    from ffltool.metrics import Metric


class Tally:
    """The confusion of all pairs of label maps, filled from outcomes as they pass by."""

    def __init__(self, maps: LabelMaps) -> None:
        self.maps = maps
        self.confusion = Confusion(maps)

    def passing(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield outcomes and take in their cells."""
        for outcome in outcomes:
            if outcome.cells is not None:
                self.confusion.take(outcome.cells)
            yield outcome

    def all_reduce(self) -> None:
        """Replace the matrix by its sum over all processes."""
        self.confusion.all_reduce()

    def score(self, metric: Metric) -> float:
        """Return the score of a metric of labels."""
        return of_labels(metric.name, self.confusion.compute(), self.maps)

    def settings(self, metric: Metric) -> dict[str, float | str]:
        """Return what makes that score comparable."""
        own = {"miou": ("absent", self.maps.absent), "pixel_accuracy": ("accuracy_over", self.maps.accuracy_over)}
        name, convention = own[metric.name]
        classes = len(self.confusion.compute().labels)
        return {"classes": classes, "ignore_index": self.maps.ignore_index, name: convention}

    def classes(self) -> tuple[ClassScore, ...]:
        """Return what the matrix says of each class."""
        found = self.confusion.compute()
        columns = (found.labels, found.iou, found.accuracy, found.real, found.fake, found.right)
        return tuple(
            ClassScore(
                label=int(label),
                iou=_known(iou),
                accuracy=_known(accuracy),
                real_pixels=int(real),
                fake_pixels=int(fake),
                right_pixels=int(right),
            )
            for label, iou, accuracy, real, fake, right in zip(*columns, strict=True)
        )


def tallied(
    real: np.ndarray, fake: np.ndarray, maps: LabelMaps, metrics: Iterable[Metric]
) -> tuple[tuple[float, ...], Cells]:
    """Return what metrics of labels say of one pair, and the cells of its confusion matrix.

    Without a labelled pixel the values are NaN. Few pairs have all classes, so a pair's mean IoU is of those it has.
    """
    confusion = Confusion(maps)
    confusion.update(real, fake)
    agreement, alone = confusion.compute(), replace(maps, absent="nan")
    there = agreement.real.any()
    values = (of_labels(metric.name, agreement, alone) if there else float("nan") for metric in metrics)
    return tuple(values), confusion.cells()


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
