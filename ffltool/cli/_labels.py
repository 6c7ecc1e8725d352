"""What a terminal shows of label maps. Plain text here; printing is `_render`'s."""

from __future__ import annotations

from collections.abc import Iterator

from ffltool.report import Report

TITLES = ("class", "IoU", "accuracy", "real pixels", "fake pixels")


def rows(report: Report) -> Iterator[list[str]]:
    """Yield what each class that is there adds to the table, under `TITLES`."""
    for each in report.classes:
        if each.iou is not None:
            shares = (f"{each.iou:.4f}", "-" if each.accuracy is None else f"{each.accuracy:.4f}")
            yield [str(each.label), *shares, str(each.real_pixels), str(each.fake_pixels)]


def what_counts(report: Report) -> str:
    """Return the lines that say which classes and pixels count; nothing for a report without classes."""
    if not report.classes:
        return ""
    settings = {name: value for score in report.scores for name, value in score.settings.items()}
    absent = sum(each.iou is None for each in report.classes)
    lines = [f"{len(report.classes)} classes, ignore index {settings['ignore_index']}"]
    if absent and "absent" in settings:
        means = {"nan": "left out of the mean", "zero": "counted as 0 in the mean"}
        lines.append(f"{absent} absent on both sides: {means[str(settings['absent'])]}")
    if settings.get("accuracy_over") == "all":
        lines.append("accuracy over all pixels, ignored ones too")
    return "\n".join(lines)
