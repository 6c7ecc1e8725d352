"""What a worker does with a pair of files, or with an image that has no partner: read it, measure it, hand it over."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool.errors import BrokenImageError, InputError, ShapeError
from ffltool.images import Picture, Reading, fitted, read, read_both
from ffltool.label_maps import LabelMap, LabelMaps, read_label_maps
from ffltool.metrics import Metric
from ffltool.metrics.mse import mse_of_images
from ffltool.outcomes import MEASURED, SKIPPED, Facts, Outcome
from ffltool.pairing import Pair, Pairing

if TYPE_CHECKING:
    from numpy import ndarray

Files = tuple[Path | None, Path | None]


@dataclass(frozen=True)
class Comparison:
    """Two decoded images of one size: what a metric of pairs is computed from."""

    real: Picture
    fake: Picture

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.real.size[0]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.real.size[1]

    @cached_property
    def mse(self) -> float:
        """The exact mean squared error on the 0..255 scale, computed once for all metrics that need it."""
        return mse_of_images(self.real.pixels, self.fake.pixels)

    def planes(self) -> tuple[ndarray, ndarray]:
        """Both images as arrays, shape (C, H, W), on the 0..255 scale."""
        return self.real.planes(), self.fake.planes()


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be done with every pair, or every image of two sets.

    ``metrics`` are of pairs, or of labels where the files are label maps, and not learned. Others take images in
    batches, which are handed over: cut to ``common``, the size for metrics of mean spectra, None where there are none;
    with ``pairs`` both of a pair in one size; of a side that is ``shown`` to a network as they are. ``one_size`` is
    that of all pairs where ``bands`` are mapped. ``at_once`` reads both images of a pair at a time, where no workers
    are ahead.
    """

    metrics: Sequence[Metric]
    reading: Reading | LabelMaps
    skip_broken: bool = False
    common: tuple[int, int] | None = None
    pairs: bool = False
    shown: tuple[bool, bool] = (False, False)
    bands: int | None = None
    one_size: tuple[int, int] | None = None
    at_once: bool = False

    @property
    def hands_over(self) -> bool:
        """Whether images are needed beyond the metrics of pairs, in torch."""
        return self.common is not None or self.pairs or any(self.shown)


def measure(pair: Pair, *, pairing: Pairing, task: Task) -> Outcome:
    """Return what becomes of a pair, or of the one image that it is."""
    files = pairing.files(pair)
    try:
        if isinstance(task.reading, LabelMaps):
            return _of_labels(files, pairing.held.get(pair) or read_label_maps(*files), task)
        pictures = pairing.held.get(pair) or _read(files, pairing, task)
    except BrokenImageError:
        if task.skip_broken:
            return Outcome(SKIPPED)
        raise
    return _of_images(files, pictures, task)


def _of_images(files: Files, pictures: Sequence[Picture | None], task: Task) -> Outcome:
    alphas = sum(picture is not None and picture.alpha_dropped for picture in pictures)
    cut, values, planes = (None, None), (), None
    shown = tuple(
        picture.planes() if wanted and picture else None for picture, wanted in zip(pictures, task.shown, strict=True)
    )
    if task.common:
        named = zip(pictures, (files[0], files[1] or files[0]), strict=True)
        cut = tuple(picture and _cut(picture, task.common, path) for picture, path in named)
    if task.metrics or task.pairs:
        pictures = fitted(*pictures, fit=task.reading.fit, files=files)
        comparison = Comparison(*pictures)
        values = _values(comparison, task.metrics, files[0])
        planes = comparison.planes() if task.pairs else None
    facts = (Facts(*picture.size, picture.file_bytes) if picture else Facts() for picture in pictures)
    return Outcome(MEASURED, *facts, alphas, values, cut, planes, shown)


def _of_labels(files: Files, maps: tuple[LabelMap, LabelMap], task: Task) -> Outcome:
    from ffltool.metrics.segmentation import check_labels
    from ffltool.tallies import tallied

    for path, each in zip((files[0], files[1] or files[0]), maps, strict=True):
        try:
            check_labels(each.labels, task.reading)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    values, cells = tallied(*(each.labels for each in maps), task.reading, task.metrics)
    facts = (Facts(*each.size, each.file_bytes) for each in maps)
    return Outcome(MEASURED, *facts, values=values, cells=cells)


def _read(files: Files, pairing: Pairing, task: Task) -> Sequence[Picture | None]:
    if task.at_once and all(files):
        with ThreadPoolExecutor(1) as beside:
            fake = beside.submit(read, files[1], alpha=task.reading.alpha)
            return read(files[0], alpha=task.reading.alpha), fake.result()
    if pairing.paired:
        return read_both(*files, alpha=task.reading.alpha)
    return [None if path is None else read(path, alpha=task.reading.alpha) for path in files]


def _cut(picture: Picture, size: tuple[int, int], path: Path) -> ndarray:
    """Return the middle of a picture, shape (C, H, W)."""
    if any(side < wanted for side, wanted in zip(picture.size, size, strict=True)):
        raise InputError(f"{path} is {picture.size[0]}x{picture.size[1]}, but its header says that it is larger")
    return picture.centre_crop(*size).planes()


def _values(comparison: Comparison, metrics: Sequence[Metric], path: Path) -> tuple[float, ...]:
    try:
        return tuple(metric.of_pair(comparison) for metric in metrics)
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}") from error
