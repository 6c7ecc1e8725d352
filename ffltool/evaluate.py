"""Run metrics over pairs of images, decoding each file once, and report what they say."""

from __future__ import annotations

import hashlib
import math
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import PIL

from ffltool import __version__, ranks
from ffltool.errors import BrokenImageError, FfltoolError, InputError, NothingComparedError, ShapeError, printable
from ffltool.images import Picture, Reading, read_pair, stream
from ffltool.metrics import Metric, look_up
from ffltool.metrics.mse import mse_of_images
from ffltool.metrics.sums import Mean
from ffltool.pairing import Pair, Pairing
from ffltool.report import ImageSet, PairValues, Report, Score

if TYPE_CHECKING:
    from numpy import ndarray

_CHUNK = 8  # pairs that a thread takes at a time; fewer cost small images a tenth more, and many idle at the end

# given an iterable and its length, passes on what it yields
Progress = Callable[[Iterable, int], Iterable]


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


def evaluate_pairs(
    pairing: Pairing,
    metrics: Iterable[str],
    *,
    reading: Reading | None = None,
    skip_broken: bool = False,
    workers: int | None = None,
    command: str = "metrics",
    progress: Progress | None = None,
) -> Report | None:
    """Compute metrics on every pair in one pass.

    Under torchrun each process measures its share of the pairs, and one all-reduce brings the values together:
    the result is that of a single process, to the bit.

    Parameters
    ----------
    metrics : names of the table in `ffltool.metrics`.
    reading : how files become pixels; the default drops alpha channels and wants equal sizes.
    skip_broken : leave out pairs with a broken image and name them in a warning, instead of raising.
    workers : threads that decode and measure; default the cores that this process may use.
    progress : wraps the stream of this process's pairs, given it and their number.

    Returns
    -------
    Report on the first process, None on the others.

    Raises
    ------
    InputError, ShapeError : for an image that cannot be read or measured; ``BrokenImageError`` where it is damaged.
    NothingComparedError : if no pair was compared.
    """
    start = time.perf_counter()
    rows = look_up(metrics)
    functions = [metric.of_pair for metric in rows]
    measure = partial(
        _measure, pairing=pairing, functions=functions, reading=reading or Reading(), skip_broken=skip_broken
    )
    with ranks.group():
        mine = ranks.share(pairing.pairs)
        workers = ranks.cores() if workers is None else workers
        chunk = max(1, min(_CHUNK, len(mine) // (4 * workers)))
        outcomes = stream(mine, measure, workers=workers, chunk=chunk)
        table = _Table(pairs=len(pairing.pairs), metrics=len(rows))
        table.fill(progress(outcomes, len(mine)) if progress else outcomes)
        table.all_reduce()
    if ranks.rank() > 0:
        return None
    return _report(pairing, rows, table, command=command, start=start)


@dataclass(frozen=True)
class _Outcome:
    """What became of one pair: its values, or nothing where it was left out."""

    height: int = 0
    width: int = 0
    alphas: int = 0
    values: tuple[float, ...] = ()
    skipped: bool = False


def _measure(
    pair: Pair,
    *,
    pairing: Pairing,
    functions: list[Callable[[Comparison], float]],
    reading: Reading,
    skip_broken: bool,
) -> _Outcome:
    """Read a pair and compute every metric on it; runs in a worker thread."""
    try:
        comparison = Comparison(*read_pair(*pairing.files(pair), reading))
        values = tuple(function(comparison) for function in functions)
    except BrokenImageError:
        if skip_broken:
            return _Outcome(skipped=True)
        raise
    except ShapeError as error:
        raise ShapeError(f"{pairing.files(pair)[0]}: {error}") from error
    alphas = comparison.real.alpha_dropped + comparison.fake.alpha_dropped
    return _Outcome(comparison.height, comparison.width, alphas, values)


class _Table:
    """A row of numbers for each pair: what became of it, height, width, alpha channels dropped, a value a metric.

    A process fills in the rows of its share and leaves the others 0, so that the sum over all processes is the table.
    """

    MEASURED, SKIPPED, FAILED = 1.0, 2.0, 3.0

    def __init__(self, *, pairs: int, metrics: int) -> None:
        self.width = 4 + metrics
        self.numbers = array("d", bytes(8 * self.width * pairs))
        self.error: FfltoolError | None = None

    def fill(self, outcomes: Iterable[_Outcome]) -> None:
        """Enter this process's pairs, up to the first that fails; `all_reduce` raises its error."""
        row = ranks.rank()
        try:
            for outcome in outcomes:
                numbers = [outcome.height, outcome.width, outcome.alphas, *outcome.values]
                self._enter(row, [self.SKIPPED] if outcome.skipped else [self.MEASURED, *numbers])
                row += ranks.world()
        except FfltoolError as error:
            self._enter(row, [self.FAILED])
            self.error = error

    def _enter(self, row: int, numbers: list[float]) -> None:
        self.numbers[row * self.width : row * self.width + len(numbers)] = array("d", numbers)

    def all_reduce(self) -> None:
        """Bring the rows of all processes together; raise the error that any of them met."""
        ranks.all_reduce(self.numbers)
        if self.error:
            raise self.error
        if self.FAILED in self.numbers[:: self.width]:
            raise InputError("another process stopped at an image, see its message")

    def rows(self) -> Iterator[list[float]]:
        """Yield the rows in the order of the pairs."""
        for start in range(0, len(self.numbers), self.width):
            yield self.numbers[start : start + self.width].tolist()


def _report(pairing: Pairing, metrics: list[Metric], table: _Table, *, command: str, start: float) -> Report:
    values, skipped, alphas = [], [], 0
    for pair, (outcome, height, width, dropped, *numbers) in zip(pairing.pairs, table.rows(), strict=True):
        if outcome == table.SKIPPED:
            skipped.append(printable(pair.real))
            continue
        alphas += int(dropped)
        values.append(PairValues(pair.real, pair.fake or pair.real, int(height), int(width), tuple(numbers)))
    if not values:
        raise NothingComparedError("nothing was compared")
    sizes = tuple(sorted({(row.height, row.width) for row in values}))
    columns = zip(*(row.values for row in values), strict=True)
    real, fake = pairing.folders
    return Report(
        command=command,
        version=__version__,
        real=_image_set(pairing.real, real, [row.real for row in values], sizes),
        fake=_image_set(pairing.fake, fake, [row.fake for row in values], sizes),
        scores=tuple(_score(metric, column) for metric, column in zip(metrics, columns, strict=True)),
        pairs=tuple(values),
        warnings=(*pairing.warnings, *_warnings(metrics, sizes, skipped, alphas)),
        environment=_environment(metrics),
        seconds=time.perf_counter() - start,
    )


def _score(metric: Metric, values: tuple[float, ...]) -> Score:
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
        settings=metric.settings,
    )


def _image_set(given: Path, folder: Path, names: list[str], sizes: tuple[tuple[int, int], ...]) -> ImageSet:
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0{(folder / name).stat().st_size}\n".encode(errors="surrogateescape"))
    return ImageSet(path=printable(str(given)), images=len(names), sizes=sizes, digest=f"sha256:{digest.hexdigest()}")


def _warnings(
    metrics: list[Metric], sizes: tuple[tuple[int, int], ...], skipped: list[str], alphas: int
) -> Iterator[str]:
    if skipped:
        yield f"{len(skipped)} pairs with a broken image were left out: {', '.join(skipped)}"
    if alphas:
        yield f"the alpha channel of {alphas} images was dropped; --alpha white or black composites them"
    if len(sizes) > 1 and any(metric.name == "lfd" for metric in metrics):
        yield (
            f"LFD grows with the number of pixels, and the images have {len(sizes)} sizes: "
            "the mean LFD compares only with that of sets of the same sizes"
        )


def _environment(metrics: list[Metric]) -> dict[str, str | None]:
    used = {name for metric in metrics for name in metric.libraries}
    return {
        "device": "cpu",
        "torch": sys.modules["torch"].__version__ if "torch" in used else None,
        "numpy": sys.modules["numpy"].__version__ if "numpy" in used else None,
        "pillow": PIL.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
