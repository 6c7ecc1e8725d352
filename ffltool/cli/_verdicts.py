"""What came of limits as tables for standard output. Plain text here; printing is `_render`'s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ffltool.cli import _tables

if TYPE_CHECKING:
    from ffltool.verdicts import Judged

_STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "missing": "bold red"}


def of_judged(judged: Sequence[Judged]) -> str:
    """Return of each set its scores, the worst pairs, and the verdicts last, where one looks first."""
    return "\n".join(map(_of_one, judged))


def _of_one(judged: Judged) -> str:
    from rich.table import Table
    from rich.text import Text

    from ffltool.formats import networks
    from ffltool.judged import changes, headline, title

    report = judged.report
    (first, *numbers, unit), rows = changes(judged, brief=True)
    parts: list[Table | str] = [_tables.columns(first, *numbers, rows=rows, texts=(unit,))]
    if report.pairs:
        parts.append(_tables.worst_pairs(report))
    if looked := networks(report):
        parts.append("\n".join(looked))
    verdicts = Table("verdict", "limit", "why", box=None, pad_edge=False, header_style="bold")
    for each in report.by_severity:
        verdicts.add_row(Text(each.state, style=_STYLES[each.state]), Text(each.limit), Text(each.reason))
    return _tables.drawn(
        f"{title(judged)}{_tables.what(report)}", *parts, *([verdicts] if report.verdicts else []), headline(judged)
    )
