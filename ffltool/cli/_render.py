"""A report on the terminal and in files; progress on standard error. The only place that prints results."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

from ffltool import ranks
from ffltool.errors import InputError, printable
from ffltool.report import Report

_BROKEN_PIPE = 141  # what a shell reports of a program that a closed pipe ended
_STDOUT = Path("-")
_PIPED_WIDTH = 120
_NARROWEST = 72  # a table is not made narrower than this: a number cut in two is worse than a broken line


def check_outputs(paths: dict[str, Path | None], *, force: bool) -> None:
    """Find out, before the work, whether every file asked for can be written; `paths` by name of the format."""
    wanted = [os.path.realpath(path) for path in paths.values() if path is not None]
    if len(set(wanted)) < len(wanted):
        raise InputError("only one output can go to standard output (-), or to the same file")
    for name, path in paths.items():
        if path not in (None, _STDOUT):
            from ffltool import outputs
            from ffltool.formats import FORMATS

            outputs.check(path, mark=FORMATS[name][1], force=force)


def show(report: Report, paths: dict[str, Path | None], *, note: str = "") -> None:
    """Print the table with `note` below it, unless a file takes its place, and write the files asked for."""
    for warning in report.warnings:
        print(f"ffltool: warning: {printable(warning)}", file=sys.stderr)
    shown = None
    try:
        for name, path in paths.items():
            if path is not None:
                from ffltool import outputs
                from ffltool.formats import FORMATS

                text = FORMATS[name][0](report)
                if path == _STDOUT:
                    shown = text
                else:
                    outputs.write(path, text.encode(errors="surrogateescape"))
    finally:  # a file that cannot be written does not cost the numbers, nor a closed pipe the files
        _print(_table(report, note) if shown is None else shown)


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        raise InputError(f"standard output cannot be written: {error.strerror}") from error


def _table(report: Report, note: str) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ffltool.formats import cells, number

    terminal = sys.stdout.isatty()
    console = Console(file=io.StringIO(), force_terminal=terminal)
    console.width = max(console.width, _NARROWEST) if terminal else _PIPED_WIDTH
    scores = Table("metric", box=None, pad_edge=False, header_style="bold")
    for title in ("mean", "std", "min", "max"):
        scores.add_column(title, justify="right")
    scores.add_column("unit")
    scores.add_column("better")
    for score in report.scores:
        scores.add_row(*cells(score))

    worst = Table("worst pairs", box=None, pad_edge=False, header_style="bold")
    worst.columns[0].overflow = "fold"
    for score in report.scores:
        worst.add_column(score.metric, justify="right", no_wrap=True)
    for pair in report.worst():
        worst.add_row(Text(printable(pair.real)), *map(number, pair.values))

    console.print(Text(_what_was_compared(report)), soft_wrap=True)
    for part in (scores, worst, *([Text(note)] if note else [])):
        console.print()
        console.print(part, soft_wrap=isinstance(part, Text))
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n"))


def _what_was_compared(report: Report) -> str:
    images, sizes = report.real.images, report.real.sizes
    pairs = "1 pair" if images == 1 else f"{images} pairs"
    size = f"{sizes[0][0]}x{sizes[0][1]}" if len(sizes) == 1 else f"{len(sizes)} sizes"
    return f"{pairs}, {size}: {report.real.path} and {report.fake.path}"


def what_lfd_is(report: Report) -> str:
    """Return the line that says what LFD is, and for one size the PSNR that the mean corresponds to."""
    from ffltool.metrics.lfd import psnr_from_lfd

    line = "LFD = ln(H·W·MSE + 1): the mean squared error on a log scale that depends on the size of the image."
    if len(report.real.sizes) > 1:
        return line
    height, width = report.real.sizes[0]
    decibel = psnr_from_lfd(report.scores[0].value, height=height, width=width)
    return f"{line}\nAt {height}x{width} an LFD of {report.scores[0].value:.4f} is a PSNR of {decibel:.2f} dB."


def progress(*, quiet: bool) -> Callable[[Iterable, int], Iterator]:
    """Return what to wrap the stream of results in: a bar on standard error where that is a terminal and allowed."""
    return _track if sys.stderr.isatty() and not quiet and ranks.rank() == 0 else _wait


def _wait(items: Iterable, total: int) -> Iterator:
    """Pass items on; once the workers are busy, import what the table will need."""
    for item in items:
        import rich.console
        import rich.table  # noqa: F401

        yield item


def _track(items: Iterable, total: int) -> Iterator:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=total)
