"""An experiment's results as the tables of papers: CSV, Markdown, LaTeX, and cells for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from operator import eq
from pathlib import Path

from ffltool import outputs
from ffltool.experiment import Experiment, Row, Value
from ffltool.formats import csv_text
from ffltool.report import Score

_TITLES = {"psnr": "PSNR", "ssim": "SSIM", "lpips": "LPIPS", "fid": "FID", "lfd": "LFD", "mse": "MSE"}
_ARROWS = {"higher": "↑", "lower": "↓", "0": "→0"}
_TEX_ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "0": r"$\to 0$"}
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "&%$#_{}"})


def titles(experiment: Experiment) -> list[str]:
    """Return the names of the columns, with the way that is better."""
    return [f"{_title(score)} {_ARROWS[score.better]}" for score in experiment.columns]


def cells(experiment: Experiment) -> list[tuple[str, list[str], list[bool]]]:
    """Return for each variant its name, the texts of its values, and which of these are the best of their columns."""
    rows = experiment.rows()
    best = [experiment.best(column, rows) for column in range(len(experiment.columns))]
    marks = [_mean(each.values[column]) if each else "" for column, each in enumerate(best)]
    return [
        (row.variant, [_text(value) for value in row.values], [*map(eq, map(_mean, row.values), marks)]) for row in rows
    ]


def means(experiment: Experiment) -> list[list[str]]:
    """Return for each variant its name and its means, those marked with a star that are the best of their columns."""
    rows = []
    for name, texts, best in cells(experiment):
        marks = zip(texts, best, strict=True)
        rows.append([name, *(f"{'*' * is_best}{text.partition(' ')[0]}" for text, is_best in marks)])
    return rows


def deviations(experiment: Experiment) -> list[list[str]]:
    """Return for each variant with several seeds its name and the deviations over them."""
    rows = (row for row in experiment.rows() if row.seeds > 1)
    return [[row.variant, *(_text(value).partition("± ")[2] for value in row.values)] for row in rows]


def _title(score: Score) -> str:
    return _TITLES.get(score.metric, score.metric)


def _text(value: Value) -> str:
    return _mean(value) + ("" if value.std is None else f" ± {value.std:.{_digits(value)}f}")


def _mean(value: Value) -> str:
    return f"{value.mean:.{_digits(value)}f}"


def _digits(value: Value) -> int:
    return 3 if abs(value.mean) < 1000 else 1


def as_csv(experiment: Experiment) -> str:
    """Return a row per variant with means and deviations in full precision; empty where there is no deviation."""
    head = [part for score in experiment.columns for part in (score.metric, f"{score.metric}_std")]
    return csv_text([["variant", "seeds", *head], *map(_numbers, experiment.rows())])


def _numbers(row: Row) -> list[object]:
    return [row.variant, row.seeds, *(part for value in row.values for part in (value.mean, value.std))]


def trials_as_csv(experiment: Experiment) -> str:
    """Return a row per trial: its scores, the last losses, and the seconds that its training took."""
    head = ["variant", "seed", "steps", "seconds", "loss", "pixel", *(score.metric for score in experiment.columns)]
    rows = (
        [
            each.trial.variant,
            each.trial.seed,
            len(each.run.steps),
            f"{each.run.seconds:.2f}",
            each.run.steps[-1].loss,
            each.run.steps[-1].pixel,
            *(score.value for score in each.report.scores),
        ]
        for each in experiment.trials
    )
    return csv_text([head, *rows])


def as_markdown(experiment: Experiment) -> str:
    """Return a table with the best values in bold, and below it what was trained."""
    head = ["", *titles(experiment)]
    lines = [f"| {' | '.join(head)} |", f"|---{'|---:' * len(experiment.columns)}|"]
    for name, texts, best in cells(experiment):
        marked = (f"**{text}**" if is_best else text for text, is_best in zip(texts, best, strict=True))
        lines.append(f"| {name} | {' | '.join(marked)} |")
    return "\n".join([*lines, "", *(f"{line}  " for line in experiment.about)]).rstrip() + "\n"


def as_latex(experiment: Experiment) -> str:
    r"""Return a tabular for the package booktabs, with the best values in bold; what was trained stands in comments."""
    head = " & ".join(
        f"{_title(score).translate(_SPECIAL)} {_TEX_ARROWS[score.better]}" for score in experiment.columns
    )
    lines = [*(f"% {line}" for line in experiment.about), rf"\begin{{tabular}}{{l{'r' * len(experiment.columns)}}}"]
    lines += [r"\toprule", rf" & {head} \\", r"\midrule"]
    for name, texts, best in cells(experiment):
        numbers = (text.replace("±", r"$\pm$") for text in texts)
        marked = (rf"\textbf{{{text}}}" if is_best else text for text, is_best in zip(numbers, best, strict=True))
        lines.append(rf"{name.translate(_SPECIAL)} & {' & '.join(marked)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


FILES: dict[str, Callable[[Experiment], str]] = {
    "table.csv": as_csv,
    "trials.csv": trials_as_csv,
    "table.md": as_markdown,
    "table.tex": as_latex,
}


def write(experiment: Experiment, folder: Path) -> None:
    """Write the tables into a folder."""
    for name, made in FILES.items():
        outputs.write(folder / name, made(experiment).encode())
