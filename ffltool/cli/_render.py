"""Results on standard output and in files; progress on standard error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from ffltool import ranks
from ffltool.cli import _tables, note, tell
from ffltool.errors import InputError
from ffltool.report import Report

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool import reconstruct, runs, train
    from ffltool.figures import Figure
    from ffltool.images import Reading
    from ffltool.label_maps import LabelMaps
    from ffltool.pairing import Pairing
    from ffltool.stream import Item, Progress
    from ffltool.verdicts import Judged

_BROKEN_PIPE = 141  # what a shell reports of a program that a closed pipe ended
_STDOUT = Path("-")
# what makes the content of a file, by its path; None for one that was not asked for
Files = Mapping[Path | None, Callable[[], "str | Figure"]]


def check_outputs(
    paths: Mapping[str, Path | None],
    *,
    force: bool,
    figure: Path | None = None,
    page: Path | None = None,
    others: Sequence[tuple[Path | None, str]] = (),
) -> None:
    """Find out, before the work, whether every file asked for can be written.

    `paths` are by name of the format, the rest is as for `check_files`.
    """
    wanted = [*others]
    if any(paths.values()):
        from ffltool.formats import FORMATS

        wanted += [(path, FORMATS[name][1]) for name, path in paths.items()]
    check_files(wanted, figure=figure, page=page, force=force)


def check_files(
    wanted: Sequence[tuple[Path | None, str]], *, force: bool, figure: Path | None = None, page: Path | None = None
) -> None:
    """Do the same for paths, where there are any, with the mark that stands in such a file; a figure, and a page."""
    from ffltool import outputs

    if figure is not None:
        from ffltool import figures

        figures.check_suffix(figure)
        wanted = [*wanted, (figure, outputs.MARK)]
    if page is not None:
        from ffltool.page import MARK

        wanted = [*wanted, (page, MARK)]
    given = [(path, mark) for path, mark in wanted if path is not None]
    if len({os.path.realpath(path) for path, _ in given}) < len(given):
        raise InputError("only one output can go to standard output (-), or to the same file")
    for path, mark in given:
        if path != _STDOUT:
            outputs.check(path, mark=mark, force=force)


def show(report: Report, paths: Mapping[str, Path | None], *, note: str = "", others: Files | None = None) -> None:
    """Print the table with `note` below it, unless a file takes its place, and write the files asked for.

    `paths` are by name of the format, `others` are files as `deliver` takes them.
    """
    from ffltool.formats import FORMATS  # which the table needs too

    files: Files = {path: partial(FORMATS[name][0], report) for name, path in paths.items()}
    deliver(partial(_tables.of_report, report, note=note), {**files, **(others or {})}, warnings=report.warnings)


def tell_github(judged: Sequence[Judged]) -> None:
    """Append the summary of a step, and print annotations, where GitHub Actions runs this."""
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    from ffltool.judged import as_annotations, as_markdown

    for line in as_annotations(judged):
        tell(line)  # on standard error, which GitHub reads as it does standard output, where JSON may be
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(path, "a", encoding="utf-8", errors="replace") as summary:
                summary.write(as_markdown(judged))
        except OSError as error:
            note(f"warning: the summary {path} cannot be written: {error.strerror}")


def page_of(report: Report, pairing: Pairing, reading: Reading | LabelMaps, *, workers: int | None) -> str:
    """Return the page of a report."""
    from ffltool import composing  # which loads what draws

    return composing.page_of(report, pairing, reading, workers=workers)


def map_of(report: Report) -> Figure:
    """Return the drawing of the error over frequencies, which the report has in bands and as a map."""
    from ffltool import figures

    assert report.error_map is not None, "it was asked for"
    return figures.error_in_bands(report.error_map.numpy(), report.bands)


def show_training(finished: runs.Finished, *, warnings: Iterable[str]) -> None:
    """Print how a training went, above it the table of its test images, if there were any."""
    from ffltool.cli import _training

    said = _training.what_was_trained(finished)
    if finished.report:
        show(replace(finished.report, warnings=(*warnings, *finished.report.warnings)), {}, note=said)
    else:
        deliver(lambda: f"{said}\n", warnings=warnings)


def deliver(table: Callable[[], str], files: Files | None = None, *, warnings: Iterable[str] = ()) -> None:
    """Print warnings and the table, unless one of `files` takes its place, and write these to their paths.

    A file that cannot be written costs neither the others nor the numbers, nor a closed pipe the files.
    """
    for warning in warnings:
        note(f"warning: {warning}")
    with ExitStack() as last_first:
        for path, content in {_STDOUT: table, **(files or {})}.items():
            if path is not None:
                last_first.callback(_write, path, content)


def _write(path: Path, content: Callable[[], str | Figure]) -> None:
    made = content()
    if not isinstance(made, str):
        from ffltool import figures

        figures.save(made, path)
    elif path == _STDOUT:
        _print(made)
    else:
        from ffltool import outputs

        outputs.write(path, made.encode(errors="surrogateescape"))


def _print(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    try:
        with _buffered(sys.stdout) as out:
            out.write(text.encode(encoding, "backslashreplace").decode(encoding))
            out.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python, at its end, finds to be left
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(_BROKEN_PIPE) from None
        raise InputError(f"standard output cannot be written: {error.strerror}") from error


@contextmanager
def _buffered(out: TextIO) -> Iterator[TextIO]:
    """Give the stream, or in place of the one of ``python -u``, which loses what a full disk has not taken, another."""
    if isinstance(getattr(out, "buffer", None), io.RawIOBase):
        with open(out.fileno(), "w", encoding=out.encoding, closefd=False) as buffered:
            yield buffered
    else:
        yield out


def progress(*, quiet: bool, doing: str = "comparing", each: str = "") -> Progress:
    """Return what to wrap the stream of results in: a bar on standard error where that is a terminal and allowed.

    `each` is what there are so many of in a second.
    """
    return partial(_track, doing=doing, each=each) if _watched(quiet=quiet) else _unwatched


def _watched(*, quiet: bool) -> bool:
    """Tell whether a bar is wanted, and standard error a terminal that can move its cursor."""
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return sys.stderr.isatty() and not dumb and not quiet and ranks.rank() == 0


def _unwatched(items: Iterable[Item], total: int) -> Iterator[Item]:
    """Pass items on; import what the table will need meanwhile, once the workers are busy."""
    for item in items:
        import rich.console
        import rich.table  # noqa: F401

        yield item


def _track(items: Iterable[Item], total: int, *, doing: str, each: str) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = TextColumn(doing), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total, rate="")
        for item in items:
            yield item
            speed = bar.tasks[task].speed
            bar.update(task, advance=1, rate=f"{speed:.1f} {each}/s" if each and speed else "")


def descent_progress(*, quiet: bool) -> reconstruct.DescentProgress | None:
    """Return what to wrap the steps of an objective in: a bar with loss and PSNR, as `progress` does."""
    return _track_descent if _watched(quiet=quiet) else None


def _track_descent(
    steps: Iterator[tuple[reconstruct.DescentStep, Tensor]], name: str, total: int
) -> Iterator[tuple[reconstruct.DescentStep, Tensor]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn(f"{name:14}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=total, state="")
        for step, image in steps:
            bar.update(task, completed=step.number, state=f"loss {step.loss:.2e}  {step.psnr:.1f} dB")
            yield step, image


def training_progress(*, quiet: bool, doing: str) -> runs.TrainingProgress | None:
    """Return what to wrap a training in: a bar with losses, images per second and the time left, as `progress` does."""
    return partial(_track_training, doing=doing) if _watched(quiet=quiet) else None


def _track_training(
    news: Iterable[list[train.Step]], total: int, batch: int, *, doing: str
) -> Iterator[list[train.Step]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    state = TextColumn("{task.fields[state]}")
    columns = TextColumn(doing), BarColumn(8), MofNCompleteColumn(), state, TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total, state="")
        for new in news:
            yield new
            last, speed = new[-1], bar.tasks[task].speed
            ffl = "" if last.ffl is None else f" ffl {last.ffl:.2g}"
            rate = f" {speed * batch:.0f} img/s" if speed else ""
            bar.update(task, advance=len(new), state=f"pixel {last.pixel:.2g}{ffl}{rate}")
