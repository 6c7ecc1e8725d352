"""Run metrics over pairs of images, decoding each file once, and report what they say."""

from __future__ import annotations

import math
import sys
import threading
import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import PIL

from ffltool import __version__, ranks
from ffltool.errors import BrokenImageError, FfltoolError, InputError, NothingComparedError, ShapeError, printable
from ffltool.images import Picture, Reading, alpha_dropped, read_pair
from ffltool.metrics import Metric, look_up
from ffltool.metrics.mse import mse_of_images
from ffltool.metrics.sums import Mean
from ffltool.pairing import Pair, Pairing, digest
from ffltool.report import BandScore, ImageSet, PairValues, Report, Score
from ffltool.stream import Progress, stream

if TYPE_CHECKING:
    from numpy import ndarray

_CHUNK = 8  # pairs that a worker takes at a time; fewer cost small images a tenth more, and many idle at the end
_SMALL = 64 * 1024  # bytes of a file below which processes beat threads
_THREADED = {"numpy", "torch"}  # modules that start threads of their own
_MANY = 100  # pairs from which on starting processes pays


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
    bands: int | None = None,
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
    bands : resolve the squared error in this many bands of frequencies, with the zero frequency and the corner.
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
    measure = partial(
        _measure, pairing=pairing, metrics=rows, bands=bands, reading=reading or Reading(), skip_broken=skip_broken
    )
    with ranks.group():
        mine = ranks.share(pairing.pairs)
        workers = ranks.cores() if workers is None else workers
        chunk = max(1, min(_CHUNK, len(mine) // (4 * workers)))
        processes = bands is None and _processes_pay(pairing, rows)
        outcomes = stream(mine, measure, workers=workers, chunk=chunk, processes=processes)
        table = _Table(pairs=len(pairing.pairs), values=len(rows) + (0 if bands is None else 4 * (bands + 2)))
        table.fill(progress(outcomes, len(mine)) if progress else outcomes)
        table.all_reduce()
    if ranks.rank() > 0:
        return None
    return _report(pairing, rows, table, bands=bands, command=command, start=start)


def _processes_pay(pairing: Pairing, metrics: list[Metric]) -> bool:
    """Tell whether to fork processes, in place of threads.

    They pay for many pairs whose work holds the interpreter's lock: small files, or metrics in many steps of NumPy.
    Only a process of one thread can be forked, and that safely on Linux alone.
    """
    if sys.platform != "linux" or threading.active_count() > 1 or not sys.modules.keys().isdisjoint(_THREADED):
        return False
    if len(pairing.pairs) < _MANY:
        return False
    some = (pairing.files(pair)[0] for pair in pairing.pairs[:: len(pairing.pairs) // 8])
    sizes = [path.stat().st_size for path in some if path.exists()]
    return any(metric.libraries for metric in metrics) or sum(sizes) < _SMALL * len(sizes)


class _Outcome(NamedTuple):
    """What became of one pair: numbers, all of them, so that it is a row of a table."""

    state: float
    height: float = 0
    width: float = 0
    real_bytes: float = 0
    fake_bytes: float = 0
    alphas: float = 0  # how many of the two images lost an alpha channel
    values: tuple[float, ...] = ()


_MEASURED, _SKIPPED, _FAILED = 1.0, 2.0, 3.0  # states; 0 is that of a pair that another process measures


def _measure(
    pair: Pair,
    *,
    pairing: Pairing,
    metrics: list[Metric],
    bands: int | None,
    reading: Reading,
    skip_broken: bool,
) -> _Outcome:
    """Read a pair and compute every metric on it, and the energies of its bands; runs in a worker."""
    try:
        comparison = Comparison(*read_pair(*pairing.files(pair), reading))
        values = [metric.of_pair(comparison) for metric in metrics]
        if bands is not None:
            values += import_module("ffltool.metrics.bands").of_pair(comparison, count=bands)
    except BrokenImageError:
        if skip_broken:
            return _Outcome(_SKIPPED)
        raise
    except ShapeError as error:
        raise ShapeError(f"{pairing.files(pair)[0]}: {error}") from error
    real, fake = comparison.real, comparison.fake
    alphas = real.alpha_dropped + fake.alpha_dropped
    return _Outcome(_MEASURED, *real.size, real.file_bytes, fake.file_bytes, alphas, tuple(values))


class _Table:
    """The outcomes of all pairs as rows of numbers.

    A process fills in the rows of its share and leaves the others 0, so that the sum over all processes is the table.
    """

    def __init__(self, *, pairs: int, values: int) -> None:
        self.width = len(_Outcome._fields) - 1 + values
        self.numbers = array("d", bytes(8 * self.width * pairs))
        self.error: FfltoolError | None = None

    def fill(self, outcomes: Iterable[_Outcome]) -> None:
        """Enter this process's pairs, up to the first that fails; `all_reduce` raises its error."""
        row = ranks.rank()
        try:
            for outcome in outcomes:
                self._enter(row, outcome)
                row += ranks.world()
        except FfltoolError as error:
            self._enter(row, _Outcome(_FAILED))
            self.error = error

    def _enter(self, row: int, outcome: _Outcome) -> None:
        numbers = array("d", [*outcome[:-1], *outcome.values])
        self.numbers[row * self.width : row * self.width + len(numbers)] = numbers

    def all_reduce(self) -> None:
        """Bring the rows of all processes together; raise the error that any of them met."""
        ranks.all_reduce(self.numbers)
        if self.error:
            raise self.error
        if _FAILED in self.numbers[:: self.width]:
            raise InputError("another process stopped at an image, see its message")

    def outcomes(self) -> Iterator[_Outcome]:
        """Yield what became of the pairs, in their order."""
        facts = len(_Outcome._fields) - 1
        for start in range(0, len(self.numbers), self.width):
            row = self.numbers[start : start + self.width]
            yield _Outcome(*row[:facts], values=tuple(row[facts:]))


def _report(
    pairing: Pairing, metrics: list[Metric], table: _Table, *, bands: int | None, command: str, start: float
) -> Report:
    outcomes = list(zip(pairing.pairs, table.outcomes(), strict=True))
    measured = [(pair, outcome) for pair, outcome in outcomes if outcome.state == _MEASURED]
    if not measured:
        raise NothingComparedError("nothing was compared")
    skipped = [printable(pair.real) for pair, outcome in outcomes if outcome.state == _SKIPPED]
    alphas = int(sum(outcome.alphas for _, outcome in measured))
    sizes = tuple(sorted({(int(outcome.height), int(outcome.width)) for _, outcome in measured}))
    columns = zip(*(outcome.values for _, outcome in measured), strict=True)  # the metrics first, then the bands
    return Report(
        command=command,
        version=__version__,
        real=_image_set(pairing.real, sizes, [(pair.real, outcome.real_bytes) for pair, outcome in measured]),
        fake=_image_set(pairing.fake, sizes, [(pair.partner, outcome.fake_bytes) for pair, outcome in measured]),
        scores=tuple(_score(metric, column) for metric, column in zip(metrics, columns, strict=False)),
        pairs=tuple(
            PairValues(pair.real, pair.partner, int(outcome.height), int(outcome.width), outcome.values[: len(metrics)])
            for pair, outcome in measured
        ),
        warnings=(*pairing.warnings, *_warnings(metrics, sizes, skipped, alphas)),
        environment=_environment(metrics, bands=bands),
        seconds=time.perf_counter() - start,
        bands=() if bands is None else _bands([outcome.values[len(metrics) :] for _, outcome in measured], bands),
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


def _bands(energies: list[tuple[float, ...]], count: int) -> tuple[BandScore, ...]:
    module, torch = import_module("ffltool.metrics.bands"), import_module("torch")
    return module.band_scores(torch.tensor(energies, dtype=torch.float64).unflatten(1, (count + 2, -1)), count=count)


def _image_set(given: Path, sizes: tuple[tuple[int, int], ...], files: list[tuple[str, float]]) -> ImageSet:
    return ImageSet(path=printable(str(given)), images=len(files), sizes=sizes, digest=digest(files))


def _warnings(
    metrics: list[Metric], sizes: tuple[tuple[int, int], ...], skipped: list[str], alphas: int
) -> Iterator[str]:
    if skipped:
        yield f"{len(skipped)} pairs with a broken image were left out: {', '.join(skipped)}"
    if alphas:
        yield f"{alpha_dropped(alphas)}; --alpha white or black composites"
    if len(sizes) > 1 and any(metric.name == "lfd" for metric in metrics):
        yield (
            f"LFD grows with the number of pixels, and the images have {len(sizes)} sizes: "
            "the mean LFD compares only with that of sets of the same sizes"
        )


def _environment(metrics: list[Metric], *, bands: int | None) -> dict[str, str | None]:
    used = {name for metric in metrics for name in metric.libraries} | ({"torch"} if bands else set())
    return {
        "device": "cpu",
        "torch": import_module("torch").__version__ if "torch" in used else None,
        "numpy": import_module("numpy").__version__ if "numpy" in used else None,
        "pillow": PIL.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
