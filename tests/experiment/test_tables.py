"""Tables of means and deviations, in every format."""

import csv
import io
import re

import pytest
import torch

from ffltool import experiment_tables
from ffltool.experiment_tables import deviations, means

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_row_is_the_mean_and_the_deviation_over_seeds(found):
    rows = {row.variant: row for row in found.rows()}
    assert list(rows) == ["w/o FFL", "FFL", "alpha=0.5", "w/o phase", "weight=0"]
    one, other = (each.report.scores[0].value for each in found.trials if each.trial.variant == "FFL")
    assert rows["FFL"].values[0].mean == pytest.approx((one + other) / 2)
    assert rows["FFL"].values[0].std == pytest.approx(abs(one - other) / 2**0.5)  # n - 1 of two values
    assert rows["w/o phase"].values[0].std is None


def test_the_best_of_a_column_is_the_largest_or_the_smallest_and_none_for_a_gain(found):
    rows = found.rows()
    for column, score in enumerate(found.columns):
        values = [row.values[column].mean for row in rows]
        best = found.best(column, rows)
        if score.better == "0":
            assert best is None
        else:
            assert best.values[column].mean == {"higher": max, "lower": min}[score.better](values)


def test_tables_agree_with_one_another(found):
    rows = list(csv.DictReader(io.StringIO(experiment_tables.as_csv(found))))
    markdown = [line.split(" | ") for line in experiment_tables.as_markdown(found).splitlines()[2:7]]
    latex = [line.split(" & ") for line in experiment_tables.as_latex(found).splitlines() if " & " in line][1:]
    for row, marked, tex, shown in zip(rows, markdown, latex, means(found), strict=True):
        assert marked[0].removeprefix("| ") == tex[0] == shown[0] == row["variant"]
        for name, one, other, third in zip(("psnr", "ssim", "lfd"), marked[1:], tex[1:], shown[1:], strict=False):
            expected = f"{float(row[name]):.3f}"
            found_in = (one.strip("*|").split(" ")[0], re.search(r"[\d.]+", other)[0], third.strip("*"))
            assert found_in == (expected,) * 3
    assert [row["seeds"] for row in rows] == ["2", "2", "2", "1", "1"]
    assert [row[0] for row in deviations(found)] == ["w/o FFL", "FFL", "alpha=0.5"]


def test_the_best_values_are_bold_and_starred_alike(found):
    markdown, latex = experiment_tables.as_markdown(found), experiment_tables.as_latex(found)
    columns = list(zip(*means(found), strict=True))
    starred = [[cell[1:] for cell in column if cell.startswith("*")] for column in columns]
    assert markdown.count("**") / 2 == latex.count(r"\textbf{") == sum(map(len, starred))
    assert [len(set(cells)) for cells in starred if cells] == 4 * [1]  # of the columns; the rest are gains
    for cells, column in zip(starred, columns, strict=True):
        assert not set(cells) & set(column), "what is the same as printed is marked alike"


def test_latex_compiles_as_far_as_can_be_seen(found):
    latex = experiment_tables.as_latex(found)
    lines = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in lines} == {len(found.columns)}
    assert latex.count("{") == latex.count("}")
    text = "\n".join(line for line in latex.splitlines() if not line.startswith("%"))
    assert not re.search(r"(?<!\\)[%#_]|±|↑", text)


def test_every_trial_has_a_row_with_its_seed(found):
    rows = list(csv.DictReader(io.StringIO(experiment_tables.trials_as_csv(found))))
    assert [(row["variant"], int(row["seed"])) for row in rows] == [
        (each.trial.variant, each.trial.seed) for each in found.trials
    ]
    assert {row["steps"] for row in rows} == {"6"}


def test_the_table_names_seeds_code_and_versions(found):
    text = " ".join(found.about)
    assert "seeds 3, 4; seed 3 for w/o phase, weight=0" in text
    assert re.search(r"(commit|source) [0-9a-f]{7,}", text)
    assert f"torch {torch.__version__}" in text
    assert "12 images, 3 epochs (6 steps) of 6" in text
    assert all(line in experiment_tables.as_latex(found) for line in found.about)
