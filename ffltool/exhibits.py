"""The figures of a page, each with its caption, and its words for those who do not see it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from ffltool import figures, views
from ffltool.metrics.spectral import BANDS
from ffltool.page import Drawing, Embedded
from ffltool.radial import bands
from ffltool.recipes import Recipe
from ffltool.report import BandScore, Report, Score
from ffltool.sample import Sample
from ffltool.showcase import data_url
from ffltool.sources import Selection
from ffltool.survey import Survey, assembled
from ffltool.texts import number, signed, typeset

_FEWEST = 3  # values that have a distribution
_TABLE = " The table below has the numbers."
# title in `views.plots` -> the one on the page, and what a reader should know of it
_CAPTIONS = {
    "mean spectrum of real": ("Mean spectrum, real", "Power in dB over frequency, zero frequency in the middle."),
    "mean spectrum of fake": ("Mean spectrum, fake", "On the same scale; dots and crosses are periodic artefacts."),
    "gain of fake": (
        "Gain",
        "Power of the fake images over that of the real ones: red where they have more, blue where less.",
    ),
    "mean over rings": (
        "Radial profile",
        "Mean power over rings of equal frequency; the bands are one standard deviation between images.",
    ),
    "the last tenth": (
        "Radial profile, the last tenth",
        "The same just below the Nyquist frequency, where upsampling leaves its traces.",
    ),
    "gain": ("Radial gain", "Power of the fake images over that of the real ones, ring by ring; 0 dB is as much."),
    "mean over orientations": (
        "Profile over orientation",
        "Mean power over sectors of equal orientation; those of 0 degrees are vertical stripes.",
    ),
}


def distributions(report: Report) -> Iterator[Drawing]:
    """Yield how the values of each metric of pairs lie; nothing for fewer than three finite ones."""
    for score, values in zip(report.of_pairs, zip(*(pair.values for pair in report.pairs), strict=True), strict=False):
        finite = [value for value in values if math.isfinite(value)]
        if len(finite) >= _FEWEST:
            yield _distribution(score, finite, infinite=len(values) - len(finite))


def _distribution(score: Score, values: Sequence[float], *, infinite: int) -> Drawing:
    marks = {"mean": statistics.fmean(values), "median": statistics.median(values)}
    low, high = np.percentile(values, (5, 95))
    unit = f" {score.unit}" if score.unit else ""
    mean, median, low, high = (typeset(number(value)) for value in (*marks.values(), low, high))
    caption = f"Mean {mean}, median {median}, nine in ten from {low} to {high}{unit}."
    caption += f" {infinite} infinite values are not shown." if infinite else ""
    label = f"{score.metric} ({score.unit})" if score.unit else score.metric
    drawn = figures.histogram(values, label, marks=marks, of="pairs")
    title = f"{score.metric} of {len(values)} pairs"
    return _drawing(drawn, title, caption, alt=f"Histogram of {title}. {caption}")


def spectra(sample: Sample) -> Iterator[Drawing]:
    """Yield mean spectra of both sets, their profiles and gains; nothing where there are none."""
    if not sample.averages:
        return
    survey = _survey(sample)
    names = [band.name for band in bands(BANDS)[1:]]
    gains = ", ".join(
        f"{name}: {typeset(signed(gain))}" for name, gain in zip(names, views.band_gains(survey)[1], strict=True)
    )
    for name, figure in views.plots(survey):
        title, caption = _CAPTIONS[name]
        alt = f"{title}. {caption} Gain in dB in bands of cycles per pixel: {gains}."
        yield _drawing(figure, title, caption, alt=alt)


def _survey(sample: Sample) -> Survey:
    examples = [np.rint(np.moveaxis(images[0], 0, -1)).astype(np.uint8) for images in sample.examples]
    meta = {
        "recipe": asdict(Recipe()),
        "selection": asdict(Selection()),
        "sets": [{"label": "real"}, {"label": "fake"}],
    }
    return assembled(sample.averages, examples, meta)


def in_bands(scores: Sequence[BandScore]) -> Iterator[Drawing]:
    """Yield where in bands of frequencies the squared error lies, and the gains there."""
    if any(band.share for band in scores):
        most = max(scores, key=lambda band: band.share or 0)
        caption = f"The most, {most.share:.1%}, lies in {most.name}; hatched is the part of the phases."
        yield _drawing(figures.shares_in_bands(scores), "Share of the squared error", caption, alt=caption + _TABLE)
    if any(band.gain_db for band in scores):
        caption = "Power of the fake images over that of the real ones; left of 0 they lack it."
        yield _drawing(figures.gains_in_bands(scores), "Gain in bands", caption, alt=caption + _TABLE)


def _drawing(figure: figures.Figure, title: str, caption: str, *, alt: str) -> Drawing:
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    light, dark = (
        Embedded(url=data_url(*image), width=width, height=height) for image in figures.on_light_and_dark(figure)
    )
    return Drawing(light=light, dark=dark, alt=alt, title=title, caption=caption)
