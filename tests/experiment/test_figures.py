"""Figures of an experiment: images, spectra, losses."""

from dataclasses import replace

import pytest

from ffltool import experiment_tables, experiment_views
from ffltool.experiment import Design
from ffltool.images import read
from ffltool.runs import Judging
from ffltool.trials import run
from tests.experiment.common import JUDGING, PLAN

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_a_single_variant_makes_a_table_and_figures_too(sets, tmp_path):
    alone = run(PLAN, Design(variants=("FFL",)), *sets, tmp_path / "out", judging=Judging(metrics=("lsd",)))
    assert (alone.design.baseline, alone.contender) == ("FFL", None)
    experiment_tables.write(alone, tmp_path / "out")
    experiment_views.write(alone, tmp_path / "out")
    assert (tmp_path / "out" / "ablation.png").exists()
