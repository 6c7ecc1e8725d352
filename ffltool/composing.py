"""A report and its images into a page that stays small, whatever their number.

A page is smaller than 3 MB. Pictures are at most 256 pixels wide and high; where they would take too much, fewer pairs
are shown, and smaller. Their colours are exact unless they had to be shrunk; figures of maps have 256 colours, none off
by more than a few levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

from ffltool.conventions import conventions
from ffltool.exhibits import distributions, in_bands, spectra
from ffltool.images import Reading
from ffltool.label_maps import LabelMaps
from ffltool.page import Exhibit, Page, Panel, as_html
from ffltool.pairing import Pair, Pairing
from ffltool.report import PairValues, Report
from ffltool.sample import SEED, Sample, measured
from ffltool.showcase import View, views_of
from ffltool.texts import shortened

BUDGET = 3_000_000  # bytes
_ROWS = 5000  # of the table of all pairs
_EXAMPLE = 128  # pixels of the longer side of an image of a set without pairs
# pairs among the worst and in the middle, pixels of the longer side of their images, rows: tried in this order
_FITS = (
    (6, 3, 256, _ROWS),
    (6, 3, 192, _ROWS),
    (4, 2, 192, _ROWS),
    (4, 2, 128, _ROWS),
    (3, 1, 96, _ROWS),
    (1, 1, 64, _ROWS),
    (1, 1, 64, 1000),
    (1, 0, 64, 100),
)
_LEGENDS = {
    Reading: "Each pair with its difference, whose sign is left out, and the spectra of the three: ln(1 + |F|) of the "
    "grey (Rec. 601), zero frequency in the middle, on one scale.",
    LabelMaps: "Classes have arbitrary colours.",
}


def page_of(report: Report, pairing: Pairing, reading: Reading | LabelMaps, *, workers: int | None = None) -> str:
    """Return the page of a report as HTML, at most `BUDGET` bytes of it.

    Mean spectra, and bands unless the report has them, are of a sample, see `ffltool.sample`. Pictures of pairs are
    fewer and smaller where they would take too much, and the table of all pairs holds the worst 5000.

    Parameters
    ----------
    pairing, reading : what the report was made with; images are read once more.
    workers : threads that decode; default the cores that this process may use.
    """
    page = Page(report=report, distributions=tuple(distributions(report)), legend=_LEGENDS[type(reading)])
    told = dict(conventions(report, reading))
    if isinstance(reading, Reading):
        sample = measured(report, pairing, reading, workers=workers)
        page = _with_sample(page, sample)
        told["figures"] = f"matplotlib {version('matplotlib')}, torch {version('torch')}"
    page = replace(page, conventions=tuple(told.items()))
    worst, median = _chosen(report)
    views = {pair: _views(pair, pairing, reading) for pair in (*worst, *median)}
    for fit in _FITS:
        html = as_html(_cut(page, worst, median, views, fit))
        if len(html.encode()) <= BUDGET:
            break
    return html


def _with_sample(page: Page, sample: Sample) -> Page:
    """Return a page with what there is to see in a sample."""
    report = page.report
    bands = report.bands or sample.bands
    return replace(
        page,
        spectra=tuple(spectra(sample)),
        sample=_of_spectra(sample, report),
        bands=bands,
        band_drawings=tuple(in_bands(bands)),
        band_sample="" if report.bands else f"Of {_some(sample.pairs, report.real.images)} pairs.",
        examples=() if report.pairs else tuple(_examples(sample)),
    )


def _of_spectra(sample: Sample, report: Report) -> str:
    """Say of what mean spectra are."""
    counts = [
        f"{_some(average.images, side.images)} {name}"
        for average, side, name in zip(sample.averages, (report.real, report.fake), ("real", "fake"), strict=False)
    ]
    height, width = sample.size
    several = {sample.size} != {*report.real.sizes, *report.fake.sizes}
    cut = f", each cut about its centre to {height} × {width} pixels" if several else ""
    return (
        f"Mean power spectra |F|² of {' and '.join(counts)} images{cut}: grey (Rec. 601, 0 to 255), under a Hann "
        "window of mean square 1, DFT without a factor. Frequencies are in cycles per pixel; 0.5 is the Nyquist "
        "frequency."
    )


def _some(count: int, all_of_them: int) -> str:
    return f"all {count}" if count == all_of_them else f"{count} of {all_of_them} (drawn with seed {SEED})"


def _examples(sample: Sample) -> Iterator[tuple[str, tuple[Panel, ...]]]:
    """Yield the name of each side that has images, with some of them."""
    for side, images in zip(("real", "fake"), sample.examples, strict=True):
        numbered = enumerate(images, start=1)
        views = [View.of(image, f"{side} {number}", f"one of the {side} images") for number, image in numbered]
        if views:
            yield side, tuple(view.panel(_EXAMPLE) for view in views)


def _chosen(report: Report) -> tuple[list[PairValues], list[PairValues]]:
    """Return the worst pairs, worst first, and those in the middle of the others."""
    most, middle, *_ = _FITS[0]
    ordered = report.worst(len(report.pairs))
    start = max(most, (len(ordered) - middle) // 2)
    return ordered[:most], ordered[start : start + middle]


def _views(pair: PairValues, pairing: Pairing, reading: Reading | LabelMaps) -> list[View]:
    fake = None if pairing.pairs[0].fake is None else pair.fake
    return views_of(pairing.both(Pair(pair.real, fake)), shortened(pair.real), reading)


def _cut(
    page: Page,
    worst: Sequence[PairValues],
    median: Sequence[PairValues],
    views: Mapping[PairValues, Sequence[View]],
    fit: tuple[int, int, int, int],
) -> Page:
    """Return a page with as many pairs, pixels and rows as one of `_FITS` says."""
    most, middle, longest, rows = fit

    def shown(pairs: Sequence[PairValues]) -> tuple[Exhibit, ...]:
        return tuple(Exhibit(pair=pair, panels=tuple(view.panel(longest) for view in views[pair])) for pair in pairs)

    report = page.report
    table = report.pairs if len(report.pairs) <= rows else tuple(report.worst(rows))
    return replace(page, worst=shown(worst[:most]), median=shown(median[:middle]), rows=table)
