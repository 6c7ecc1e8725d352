"""What makes the numbers of a report comparable, in words: sets, metrics, how images were read, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ffltool.images import Reading
from ffltool.label_maps import LabelMaps
from ffltool.limits import PEAKS
from ffltool.metrics import METRICS
from ffltool.report import ImageSet, Report, Score

# what each metric is, in a few words
TITLES = {name: metric.title for name, metric in METRICS.items()} | {
    PEAKS: "z of the strongest grid that the fake images have and the real ones have not"
}
_ALPHAS = {"drop": "dropped", "white": "composited over white", "black": "composited over black", "error": "refused"}
_FITS = {
    "none": "must be the same",
    "crop": "cut about their centres to the smaller height and width",
    "resize": "the fake image is brought to the real one's with Lanczos's filter",
}
_MOST_SIZES = 6


def conventions(report: Report, reading: Reading | LabelMaps) -> Iterator[tuple[str, str]]:
    """Yield terms, and what there is to say of each; definitions are those on top of the metrics' modules."""
    yield "real", _of_set(report.real)
    yield "fake", _of_set(report.fake)
    yield "reading", _of_reading(reading, paired=bool(report.pairs))
    for scores in _by_module(report).values():
        metric = METRICS[_name(scores[0])]
        settings = {key: value for score in scores for key, value in score.settings.items()}
        lines = [*_formulas(metric.module.__doc__), _listed(settings)]
        yield ", ".join(dict.fromkeys(map(_name, scores))), "\n".join(filter(None, lines))
    yield from ((PEAKS, f"{TITLES[PEAKS]}\n{_listed(each.settings)}") for each in report.scores if each.metric == PEAKS)
    made = {"ffltool": report.version, **report.environment}
    yield "versions", _listed({name: value for name, value in made.items() if value is not None})
    yield "time", f"{report.seconds:.2f} s for the scores"


def _by_module(report: Report) -> dict[str, list[Score]]:
    """Return scores by the module that their metrics live in, and share a definition in."""
    modules: dict[str, list[Score]] = {}
    for score in report.scores:
        if _name(score) in METRICS:
            modules.setdefault(METRICS[_name(score)].module.__name__, []).append(score)
    return modules


def _name(score: Score) -> str:
    return score.metric.partition("[")[0]


def _formulas(docstring: str | None) -> Iterator[str]:
    """Yield the paragraphs of a module's docstring that are equations, line by line."""
    for paragraph in (docstring or "").split("\n\n"):
        lines = [re.sub(r"\s{3,}", "; ", line.strip()) for line in paragraph.strip().splitlines()]
        if all(" = " in line for line in lines):
            yield from lines


def _of_set(images: ImageSet) -> str:
    sizes = ", ".join(f"{height} × {width}" for height, width in images.sizes[:_MOST_SIZES])
    sizes = f", height × width {sizes}" if sizes else ""
    more = f" and {len(images.sizes) - _MOST_SIZES} more" if len(images.sizes) > _MOST_SIZES else ""
    plural = "s" if images.images > 1 else ""
    return f"{images.path}\n{images.images} image{plural}{sizes}{more}\n{images.digest}"


def _of_reading(reading: Reading | LabelMaps, *, paired: bool) -> str:
    if isinstance(reading, LabelMaps):
        classes = "every label found is a class" if reading.classes is None else f"classes 0 to {reading.classes - 1}"
        return (
            f"label maps; {classes}; ignore index {reading.ignore_index}; absent classes: {reading.absent}; "
            f"accuracy over {reading.accuracy_over} pixels"
        )
    fit = f"; sizes of a pair: {_FITS[reading.fit]}" if paired else ""
    return (
        "pixels as Pillow decodes them, 0 to 255, grey as three equal channels; "
        f"alpha channels are {_ALPHAS[reading.alpha]}{fit}"
    )


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
