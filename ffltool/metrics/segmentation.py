"""Segmentation: how far the label maps of generated images agree with the real ones, pixel by pixel.

    n_ij = pixels of the real class i that the fake map calls j        over all pairs; ignored real pixels are left out

    IoU of class i = n_ii / (sum_j n_ij + sum_j n_ji - n_ii)
    mIoU = mean over classes of IoU                                    higher is better
    pixel accuracy = sum_i n_ii / number of pixels                     higher is better

Metrics of labels are functions of one confusion matrix over the whole set, not means over images (Long, Shelhamer,
Darrell; CVPR 2015). Conventions differ in what the mean of IoU does with a class that neither side has, and in whether
ignored pixels count in the denominator of the accuracy (see `ffltool.label_maps.LabelMaps`).

A fake pixel of the ignore index is called nothing: missed by its real class, and no false find of any other.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ffltool import ranks
from ffltool.errors import InputError, NothingComparedError, ShapeError
from ffltool.label_maps import MOST, LabelMaps


def miou(
    real: np.ndarray, fake: np.ndarray, *, classes: int | None = None, ignore_index: int = 255, absent: str = "nan"
) -> float:
    """Return the mean over classes of intersection over union, in [0, 1], of all pixels together.

    Parameters
    ----------
    real, fake : integer arrays (or tensors on the CPU) of one shape, labels >= 0.
    classes, ignore_index, absent : see `ffltool.label_maps.LabelMaps`.

    Raises
    ------
    ShapeError : if the shapes differ, or the labels are no integers.
    InputError : for a label that is no class.
    NothingComparedError : if all of `real` is ignored.

    Examples
    --------
    Class 0 has 1 pixel of 2 in common, class 1 has 2 of 3.

    >>> miou(np.array([[0, 0], [1, 1]]), np.array([[0, 1], [1, 1]]))
    0.5833333333333333
    """
    maps = LabelMaps(classes=classes, ignore_index=ignore_index, absent=absent)
    return of_labels("miou", confusion_of(real, fake, maps).compute(), maps)


def pixel_accuracy(
    real: np.ndarray, fake: np.ndarray, *, ignore_index: int = 255, accuracy_over: str = "valid"
) -> float:
    """Return the share of pixels that have their real label, in [0, 1], of arrays as `miou` takes them.

    Examples
    --------
    >>> real, fake = np.array([[0, 0], [1, 255]]), np.array([[0, 1], [1, 1]])
    >>> pixel_accuracy(real, fake), pixel_accuracy(real, fake, accuracy_over="all")
    (0.6666666666666666, 0.5)
    """
    maps = LabelMaps(ignore_index=ignore_index, accuracy_over=accuracy_over)
    return of_labels("pixel_accuracy", confusion_of(real, fake, maps).compute(), maps)


class Cells(NamedTuple):
    """The cells of a confusion matrix that hold pixels, shape (K,) each: row, column, number of pixels."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    pixels: NDArray[np.intp | np.float64]


@dataclass(frozen=True)
class Agreement:
    """What a confusion matrix says of its classes: arrays of shape (classes,), but for the number of all pixels.

    ``labels`` are the classes' numbers. ``real`` and ``fake`` are the pixels of each class on either side that are not
    ignored in the real map, ``right`` those that have the class on both; ``pixels`` counts the ignored ones too.
    """

    labels: NDArray[np.intp]
    real: NDArray[np.float64]
    fake: NDArray[np.float64]
    right: NDArray[np.float64]
    pixels: float

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class, NaN for one that neither side has."""
        return _ratio(self.right, self.real + self.fake - self.right)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of each class's real pixels that are right, NaN where there are none."""
        return _ratio(self.right, self.real)


class Confusion:
    """How many pixels of each real label have each fake label: a sum over pairs, of which two merge by addition.

    The ``matrix``, shape (1 + classes, 1 + classes), has a class's pixels in the row, or column, one beyond its label;
    row 0 and column 0 are of the ignore index. Where the number of classes is not given it grows with the labels.

    Examples
    --------
    >>> confusion = Confusion(LabelMaps(classes=2))
    >>> confusion.update(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]))
    >>> confusion.matrix
    array([[0., 0., 1.],
           [0., 1., 1.],
           [0., 0., 1.]])
    """

    def __init__(self, maps: LabelMaps) -> None:
        self.maps = maps
        side = 1 + (maps.classes or 0)
        self.matrix: NDArray[np.float64] = np.zeros((side, side))

    def update(self, real: np.ndarray, fake: np.ndarray) -> None:
        """Take in two label maps, arrays of one shape that `check_labels` has seen."""
        rows, columns = (self._places(labels).ravel() for labels in (real, fake))
        side = 1 + int(max(rows.max(initial=0), columns.max(initial=0)))
        counts = np.bincount(side * rows + columns, minlength=side * side)
        (cells,) = counts.nonzero()
        self.take(Cells(*np.divmod(cells, side), counts[cells]))

    def take(self, cells: Cells) -> None:
        """Add the cells of another matrix."""
        self._grow(1 + int(max(cells.rows.max(initial=0), cells.columns.max(initial=0))))
        self.matrix[cells.rows, cells.columns] += cells.pixels

    def cells(self) -> Cells:
        """Return the cells that hold pixels, which are few beside all of them."""
        rows, columns = self.matrix.nonzero()
        return Cells(rows, columns, self.matrix[rows, columns])

    def merge(self, other: Confusion) -> None:
        """Add the matrix of `other`, which stays as it is."""
        self.take(other.cells())

    def all_reduce(self) -> None:
        """Replace the matrix by the sum over all processes, which first agree on the number of classes."""
        if ranks.world() == 1:
            return
        import torch

        sides = array("d", bytes(8 * (MOST + 2)))
        sides[len(self.matrix)] = 1
        ranks.all_reduce(sides)
        self._grow(max(side for side, processes in enumerate(sides) if processes))
        ranks.all_reduce(torch.from_numpy(self.matrix))  # whose memory it shares

    def _places(self, labels: np.ndarray) -> NDArray[np.int64]:
        places = labels.astype(np.int64) + 1
        places[labels == self.maps.ignore_index] = 0
        return places

    def _grow(self, side: int) -> None:
        if (more := side - len(self.matrix)) > 0:
            self.matrix = np.pad(self.matrix, (0, more))

    def compute(self) -> Agreement:
        """Return what the matrix says of each class."""
        labels = np.arange(len(self.matrix) - 1)
        labels = labels[labels != self.maps.ignore_index]
        valid = self.matrix[1:]
        return Agreement(
            labels=labels,
            real=valid.sum(1)[labels],
            fake=valid.sum(0)[1:][labels],
            right=valid[:, 1:].diagonal()[labels],
            pixels=float(self.matrix.sum()),
        )


def confusion_of(real: np.ndarray, fake: np.ndarray, maps: LabelMaps) -> Confusion:
    """Return the confusion of two label maps.

    Raises
    ------
    ShapeError : if their shapes differ, or labels are no integers.
    InputError : for a label that is no class.
    """
    real, fake = np.asarray(real), np.asarray(fake)
    if real.shape != fake.shape:
        raise ShapeError(f"label maps must have one shape, got {real.shape} and {fake.shape}")
    for labels in (real, fake):
        check_labels(labels, maps)
    confusion = Confusion(maps)
    confusion.update(real, fake)
    return confusion


def check_labels(labels: np.ndarray, maps: LabelMaps) -> None:
    """Find out whether all labels are classes, or the ignore index.

    Raises
    ------
    ShapeError : if they are no integers.
    InputError : for a label that is no class.
    """
    if labels.dtype.kind not in "iu":
        raise ShapeError(f"labels must be integers, got {labels.dtype}")
    classes = MOST if maps.classes is None else maps.classes
    stray = ((labels < 0) | (labels >= classes)) & (labels != maps.ignore_index)
    if stray.any():
        known = f"{classes} classes are 0 to {classes - 1}" if maps.classes else f"at most {MOST} classes are counted"
        raise InputError(f"label {labels[stray].min()} is no class: {known}, and {maps.ignore_index} is ignored")


def of_labels(name: str, agreement: Agreement, maps: LabelMaps) -> float:
    """Return the score of the metric of that name.

    Raises
    ------
    NothingComparedError : if every real pixel is ignored, so that no class is there.
    """
    if not agreement.real.any():
        raise NothingComparedError(
            f"every pixel of the real label maps is the ignore index {maps.ignore_index}: nothing is left to compare"
        )
    return _METRICS[name](agreement, maps)


def _miou(agreement: Agreement, maps: LabelMaps) -> float:
    return float(np.nanmean(agreement.iou) if maps.absent == "nan" else np.nan_to_num(agreement.iou).mean())


def _pixel_accuracy(agreement: Agreement, maps: LabelMaps) -> float:
    pixels = agreement.pixels if maps.accuracy_over == "all" else agreement.real.sum()
    return float(agreement.right.sum() / pixels)


_METRICS: dict[str, Callable[[Agreement, LabelMaps], float]] = {"miou": _miou, "pixel_accuracy": _pixel_accuracy}


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
