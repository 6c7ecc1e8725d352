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
from ffltool.pairing import Files, Pair, Pairing

if TYPE_CHECKING:
    from numpy import ndarray

Pictures = tuple[Picture | None, Picture | None]  # the real image and the fake one


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
    try:
        if isinstance(task.reading, LabelMaps):
            both = pairing.both(pair)
            return _of_labels(both, pairing.maps.get(pair) or read_label_maps(*both), task.reading, task.metrics)
        files = pairing.files(pair)
        pictures = pairing.pictures.get(pair)
        if pictures is None:
            pictures = _read(files, paired=pairing.paired, alpha=task.reading.alpha, at_once=task.at_once)
    except BrokenImageError:
        if task.skip_broken:
            return Outcome(SKIPPED)
        raise
    return _of_images(files, pictures, task.reading, task)


def _of_images(files: Files, pictures: Pictures, reading: Reading, task: Task) -> Outcome:
    real, fake = pictures
    alphas = sum(picture is not None and picture.alpha_dropped for picture in pictures)
    shown = (real.planes() if real and task.shown[0] else None, fake.planes() if fake and task.shown[1] else None)
    cut: tuple[ndarray | None, ndarray | None] = (None, None)
    if task.common:
        cut = _cut(real, task.common, files[0]), _cut(fake, task.common, files[1] or files[0])
    values: tuple[float, ...] = ()
    planes = None
    if real and fake and (task.metrics or task.pairs):
        real, fake = fitted(real, fake, fit=reading.fit, files=files)
        comparison = Comparison(real, fake)
        values = _values(comparison, task.metrics, files[0])
        planes = comparison.planes() if task.pairs else None
    return Outcome(MEASURED, _facts(real), _facts(fake), alphas, values, cut, planes, shown)


def _of_labels(
    files: tuple[Path, Path | None], maps: tuple[LabelMap, LabelMap], reading: LabelMaps, metrics: Sequence[Metric]
) -> Outcome:
    from ffltool.metrics.segmentation import check_labels
    from ffltool.tallies import tallied

    for path, each in zip((files[0], files[1] or files[0]), maps, strict=True):
        try:
            check_labels(each.labels, reading)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    real, fake = maps
    values, cells = tallied(real.labels, fake.labels, reading, metrics)
    return Outcome(MEASURED, _facts(real), _facts(fake), values=values, cells=cells)


def _facts(image: Picture | LabelMap | None) -> Facts:
    return Facts() if image is None else Facts(*image.size, image.file_bytes)


def _read(files: Files, *, paired: bool, alpha: str, at_once: bool) -> Pictures:
    real, fake = files
    if real is None or not paired:
        return None if real is None else read(real, alpha=alpha), None if fake is None else read(fake, alpha=alpha)
    if at_once and fake is not None:
        with ThreadPoolExecutor(1) as beside:
            second = beside.submit(read, fake, alpha=alpha)
            return read(real, alpha=alpha), second.result()
    return read_both(real, fake, alpha=alpha)


def _cut(picture: Picture | None, size: tuple[int, int], path: Path | None) -> ndarray | None:
    """Return the middle of a picture, if there is one, shape (C, H, W)."""
    if picture is None:
        return None
    if any(side < wanted for side, wanted in zip(picture.size, size, strict=True)):
        raise InputError(f"{path} is {picture.size[0]}x{picture.size[1]}, but its header says that it is larger")
    return picture.centre_crop(*size).planes()


def _values(comparison: Comparison, metrics: Sequence[Metric], path: Path | None) -> tuple[float, ...]:
    try:
        return tuple(metric.of_pair(comparison) for metric in metrics)
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}") from error
