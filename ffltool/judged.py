"""What came of limits, as plain text, JSON, Markdown, JUnit XML and annotations; of one set, or of several."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ffltool import __version__
from ffltool.errors import printable
from ffltool.formats import (
    compared,
    content,
    escape,
    finite,
    json_text,
    networks,
    properties,
    table,
    worst_pairs,
)
from ffltool.texts import number
from ffltool.verdicts import STATES, between

if TYPE_CHECKING:
    from ffltool.junit import Ending, Suite
    from ffltool.report import State
    from ffltool.standing import Standing
    from ffltool.verdicts import Judged

SCHEMA = "ffltool.check/1"
_SIGNS = {"pass": "✅", "warn": "⚠️", "fail": "❌", "missing": "❔"}
_LISTED = 20  # pairs that Markdown names; JUnit and JSON have all
_SHOWN = (".png", ".svg")  # what Markdown shows in its place
_HEAD = ["", "limit", "why"]

JudgedSets = Sequence["Judged"]


def state_of(judged: JudgedSets) -> State:
    """Return what came of all sets together: pass, warn or fail."""
    return max((each.state for each in judged), key=STATES.index)


def headline(judged: Judged) -> str:
    """Say how many limits came to what, as "1 of 3 limits failed, 1 warns"."""
    verdicts = judged.report.verdicts
    counts = {state: sum(verdict.state == state for verdict in verdicts) for state in STATES}
    total = f"{len(verdicts)} limit{'s' * (len(verdicts) != 1)}"
    warns = "warns" if counts["warn"] == 1 else "warn"
    said: dict[State, str] = {"fail": "failed", "missing": "without a value", "warn": warns}
    parts = [f"{counts[state]} {text}" for state, text in said.items() if counts[state]]
    if not parts:
        return f"{total} met"
    first, *others = parts
    amount, _, what = first.partition(" ")
    return ", ".join([f"{amount} of {total} {what}", *others])


def as_text(judged: JudgedSets) -> str:
    """Return the verdicts as a plain table, the worst first."""
    return "\n\n".join(_text_of(each) for each in judged)


def _text_of(judged: Judged) -> str:
    report, rows = judged.report, [(each.state, each.limit, each.reason) for each in judged.report.by_severity]
    widths = [max(len(row[place]) for row in rows) for place in range(2)] if rows else []
    lines = [f"{state:{widths[0]}}  {limit:{widths[1]}}  {reason}" for state, limit, reason in rows]
    return "\n".join([f"{title(judged)}{headline(judged)}: {compared(report)}", "", *lines])


def title(judged: Judged) -> str:
    """Return what stands before everything that is said of a set: nothing where it is the only one."""
    return f"{printable(judged.name)}: " if judged.name else ""


def as_json(judged: JudgedSets) -> str:
    """Return JSON of the schema `ffltool.check/1`; what is infinite becomes null."""
    return json_text(SCHEMA, "check", {"state": state_of(judged), "sets": [_content(each) for each in judged]})


def _content(judged: Judged) -> dict[str, object]:
    changes = [
        finite(
            {
                "metric": each.quantity.name,
                "statistic": each.statistic,
                **{name: getattr(each, name) for name in ("value", "baseline", "change")},
                **{name: getattr(each, name) for name in ("interval", "change_interval", "significant")},
            }
        )
        for each in judged.standings
    ]
    return {
        "name": judged.name,
        "state": judged.state,
        "verdicts": [finite(asdict(verdict)) for verdict in judged.report.verdicts],
        "misses": [finite(asdict(miss)) for miss in judged.misses],
        "changes": changes,
        **content(judged.report),
    }


def as_flat(judged: JudgedSets) -> str:
    """Return JSON of scores alone by name, those of named sets under it: what DVC reads, which passes over lists."""
    sets = {each.name: _flat(each) for each in judged}
    numbers = sets[""] if list(sets) == [""] else sets
    return json.dumps({"ffltool": __version__} | numbers, indent=1, allow_nan=False) + "\n"


def _flat(judged: Judged) -> dict[str, float | str]:
    scores = {each.quantity.name: each.value for each in judged.standings}
    bands = {
        f"band.{band.name if band.name in ('dc', 'corner') else place}.{name}": value
        for place, band in enumerate(judged.report.bands)
        for name, value in (("lfd", band.lfd), ("share", band.share), ("gain_db", band.gain_db))
    }
    limits = {f"limits.{state}": sum(each.state == state for each in judged.report.verdicts) for state in STATES}
    known = {name: value for name, value in (scores | bands | limits).items() if value is not None}
    return {name: value if math.isfinite(value) else str(value) for name, value in known.items()}


def as_markdown(judged: JudgedSets, *, files: Sequence[str] = ()) -> str:
    """Return verdicts, scores with their changes, and the worst pairs as Markdown; `files` are shown or linked."""
    lines = [line for each in judged for line in _markdown_of(each)]
    return "\n".join([f"<!-- {SCHEMA} -->", *lines, *map(_link, files)]) + "\n"


def _link(path: str) -> str:
    from urllib.parse import quote

    shown = "!" if Path(path).suffix.lower() in _SHOWN else ""
    return f"\n{shown}[{escape(printable(Path(path).name))}](<{quote(path, errors='surrogateescape')}>)"


def _markdown_of(judged: Judged) -> Iterator[str]:
    report = judged.report
    names = escape(report.real.path), escape(report.fake.path)
    yield from (f"### {_SIGNS[judged.state]} {escape(title(judged))}{headline(judged)}", "")
    yield from (f"**{names[0]}** (real) and **{names[1]}** (fake), {compared(report)}", "")
    rows = [
        [f"{_SIGNS[each.state]}\N{NO-BREAK SPACE}{each.state}", escape(each.limit), escape(each.reason)]
        for each in report.by_severity
    ]
    yield from table(_HEAD, rows) if rows else ()
    yield from ("", *table(*changes(judged)))
    if report.pairs:
        yield from worst_pairs(report)
    for network in networks(report):
        yield from ("", escape(network))
    if judged.misses:
        yield from ("", f"Pairs that miss a limit ({len(judged.misses)}):", "")
        named = [[escape(printable(miss.pair)), escape(miss.limit), number(miss.value)] for miss in judged.misses]
        yield from table(["pair", "limit", "value"], named[:_LISTED])
        if len(named) > _LISTED:
            yield f"\nand {len(named) - _LISTED} more"
    for warning in report.warnings:
        yield from ("", f"> {escape(warning)}")


def changes(judged: Judged, *, brief: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table of scores, with their changes where there is a baseline.

    `brief` leaves out what 80 columns have no room for.
    """
    against = any(each.baseline is not None for each in judged.standings)
    own = [] if against and brief else ["95 %"]
    head = ["metric", "value", *own, *(["baseline", "change", "95 % of the change"] if against else []), "unit"]
    return head, [_row(each, own=bool(own), against=against, brief=brief) for each in judged.standings]


def _row(each: Standing, *, own: bool, against: bool, brief: bool) -> list[str]:
    cells = [each.quantity.name, number(each.value)]
    if own:
        cells.append("" if each.interval is None else f"{number(each.interval[0])} to {number(each.interval[1])}")
    if against:
        noise = " (not significant)" if each.significant is False and not brief else ""
        cells.append("" if each.baseline is None else number(each.baseline))
        cells.append("" if each.change is None else f"{each.change:+.4f}")
        cells.append("" if each.change_interval is None else f"{between(each.change_interval)}{noise}")
    return [*cells, each.quantity.unit]


def as_junit(judged: JudgedSets) -> str:
    """Return JUnit XML: a test case per limit, and one per pair that misses one which every pair has to meet."""
    from ffltool import junit

    return junit.as_xml("check", [_suite(each) for each in judged])


def _suite(judged: Judged) -> Suite:
    from ffltool import junit

    report = judged.report
    endings: dict[State, Ending] = {"pass": "passed", "warn": "passed", "fail": "failure", "missing": "error"}
    home = f"ffltool.{judged.name}" if judged.name else "ffltool"
    limits = (
        junit.Case(home, each.limit, endings[each.state], f"{each.state}: {each.reason}") for each in report.verdicts
    )
    pairs = (
        junit.Case(
            f"{home}.pairs", f"{miss.pair}: {miss.limit}", "failure", f"{number(miss.value)} {miss.unit}".strip()
        )
        for miss in judged.misses
    )
    return junit.Suite(
        name=f"{title(judged)}{report.real.path} {report.fake.path}",
        cases=(*limits, *pairs),
        properties=properties(report),
        seconds=report.seconds,
        log="\n".join(report.warnings),
    )


def as_annotations(judged: JudgedSets) -> list[str]:
    """Return the workflow commands by which GitHub shows what failed, and what warns, above the log."""
    levels = {"fail": "error", "missing": "error", "warn": "warning"}
    return [
        f"::{levels[verdict.state]} title={_parameter(f'{title(each)}{verdict.limit}')}::{_data(verdict.reason)}"
        for each in judged
        for verdict in each.report.by_severity
        if verdict.state in levels
    ]


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _parameter(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# name of the option -> how it is written, and a text near the start of every such file
FORMATS: dict[str, tuple[Callable[[JudgedSets], str], str]] = {
    "json": (as_json, f'"schema": "{SCHEMA}"'),
    "json-flat": (as_flat, '{\n "ffltool": '),
    "markdown": (as_markdown, f"<!-- {SCHEMA} -->"),
    "junit": (as_junit, '<testsuites name="ffltool '),
}
