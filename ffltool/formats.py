"""A report as JSON, CSV, Markdown and JUnit XML."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict

from ffltool import __version__
from ffltool.errors import printable
from ffltool.report import Report, Score
from ffltool.texts import number

SCHEMA = "ffltool.report/1"


def as_json(report: Report) -> str:
    """Return the report as JSON of the schema `ffltool.report/1`; what is infinite becomes null."""
    return json_text(SCHEMA, report.command, content(report))


def content(report: Report) -> dict[str, object]:
    """Return what JSON says of a report, but for the verdicts, which `ffltool.judged` has."""
    return {
        "real": asdict(report.real),
        "fake": asdict(report.fake),
        "scores": [finite(asdict(score)) for score in report.scores],
        "bands": [asdict(band) for band in report.bands],
        "classes": [asdict(each) for each in report.classes],
        "warnings": list(report.warnings),
        "environment": report.environment,
        "seconds": round(report.seconds, 3),
    }


def json_text(schema: str, command: str, content: Mapping[str, object]) -> str:
    """Return JSON of a schema: what a command found, with what it was found by."""
    head = {"schema": schema, "command": command, "version": __version__}
    return json.dumps({**head, **content}, indent=1, allow_nan=False) + "\n"


def finite(values: Mapping[str, object]) -> dict[str, object]:
    """Return the same with None in place of what is infinite, or no number."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }


def as_csv(report: Report) -> str:
    """Return one row per pair, with every metric of pairs in full precision; "inf" where a value is infinite."""
    head = ["real", "fake", "height", "width", *(score.metric for score in report.of_pairs)]
    rows = (
        [printable(pair.real), printable(pair.fake), pair.height, pair.width, *pair.values] for pair in report.pairs
    )
    return csv_text([head, *rows])


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV, numbers in full precision; None is an empty cell, an infinite value "inf"."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def as_markdown(report: Report) -> str:
    """Return the scores and the worst pairs as Markdown tables, for a pull request or a notebook."""
    real, fake = escape(report.real.path), escape(report.fake.path)
    lines = [
        f"<!-- {SCHEMA} -->",
        f"**{real}** (real) and **{fake}** (fake), {compared(report)}",
        "",
        *table(["metric", "mean", "std", "min", "max", "unit", "better"], [cells(score) for score in report.scores]),
        *(worst_pairs(report) if report.pairs else []),
        *(line for network in networks(report) for line in ("", escape(network))),
        *(line for warning in report.warnings for line in ("", f"> {escape(warning)}")),
    ]
    return "\n".join(lines) + "\n"


def networks(report: Report) -> list[str]:
    """Return lines that say through which networks learned metrics looked, and at what; none where there are none."""
    lines: dict[str, list[str]] = {}
    for score in report.scores:
        if "network" in score.settings:
            lines.setdefault(_network(score.settings), []).append(score.metric)
    return [f"{', '.join(names)}: {network}" for network, names in lines.items()]


def _network(settings: Mapping[str, float | str]) -> str:
    seen = (f"{name} {settings[name]}" for name in ("backbone", "preset", "layer") if name in settings)
    half = ["float16"] if settings["precision"] == "float16" else []
    file, digest = printable(str(settings["weights_file"])), str(settings["weights"])
    return ", ".join([f"{settings['network']} {digest[:8]} of {file}", *seen, *half])


def worst_pairs(report: Report) -> list[str]:
    """Return the lines of Markdown that name the worst pairs."""
    names = [score.metric for score in report.of_pairs]
    rows = [[escape(printable(pair.real)), *map(number, pair.values)] for pair in report.worst()]
    return ["", f"Worst pairs by {names[0]}:", "", *table(["pair", *names], rows)]


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def escape(text: str) -> str:
    """Return text that Markdown, and the HTML it becomes, shows as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+!|~&$" else letter for letter in text)


def as_junit(report: Report) -> str:
    """Return JUnit XML with one test case per metric; the values stand in properties, nothing can fail here."""
    from ffltool import junit  # here, for the terminal's table needs this module too, and no XML

    suite = junit.Suite(
        name=f"{report.real.path} {report.fake.path}",
        cases=tuple(junit.Case("ffltool", score.metric) for score in report.scores),
        properties=properties(report),
        seconds=report.seconds,
        log="\n".join(report.warnings),
    )
    return junit.as_xml(report.command, [suite])


def properties(report: Report) -> dict[str, str]:
    """Return what is known of each score, "lfd.value" and so on, as texts."""
    names = ("value", "std", "min", "max", "images", "unit", "better")
    values = {f"{score.metric}.{name}": getattr(score, name) for score in report.scores for name in names}
    return {name: str(value) for name, value in values.items() if value is not None}


# name of the option -> how it is written, and a text near the start of every such file
FORMATS: dict[str, tuple[Callable[[Report], str], str]] = {
    "json": (as_json, f'"schema": "{SCHEMA}"'),
    "csv": (as_csv, "real,fake,height,width,"),
    "markdown": (as_markdown, f"<!-- {SCHEMA} -->"),
    "junit": (as_junit, '<testsuites name="ffltool '),
}


def compared(report: Report) -> str:
    """Say how many images were compared."""
    real, fake = report.real.images, report.fake.images
    if report.pairs:
        return f"{real} pair{'s' * (real > 1)}"
    return f"{real} real and {fake} fake image{'s' * (fake > 1)}"


def cells(score: Score) -> list[str]:
    """Return a score as the cells of a table: metric, mean, std, min, max, unit, better; "" where there is none."""
    values = ("" if value is None else number(value) for value in (score.value, score.std, score.min, score.max))
    return [score.metric, *values, score.unit, score.better]
