"""Decoded images, a batch at a time, into the sums over sets and over pairs that metrics are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from ffltool import ranks
from ffltool.metrics.bands import BandSums
from ffltool.outcomes import Outcome

if TYPE_CHECKING:
    from ffltool.mean_spectrum import MeanSpectrum
    from ffltool.metrics import Metric

_BATCH = 1 << 18  # values of an image and its like, whose spectra stay in the cache
_SHARE = 4  # of so many cores one does arithmetic, while the others decode


class Batch:
    """Images of one shape, or pairs of them, that are handed on as tensors once there are enough."""

    def __init__(self, take: Callable[..., None]) -> None:
        self.take = take
        self.waiting: list[tuple[np.ndarray, ...]] = []

    def add(self, *images: np.ndarray) -> None:
        """Take in an image, shape (C, H, W), or two of a pair."""
        if self.waiting and [(each.shape, each.dtype) for each in images] != [
            (each.shape, each.dtype) for each in self.waiting[0]
        ]:
            self.flush()
        self.waiting.append(images)
        if len(self.waiting) * images[0].size >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand on what is waiting."""
        if self.waiting:
            self.take(*(torch.from_numpy(np.stack(images)) for images in zip(*self.waiting, strict=True)))
            self.waiting.clear()


class Gathered:
    """The sums of a run, filled from the images of outcomes as they pass by.

    Parameters
    ----------
    metrics : all of a run; those of mean spectra are taken.
    common : height and width that images are cut to for these.
    bands : resolve the squared error of pairs in so many bands; None does not.
    one_size : height and width of all pairs, to map their squared error too.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        *,
        common: tuple[int, int] | None,
        bands: int | None,
        one_size: tuple[int, int] | None,
    ) -> None:
        of_spectra = (metric for metric in metrics if metric.of == "sets" and not metric.learned)
        homes = {metric.home: metric.module for metric in of_spectra}
        self.sets: dict[str, tuple[MeanSpectrum, MeanSpectrum]] = {}
        if common is not None:
            self.sets = {home: (module.state(*common), module.state(*common)) for home, module in homes.items()}
        self.bands = None if bands is None else BandSums(bands, size=one_size)
        self._sides = [Batch(self._take(side)) for side in range(2)]
        self._pairs = Batch(self.bands.update) if self.bands else None

    def _take(self, side: int) -> Callable[[torch.Tensor], None]:
        def take(images: torch.Tensor) -> None:
            """Take in a batch of one side."""
            for states in self.sets.values():
                states[side].update(images)

        return take

    def passing(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """Yield outcomes and take in their images."""
        for outcome in outcomes:
            for batch, image in zip(self._sides, outcome.cut, strict=True):
                if image is not None:
                    batch.add(image)
            if self._pairs and outcome.fitted is not None:
                self._pairs.add(*outcome.fitted)
            yield outcome
        for batch in (*self._sides, *([self._pairs] if self._pairs else [])):
            batch.flush()

    def all_reduce(self) -> None:
        """Replace every sum by its sum over all processes."""
        for states in self.sets.values():
            for state in states:
                state.all_reduce()
        if self.bands:
            self.bands.all_reduce()

    def scores(self, metric: Metric) -> list[float]:
        """Return the scores of a metric of sets."""
        real, fake = (state.compute() for state in self.sets[metric.home])
        scores: list[float] = metric.module.of_sets(metric.name, real, fake)
        return scores


@contextmanager
def few_threads(count: int | None = None) -> Iterator[None]:
    """Let torch compute in `count` threads, or on the cores that do not decode: too many wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or max(1, ranks.cores() // _SHARE))
    try:
        yield
    finally:
        torch.set_num_threads(before)
