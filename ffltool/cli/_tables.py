"""What was found as tables for standard output. Plain text here; printing is `_render`'s."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool.errors import printable
from ffltool.report import Report
from ffltool.texts import number, share, signed

if TYPE_CHECKING:
    from rich.table import Table

    from ffltool.diagnose import Diagnosis
    from ffltool.grids import Finding, Search
    from ffltool.reconstruct import Reconstruction
    from ffltool.survey import Survey

Sizes = tuple[tuple[int, int], ...]  # (height, width) of images

_PIPED_WIDTH = 120
_NARROWEST = 72  # a table is not made narrower than this: a number cut in two is worse than a broken line


def of_report(report: Report, *, note: str) -> str:
    """Return the scores and the worst pairs, with `note` below."""
    from ffltool.cli import _labels
    from ffltool.formats import cells

    titles, rows = ["metric", "mean", "std", "min", "max"], [cells(score) for score in report.scores]
    if report.classes:
        titles, rows = ["metric", "value", "min", "max"], [[*row[:2], *row[3:]] for row in rows]
    elif not report.pairs:  # nothing to deviate: a set has one value
        numbers = 3 if any(score.std is not None for score in report.scores) else 2  # over subsets or splits
        titles, rows = ["metric", "value", "std"][:numbers], [[*row[:numbers], *row[-2:]] for row in rows]
    parts = [columns(*titles, rows=rows, texts=("unit", "better"))]
    if report.bands:
        parts.append(_of_bands(report))
    if report.classes:
        parts.append(columns(*_labels.TITLES, rows=_labels.rows(report)))
    if report.pairs:
        parts.append(worst_pairs(report))
    return drawn(what(report), *parts, *([note] if note else []))


def worst_pairs(report: Report) -> Table:
    """Return the worst pairs with their scores."""
    worst = ([printable(pair.real), *map(number, pair.values)] for pair in report.worst())
    return columns("worst pairs", *(score.metric for score in report.of_pairs), rows=worst)


def what(report: Report) -> str:
    """Say what was compared."""
    from ffltool.formats import compared

    sizes = _size(report.real.sizes + report.fake.sizes)
    return f"{compared(report)}, {sizes}: {report.real.path} and {report.fake.path}"


def _of_bands(report: Report) -> Table:
    return columns(
        *("band (cycles/pixel)", "LFD", "share", "amplitude", "phase", "gain (dB)"),
        rows=(
            [
                band.name,
                f"{band.lfd:.4f}",
                *map(share, (band.share, band.amplitude_share, band.phase_share)),
                signed(band.gain_db),
            ]
            for band in report.bands
        ),
    )


def _size(sizes: Sizes) -> str:
    """Say which size images have, or how many."""
    (height, width), *others = set(sizes)
    return f"{1 + len(others)} sizes" if others else f"{height}x{width}"


def what_lfd_is(report: Report) -> str:
    """Return the line that says what LFD is, and for one size the PSNR that the mean corresponds to."""
    from ffltool.metrics.lfd import psnr_from_lfd

    line = "LFD = ln(H·W·MSE + 1): the mean squared error on a log scale that depends on the size of the image."
    if len(report.real.sizes) > 1:
        return line
    height, width = report.real.sizes[0]
    decibel = psnr_from_lfd(report.scores[0].value, height=height, width=width)
    return f"{line}\nAt {height}x{width} an LFD of {report.scores[0].value:.4f} is a PSNR of {decibel:.2f} dB."


def of_rebuilt(folder: Path, results: list[Reconstruction]) -> str:
    """Return what each objective brought back, and where the files are."""
    rows = (
        [
            result.objective,
            str(last.number),
            f"{last.seconds:.2f}",
            f"{last.loss:.3g}",
            number(last.psnr),
            number(last.lfd),
        ]
        for result in results
        for last in result.steps[-1:]
    )
    table = columns("objective", "steps", "seconds", "loss", "PSNR (dB)", "LFD", rows=rows)
    return drawn(table, f"images, figure.png, curves and report.json are in {printable(str(folder))}")


def of_files(folder: Path, names: list[str]) -> str:
    """Return which files were written."""
    return drawn(f"wrote {', '.join(names)} to {printable(str(folder))}")


def of_survey(survey: Survey) -> str:
    """Return the level of the first set in bands of frequencies, and the gain of the others against it."""
    from ffltool.metrics.spectral import BANDS
    from ffltool.radial import bands
    from ffltool.views import band_gains, label, references

    height, width = survey.size
    rows = zip(survey.sets, references(survey), band_gains(survey), strict=True)
    table = columns(
        "set",
        "images",
        *(band.name for band in bands(BANDS)[1:]),
        rows=(
            [
                each.label if each.label == each.input else f"{each.label}, {each.input}",
                str(each.images),
                *(f"{value:{'+' * (first != number)}.2f}" if math.isfinite(value) else "-" for value in values),
            ]
            for number, (each, first, values) in enumerate(rows)
        ),
    )
    unit = f"{label(replace(survey.recipe, show='db'))} in bands of cycles per pixel"
    gains = "; with a sign: the gain against the set above without one" if len(survey.labels) > 1 else ""
    return drawn(f"{height}x{width}: {unit}{gains}", table)


def of_figure(figure: Path, folder: Path | None, names: list[str]) -> str:
    """Return where a figure is, and the images in it where they were kept."""
    line = f"wrote {printable(str(figure))}"
    return drawn(line) + (of_files(folder, names) if folder is not None else "")


def of_search(search: Search) -> str:
    """Return the peaks of each set, and whether they make a grid."""
    return drawn(*(part for finding in search.findings for part in _of_finding(finding, search)))


def _of_finding(finding: Finding, search: Search) -> list[Table | str]:
    from ffltool.grids import grid_of

    images = "1 image" if finding.images == 1 else f"{finding.images} images"
    grid = grid_of(finding.peaks)
    said = f"periodic artefact, {grid} pixels" if grid else "no periodic artefact"
    head = f"{finding.input}, {images}, {finding.size[0]}x{finding.size[1]}: {said}"
    if not finding.peaks:
        return [head]
    over = search.reference is not None
    rows = (
        [
            f"{peak.u:.4f}",
            *(f"{peak.v:.4f}", f"{peak.period_px:.2f}", f"{peak.z:.1f}"),
            *([f"{peak.over_reference:.1f}"] if over else []),
            *(f"{peak.level_db:.1f}", f"{peak.energy_share:.3%}", "-" if peak.lattice is None else str(peak.lattice)),
            peak.kind,
        ]
        for peak in finding.peaks
    )
    numbers = ("v", "period", "z", *(["over"] if over else []), "dB", "energy", "repeats")
    return [head, columns("u (c/px)", *numbers, rows=rows, texts=("kind",))]


def of_diagnosis(diagnosis: Diagnosis) -> str:
    """Return what FFL is beside other losses, what the exponent does, and where it comes from."""
    effects = columns(
        *("alpha", "FFL", "mean weight", "DC", ">= 1/4", "like MSE at", "without DC"),
        rows=(
            [
                f"{each.alpha:g}",
                f"{each.ffl:.4g}",
                f"{each.mean_weight:.4f}",
                share(each.dc_share),
                share(each.high_share),
                _digits(each.weight_for_mse),
                f"{each.without_dc:.4g}",
            ]
            for each in sorted(diagnosis.effects, key=lambda each: each.alpha)
        ),
    )
    bands = columns(
        *("band (cycles/pixel)", "share of MSE", "share of FFL"),
        rows=([band.name, share(band.mse_share), share(band.ffl_share)] for band in diagnosis.bands),
    )
    pairs = f"{diagnosis.pairs} pair{'s' * (diagnosis.pairs > 1)}, {_size(diagnosis.sizes)}"
    return drawn(
        f"{pairs}: {diagnosis.real} and {diagnosis.fake}",
        _of_losses(diagnosis),
        "gradients: FFL's length over the other's; equal at that weight of FFL",
        effects,
        "shares of FFL: DC, and frequencies from 1/4 cycle per pixel on",
        bands,
    )


def _of_losses(diagnosis: Diagnosis) -> Table:
    asked = diagnosis.effects[0]
    return columns(
        *("loss, pixels 0..1", "value", "FFL / it", "gradients", "equal at weight"),
        rows=[
            [f"FFL, alpha {asked.alpha:g}", f"{asked.ffl:.4g}", "", "", ""],
            *(
                [name, f"{value:.4g}", _digits(_ratio(asked.ffl, value)), _digits(_ratio(1, weight)), _digits(weight)]
                for name, value, weight in (
                    ("MSE", diagnosis.mse, asked.weight_for_mse),
                    ("L1", diagnosis.l1, asked.weight_for_l1),
                )
            ),
        ],
    )


def _ratio(one: float, other: float | None) -> float | None:
    return one / other if other else None


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def columns(first: str, *numbers: str, rows: Iterable[Iterable[str]], texts: tuple[str, ...] = ()) -> Table:
    """Return a table of a column of names, columns of numbers and columns of text."""
    from rich.table import Table
    from rich.text import Text

    table = Table(first, box=None, pad_edge=False, header_style="bold")
    table.columns[0].overflow = "fold"
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    for title in texts:
        table.add_column(title)
    for name, *values in rows:
        table.add_row(Text(name), *values)
    return table


def drawn(*parts: Table | str) -> str:
    """Return parts, one below the other, as text for standard output."""
    from rich.console import Console
    from rich.text import Text

    terminal = sys.stdout.isatty()
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, markup=False, emoji=False)
    console.width = max(console.width, _NARROWEST) if terminal else _PIPED_WIDTH
    for place, part in enumerate(parts):
        if place:
            console.print()
        console.print(Text(part) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))
    return "\n".join(line.rstrip() for line in text.getvalue().split("\n"))
