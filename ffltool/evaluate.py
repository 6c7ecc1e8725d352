"""Run metrics over pairs or sets of images, decoding each file once, and report what they say."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool import ranks
from ffltool.errors import InputError
from ffltool.images import Reading
from ffltool.label_maps import LabelMaps
from ffltool.looking import Looking
from ffltool.measure import Task, measure
from ffltool.metrics import METRICS, Metric, look_up
from ffltool.outcomes import Table
from ffltool.pairing import STATISTICS, Pairing
from ffltool.report import MOST_BANDS, Report, may_be_bands
from ffltool.sizes import Size, sizes_of, smallest
from ffltool.stream import Progress, starts_workers, stream, watched, workers_of
from ffltool.summary import RunSums, summarised

if TYPE_CHECKING:
    from ffltool.learned import Learned

_CHUNK = 8  # pairs that a process takes at a time; fewer cost small images a tenth more, and many idle at the end
_SMALL = 64 * 1024  # bytes of a file below which processes beat threads
_THREADED = {"numpy", "torch"}  # modules that start threads of their own
_MANY = 100  # pairs from which on starting processes pays


def evaluate_pairs(
    pairing: Pairing,
    metrics: str | Iterable[str],
    *,
    reading: Reading | LabelMaps | None = None,
    looking: Looking | None = None,
    skip_broken: bool = False,
    bands: int | None = None,
    error_map: bool = False,
    save_statistics: Path | None = None,
    workers: int | None = None,
    command: str = "metrics",
    progress: Progress | None = None,
) -> Report | None:
    """Compute metrics on every pair, and on both sets as wholes, in one pass.

    Under torchrun each process measures its share of the pairs, and all-reduces bring the values together: those of
    pairs are a single process's to the bit, those of sets and bands to rounding.

    Parameters
    ----------
    pairing : pairs, or two sets of images (``pair(..., by="none")``) for metrics of sets alone.
    metrics : names of the table in `ffltool.metrics`, or one.
    reading : how files become pixels; the default drops alpha channels and wants equal sizes of a pair. Metrics of
        sets are of images as they are, cut about their centres to the smallest height and width of all. Metrics of
        labels want ``LabelMaps``.
    looking : how networks look at images, for learned metrics; the default is that of the papers, on the CPU.
    skip_broken : leave out what has a broken image and name it in a warning, instead of raising.
    bands : resolve the squared error in this many bands of frequencies, with the zero frequency and the corner.
    error_map : with bands, map the squared error over all frequencies; pairs must then have one size.
    save_statistics : write those of the real images there, to stand for them in later runs.
    workers : threads, or on Linux for many small files processes, that decode and measure; default the cores that this
        process may use.
    progress : wraps the stream of this process's pairs, given it and their number.

    Returns
    -------
    Report on the first process, None on the others.

    Raises
    ------
    InputError, ShapeError : for an image that cannot be read or measured; ``BrokenImageError`` where it is damaged.
    NothingComparedError : if no pair was compared.
    WeightsError : for a learned metric whose weights are missing, before any image is read.
    """
    start = time.perf_counter()
    rows = look_up(metrics)
    reading = reading or Reading()
    if bands is not None and not may_be_bands(bands):
        raise InputError(f"bands must be a number from 1 to {MOST_BANDS}, but is {bands!r}")
    bands = None if bands is None else int(bands)  # which NumPy's integers are not
    if error_map and bands is None:
        raise InputError("an error map comes with bands; say how many")
    _check(rows, pairing, reading, bands=bands is not None)
    learned = None
    if isinstance(reading, Reading) and any(metric.learned for metric in rows):
        from ffltool.learned import Learned

        learned = Learned(rows, looking or Looking(), pairing, alpha=reading.alpha, skip_broken=skip_broken)
        rows, pairing = learned.metrics, learned.pairing
    _check_pairs(rows, pairing, bands=bands is not None)
    if save_statistics is not None:
        _check_statistics(save_statistics, rows, pairing)
    of_spectra = any(metric.of == "sets" and not metric.learned for metric in rows)
    task = Task(
        metrics=[metric for metric in rows if metric.of != "sets" and not metric.learned],
        reading=reading,
        skip_broken=skip_broken,
        common=size_of_sets(pairing, workers=workers) if of_spectra else None,
        pairs=bands is not None or bool(learned and learned.lpips),
        shown=learned.shown if learned else (False, False),
        bands=bands,
        one_size=_only_size(pairing, reading, workers=workers) if error_map else None,
    )
    table, sums = _run(pairing, task, rows, learned, workers=workers, progress=progress)
    if ranks.rank() > 0:
        return None
    outcomes = list(table.outcomes())
    if learned:
        learned.keep(outcomes)
    report = summarised(pairing, rows, outcomes, sums, common=task.common, command=command, start=start)
    if learned and save_statistics is not None:
        learned.save(save_statistics, report.real)
    return report


def _check(metrics: Sequence[Metric], pairing: Pairing, reading: Reading | LabelMaps, *, bands: bool) -> None:
    """Find out whether the metrics suit what the files are read as."""
    of_images, of_labels = (
        [each.name for each in metrics if (each.of == "labels") is labels] for labels in (False, True)
    )
    if isinstance(reading, LabelMaps) and (of_images or bands):
        known = ", ".join(metric.name for metric in METRICS.values() if metric.of == "labels")
        raise InputError(f"{', '.join(of_images) or 'bands'}: of images, but --labels reads label maps, for {known}")
    if of_labels and not isinstance(reading, LabelMaps):
        raise InputError(f"{', '.join(of_labels)}: of label maps, which --labels reads, not of images")
    if pairing.statistics and (others := [metric.name for metric in metrics if not metric.learned]):
        raise InputError(
            f"{', '.join(others)}: these want real images, and {pairing.statistics} is a file of statistics"
        )


def _check_pairs(metrics: Sequence[Metric], pairing: Pairing, *, bands: bool) -> None:
    """Find out whether the metrics, of which some may have been left out, have the pairs that they want."""
    in_pairs = [metric.name for metric in metrics if metric.of != "sets"]
    if not pairing.paired and (in_pairs or bands):
        raise InputError(f"{', '.join(in_pairs) or 'bands'}: these want pairs of images")


def _check_statistics(path: Path, metrics: Sequence[Metric], pairing: Pairing) -> None:
    """Find out whether statistics of the real images can be written there."""
    if path.suffix.lower() != STATISTICS:
        raise InputError(f"{path}: the name of a file of statistics ends in {STATISTICS}")
    if pairing.statistics:
        raise InputError(f"{path} cannot be written: there are no real images, but their statistics already")
    if all(metric.name != "fid" for metric in metrics):
        raise InputError(f"{path} cannot be written: statistics are made by fid, which is not among the metrics")


def _run(
    pairing: Pairing,
    task: Task,
    metrics: Sequence[Metric],
    learned: Learned | None,
    *,
    workers: int | None,
    progress: Progress | None,
) -> tuple[Table, RunSums]:
    """Measure everything, on all processes; return outcomes, and what was made of all of them together."""
    gathered = tally = None
    with ranks.group(), ExitStack() as stack:
        mine = ranks.share(pairing.pairs)
        workers = workers_of(workers)
        task = replace(task, at_once=workers > 1 and not starts_workers(len(mine), workers))
        work, processes = partial(measure, pairing=pairing, task=task), _processes_pay(pairing, task.metrics)
        chunk = 1
        if processes and not task.hands_over:
            chunk = max(1, min(_CHUNK, len(mine) // (4 * max(1, workers))))
        outcomes = stream(mine, work, workers=workers, chunk=chunk, processes=processes)
        if task.hands_over:  # workers are there: what follows starts threads
            from ffltool.batches import Gathered, few_threads

            stack.enter_context(few_threads(learned.threads if learned else None))
            gathered = Gathered(metrics, common=task.common, bands=task.bands, one_size=task.one_size)
            outcomes = gathered.passing(outcomes)
            outcomes = learned.passing(outcomes) if learned else outcomes
        if isinstance(task.reading, LabelMaps):
            from ffltool.tallies import Tally

            tally = Tally(task.reading)
            outcomes = tally.passing(outcomes)
        sums = RunSums(gathered=gathered, tally=tally, learned=learned)
        table = Table(items=len(pairing.pairs), values=sum(metric.of != "sets" for metric in metrics))
        table.fill(watched(outcomes, len(mine), progress))
        table.all_reduce()
        sums.all_reduce()
    return table, sums


def _processes_pay(pairing: Pairing, metrics: Sequence[Metric]) -> bool:
    """Tell whether to fork processes, in place of threads.

    They pay for many pairs whose work holds the interpreter's lock: small files, or metrics in many steps of NumPy.
    Only a process of one thread can be forked, and that safely on Linux alone.
    """
    if sys.platform != "linux" or threading.active_count() > 1 or not sys.modules.keys().isdisjoint(_THREADED):
        return False
    if len(pairing.pairs) < _MANY:
        return False
    some = (next(filter(None, pairing.files(pair))) for pair in pairing.pairs[:: len(pairing.pairs) // 8])
    sizes = [path.stat().st_size for path in some if path.exists()]
    return any(metric.libraries for metric in metrics) or sum(sizes) < _SMALL * len(sizes)


def _only_size(pairing: Pairing, reading: Reading | LabelMaps, *, workers: int | None) -> Size:
    """Return the size that all pairs have, as they are read."""
    fit = reading.fit if isinstance(reading, Reading) else "none"
    sizes = _sizes(pairing, workers=workers)
    found: dict[Size, Path] = {}
    for pair in pairing.pairs:
        files = [path for path in filter(None, pairing.files(pair)) if path in sizes]
        both = [sizes[path] for path in files]
        if pair.fake is None:
            both = [(height, width // 2) for height, width in both]
        elif fit == "crop" and both:
            both = [smallest(both)]
        elif fit == "resize":
            both = both[:1]
        for size, path in zip(both, files, strict=False):
            found.setdefault(size, path)
    (one, first), *others = found.items()
    if others:
        other, path = others[0]
        raise InputError(
            f"{path} is {other[0]}x{other[1]} but {first} {one[0]}x{one[1]}; one size is wanted for a figure"
        )
    return one


def _sizes(pairing: Pairing, *, workers: int | None) -> dict[Path, Size]:
    """Return the size of each file, but for broken ones; images in memory have names as files do."""
    if pairing.in_memory:
        held = [each for pair, both in pairing.pictures.items() for each in zip(pairing.files(pair), both, strict=True)]
        return {path: image.size for path, image in held if path is not None and image is not None}
    paths = (path for pair in pairing.pairs for path in pairing.files(pair) if path is not None)
    return sizes_of(paths, skip_broken=True, workers=workers)


def size_of_sets(pairing: Pairing, *, workers: int | None) -> Size:
    """Return the smallest height and width of all images; those of two in one file are half as wide.

    Raises what `ffltool.sizes.sizes_of` raises, but for broken images.
    """
    halved = pairing.paired and pairing.pairs[0].fake is None
    sizes = _sizes(pairing, workers=workers).values()
    return smallest((height, width // 2 if halved else width) for height, width in sizes)
