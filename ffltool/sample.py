"""A sample of the images of a comparison, measured once more for what is drawn: spectra, bands, examples.

At most 256 images of each set, and no more than 8 million pixels (but four images at least), drawn with seed 0. Images
of several sizes are cut about their centres to the smallest height and width, as for the metrics of sets.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from numpy import ndarray

from ffltool.batches import Gathered, few_threads
from ffltool.evaluate import size_of_sets
from ffltool.images import Reading
from ffltool.mean_spectrum import Average
from ffltool.measure import Task, measure
from ffltool.metrics import METRICS
from ffltool.metrics.spectral import SMALLEST
from ffltool.pairing import Pair, Pairing
from ffltool.report import BandScore, Report
from ffltool.sizes import Size
from ffltool.stream import stream

SEED = 0
BANDS = 8
EXAMPLES = 6  # images of each set
_MOST, _PIXELS = 256, 1 << 23  # images of a set, and pixels of all of them
_FEWEST = 4  # images, however large
_SPECTRAL = METRICS["lsd"]  # whose sums over a set are a mean spectrum


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """What was measured of some images of both sets, or of all where these are few.

    ``averages`` are the mean spectra of real and fake images, cut to ``size``; none where these are too small, or one
    side has no images. ``bands`` are of ``pairs`` pairs, ``examples`` the first images of each set, shape (C, H, W).
    """

    size: Size
    averages: tuple[Average, ...]
    examples: tuple[list[ndarray], list[ndarray]]
    pairs: int = 0
    bands: tuple[BandScore, ...] = ()


def measured(report: Report, pairing: Pairing, reading: Reading, *, workers: int | None = None) -> Sample:
    """Measure a sample of the images that a report is of; which ones, a seed decides.

    At most 256 images of each set, and fewer large ones, of 8 million pixels together: that takes seconds.

    Raises
    ------
    NothingComparedError : if every image of the sample is broken.
    """
    some = replace(pairing, pairs=tuple(_drawn(report, pairing)))
    size = size_of_sets(some, workers=workers)
    of_sets = [_SPECTRAL] if min(size) >= SMALLEST else []
    bands = BANDS if pairing.paired else None
    gathered = Gathered(of_sets, common=size, bands=bands, one_size=None)
    task = Task(metrics=[], reading=reading, skip_broken=True, common=size, bands=bands, pairs=pairing.paired)
    examples: tuple[list[ndarray], list[ndarray]] = ([], [])
    with few_threads():
        work = partial(measure, pairing=some, task=task)
        for outcome in gathered.passing(stream(some.pairs, work, workers=workers)):
            for images, image in zip(examples, outcome.cut, strict=True):
                if image is not None and len(images) < EXAMPLES:
                    images.append(image)
    return Sample(
        size=size,
        averages=tuple(state.compute() for states in gathered.sets.values() for state in states if all(examples)),
        examples=examples,
        pairs=len(some.pairs) if pairing.paired else 0,
        bands=gathered.bands.compute() if gathered.bands else (),
    )


def _drawn(report: Report, pairing: Pairing) -> list[Pair]:
    """Return some of what was compared, in its order: pairs, or images of one set and then of the other."""
    largest = max(height * width for height, width in report.real.sizes + report.fake.sizes)
    most = min(_MOST, max(_FEWEST, _PIXELS // largest))
    if pairing.paired:
        there = {(row.real, row.fake) for row in report.pairs}
        return _some([pair for pair in pairing.pairs if not there or (pair.real, pair.partner) in there], most)
    sides = ([pair for pair in pairing.pairs if (pair.fake is None) is real] for real in (True, False))
    return [pair for side in sides for pair in _some(side, most)]


def _some(pairs: Sequence[Pair], most: int) -> list[Pair]:
    if len(pairs) <= most:
        return list(pairs)
    return [pairs[place] for place in sorted(random.Random(SEED).sample(range(len(pairs)), most))]
