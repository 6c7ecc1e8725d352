import csv
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ffltool import experiment_tables, experiment_views
from ffltool.datasets import load
from ffltool.errors import InputError, ShapeError
from ffltool.experiment import Design, Trial
from ffltool.experiment_tables import deviations, means
from ffltool.images import read
from ffltool.objective import Objective
from ffltool.run_folder import Reuse
from ffltool.runs import Judging, carry_out
from ffltool.train import Plan
from ffltool.trials import RESULTS, run

pytestmark = pytest.mark.usefixtures("one_thread")
REAL = Path(__file__).parents[1] / "sample_data" / "real"
PLAN = Plan(model="ae", size=32, batch_size=6, epochs=3, objective=Objective(ffl_weight=10))
DESIGN = Design(variants=("w/o FFL", "FFL", "alpha=0.5"), seeds=(3, 4), once=("w/o phase", "weight=0"))
JUDGING = Judging(metrics=("psnr", "ssim", "lfd", "lsd", "gain"))


@pytest.fixture(scope="module")
def sets():
    return load(REAL, size=32).held_out(4)


@pytest.fixture(scope="module")
def found(sets, tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("experiment")
    yield run(PLAN, DESIGN, *sets, folder / "out", judging=JUDGING)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(found):
    return found.trials[0].run.place.path.parents[1]


def weights(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["weights"]


def same(one, other):
    return all(torch.equal(weights(one)[name], weights(other)[name]) for name in weights(one))


def test_every_variant_has_its_seeds_and_those_of_once_the_first():
    assert DESIGN.trials() == [
        *(Trial(name, seed) for name in ("w/o FFL", "FFL", "alpha=0.5") for seed in (3, 4)),
        *(Trial(name, 3) for name in ("w/o phase", "weight=0")),
    ]


@pytest.mark.parametrize("twice", [{"once": ("FFL",)}, {"seeds": (1, 1)}, {"variants": ("w/o FFL", "w-o FFL")}])
def test_a_trial_that_is_there_twice_is_an_error(twice):
    with pytest.raises(InputError, match="is there twice"):
        Design(**twice).trials()


def test_no_variant_and_an_unknown_one_are_errors_before_any_work(sets, tmp_path):
    with pytest.raises(InputError, match="an experiment needs a variant"):
        Design(variants=()).trials()
    with pytest.raises(InputError, match="there is no variant 'nonsense'"):
        run(PLAN, Design(variants=("FFL", "nonsense")), *sets, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_trial_is_the_run_that_train_makes(found, sets, folder, tmp_path):
    plan = Plan(model="ae", size=32, batch_size=6, epochs=3, seed=4, objective=Objective(ffl_weight=10, alpha=0.5))
    alone = carry_out(plan, sets[0], tmp_path / "alone", test=sets[1], judging=JUDGING)
    assert same(tmp_path / "alone", folder / "runs" / "alpha=0.5-seed-4")
    there = next(each.run for each in found.trials if (each.trial.variant, each.trial.seed) == ("alpha=0.5", 4))
    assert there.report.scores == alone.report.scores


def test_a_weight_of_0_is_no_ffl_to_the_bit(folder):
    assert same(folder / "runs" / "weight=0-seed-3", folder / "runs" / "w-o-FFL-seed-3")
    assert not same(folder / "runs" / "FFL-seed-3", folder / "runs" / "w-o-FFL-seed-3")


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
    stars = sum(cell.startswith("*") for row in means(found) for cell in row)
    assert markdown.count("**") / 2 == latex.count(r"\textbf{") == stars == 4  # of the columns; the rest are gains


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


def test_figures_are_drawn_and_are_the_same_each_time(found, tmp_path):
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        experiment_views.write(found, tmp_path / str(number))
    for name in experiment_views.FILES:
        assert min(read(tmp_path / "1" / name).size) > 300
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_reconstructions_show_the_images_that_were_judged(found):
    figure = experiment_views.reconstructions(found)
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert labels == ["real", "w/o FFL", "FFL", "alpha=0.5"]
    assert len(figure.axes) == 4 * 4  # of 4 test images


def test_the_strip_has_every_variant_with_the_score_of_its_image(found):
    titles = [axes.get_title() for axes in experiment_views.ablation(found).axes if axes.get_title()]
    assert [title.split("\n")[0] for title in titles] == [
        "real",
        "w/o FFL",
        "FFL",
        "alpha=0.5",
        "w/o phase",
        "weight=0",
    ]
    baseline = {pair.values[0] for pair in found.of("w/o FFL").report.pairs}
    assert titles[1].split("\n")[1] in {f"{value:.2f} dB" for value in baseline}


def test_losses_are_means_over_epochs(found):
    (axes,) = experiment_views.losses(found).axes
    line = axes.get_lines()[1]
    steps = found.of("FFL").run.steps
    assert list(line.get_xdata()) == [1, 2, 3]
    assert line.get_ydata()[0] == pytest.approx((steps[0].pixel + steps[1].pixel) / 2)


def test_losses_of_a_single_epoch_are_seen_and_two_kinds_are_named(sets, tmp_path):
    one = run(replace(PLAN, epochs=1), Design(variants=("FFL", "l1")), *sets, tmp_path / "out", judging=JUDGING)
    (axes,) = experiment_views.losses(one).axes
    assert [line.get_marker() for line in axes.get_lines()] == ["o", "o"]
    assert axes.get_ylabel() == "mean squared error or L1"
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


def test_spectra_are_of_the_baseline_and_the_best_of_the_others(found):
    assert found.contender in ("FFL", "alpha=0.5")
    assert found.spectra.labels == ("real", "w/o FFL", found.contender)
    shown = {axes.get_ylabel() for axes in experiment_views.spectra(found).axes}
    assert set(found.spectra.labels) <= shown


def test_an_experiment_goes_on_where_it_was_stopped(found, sets, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "runs" / "w-o-phase-seed-3")
    with pytest.raises(InputError, match="holds results already"):
        run(PLAN, DESIGN, *sets, tmp_path / "out", judging=JUDGING)
    again = run(PLAN, DESIGN, *sets, tmp_path / "out", judging=JUDGING, reuse=Reuse(resume=True))
    assert experiment_tables.as_csv(again) == experiment_tables.as_csv(found)
    assert again.about == found.about


def test_an_experiment_that_cannot_go_on_stays_as_it_was(found, sets, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "runs" / "w-o-FFL-seed-3")
    before = (tmp_path / "out" / "experiment.json").read_bytes()
    for plan, images, said in (
        (replace(PLAN, lr=0.5), sets[0], "trained with lr 0.001, not 0.5"),
        (replace(PLAN, objective=Objective(ffl_weight=2)), sets[0], "trained with ffl_weight 10, not 2"),
        (replace(PLAN, epochs=2), sets[0], "at step 6, beyond the 4 that are wanted"),
        (PLAN, sets[0].held_out(6)[0], "holds other images than those of the checkpoint"),
    ):
        with pytest.raises(InputError, match=said):
            run(plan, DESIGN, images, sets[1], tmp_path / "out", judging=JUDGING, reuse=Reuse(resume=True))
    assert (tmp_path / "out" / "experiment.json").read_bytes() == before
    assert not (tmp_path / "out" / "runs" / "w-o-FFL-seed-3").exists()


def test_runs_of_others_are_not_written_over(sets, tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(InputError, match="runs was not written by this command and stays; a new folder is wanted"):
        run(PLAN, DESIGN, *sets, tmp_path, reuse=Reuse(force=True))
    with pytest.raises(InputError, match="what is written would count among its images"):
        run(PLAN, DESIGN, replace(sets[0], folder=tmp_path), sets[1], tmp_path / "out")


def test_an_experiment_begun_anew_leaves_nothing_of_the_one_before(found, sets, folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "out")
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    experiment_tables.write(found, tmp_path / "out")
    experiment_views.write(found, tmp_path / "out")
    assert (*experiment_tables.FILES, *experiment_views.FILES) == RESULTS

    def stopped(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("ffltool.trials.carry_out", stopped)
    for reuse, kept in ((Reuse(resume=True), True), (Reuse(force=True), False)):
        with pytest.raises(KeyboardInterrupt):
            run(PLAN, DESIGN, *sets, tmp_path / "out", judging=JUDGING, reuse=reuse)
        assert (tmp_path / "out" / "runs" / "FFL-seed-3" / "checkpoint.pt").exists() == kept
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"experiment.json", "runs", "thesis.tex"}


def test_an_experiment_that_was_begun_anew_with_another_plan_can_go_on(found, sets, folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "out")
    calls = iter([carry_out])

    def once(*arguments, **settings):
        if (work := next(calls, None)) is None:
            raise KeyboardInterrupt
        return work(*arguments, **settings)

    plan, design = replace(PLAN, lr=2e-3, epochs=1), Design(seeds=(3,))
    monkeypatch.setattr("ffltool.trials.carry_out", once)
    with pytest.raises(KeyboardInterrupt):
        run(plan, design, *sets, tmp_path / "out", judging=JUDGING, reuse=Reuse(force=True))
    monkeypatch.undo()
    again = run(plan, design, *sets, tmp_path / "out", judging=JUDGING, reuse=Reuse(resume=True))
    assert [len(each.run.steps) for each in again.trials] == [2, 2]


@pytest.mark.parametrize("name", ["table.md", "losses.png"])
def test_results_of_others_are_not_written_over(sets, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name} was not written by this command and stays"):
        run(PLAN, DESIGN, *sets, tmp_path, reuse=Reuse(force=True))
    assert (tmp_path / name).read_text() == "mine"


def test_test_images_too_small_for_a_metric_are_an_error_before_any_run(tmp_path):
    sets = load(REAL, size=8).held_out(4)
    with pytest.raises(ShapeError, match="SSIM needs images of at least 11x11 pixels, got 8x8"):
        run(replace(PLAN, size=8), DESIGN, *sets, tmp_path / "out", judging=Judging(metrics=("ssim",)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("weight=1", "weight=1.0"),
        ("alpha=.5", "alpha=0.50"),
        ("dct + weight=10", "dct+weight=1e1"),
        ("patch=2", "patch=02"),
    ],
)
def test_a_variant_that_is_written_in_two_ways_is_one(one, other):
    with pytest.raises(
        InputError, match=f"the variant '{re.escape(Design(variants=(one,)).variants[0])}' with seed 0 is"
    ):
        Design(variants=(one, other)).trials()
    with pytest.raises(InputError, match="is there twice"):
        Design(variants=(one,), once=(other,)).trials()
    assert Design(variants=(one,)) == Design(variants=(other,))


def test_its_settings_are_kept(folder):
    kept = json.loads((folder / "experiment.json").read_text())
    assert (kept["schema"], kept["design"]["seeds"], kept["plan"]["objective"]["ffl_weight"]) == (
        "ffltool.experiment/1",
        [3, 4],
        10,
    )


def test_metrics_are_tried_out_once_and_not_before_every_trial(sets, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(Judging, "try_out", lambda self, images: tried.append(images.folder))
    run(replace(PLAN, epochs=1), Design(seeds=(3,)), *sets, tmp_path / "out", judging=JUDGING)
    assert tried == [sets[1].folder]


def test_a_single_variant_makes_a_table_and_figures_too(sets, tmp_path):
    alone = run(PLAN, Design(variants=("FFL",)), *sets, tmp_path / "out", judging=Judging(metrics=("lsd",)))
    assert (alone.design.baseline, alone.contender) == ("FFL", None)
    experiment_tables.write(alone, tmp_path / "out")
    experiment_views.write(alone, tmp_path / "out")
    assert (tmp_path / "out" / "ablation.png").exists()


def test_images_in_the_runs_of_an_experiment_are_refused_and_stay(sets, tmp_path):
    images, tested = sets
    inside = replace(tested, folder=tmp_path / "runs" / "weight-1" / "recon" / "real")
    inside.folder.mkdir(parents=True)
    with pytest.raises(InputError, match=r"real lies in .*, where it would be removed"):
        run(PLAN, DESIGN, images, inside, tmp_path, judging=JUDGING, reuse=Reuse(force=True))
    assert inside.folder.exists()
