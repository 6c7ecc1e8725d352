"""Variants and seeds make trials, and each trial is a run."""

import re
from dataclasses import replace

import pytest

from ffltool.datasets import load
from ffltool.errors import DivergedError, InputError, ShapeError
from ffltool.experiment import Design, Trial
from ffltool.objective import Objective
from ffltool.runs import Judging, carry_out
from ffltool.train import Plan
from ffltool.trials import run
from tests.experiment.common import DESIGN, JUDGING, PLAN
from tests.runs.common import REAL, same

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_test_images_too_small_for_a_metric_are_an_error_before_any_run(tmp_path):
    sets = load(REAL, size=8).held_out(4)
    with pytest.raises(ShapeError, match="SSIM needs images of at least 11x11 pixels, got 8x8"):
        run(replace(PLAN, size=8), DESIGN, *sets, tmp_path / "out", judging=Judging(metrics=("ssim",)))
    assert not (tmp_path / "out").exists()


def test_metrics_are_tried_out_once_and_not_before_every_trial(sets, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(Judging, "try_out", lambda self, images: tried.append(images.folder))
    run(replace(PLAN, epochs=1), Design(seeds=(3,)), *sets, tmp_path / "out", judging=JUDGING)
    assert tried == [sets[1].folder]


def test_a_loss_that_is_not_finite_is_an_error_that_names_its_trial(sets, tmp_path):
    design = Design(variants=("w/o FFL", "weight=1e39"), seeds=(3,))
    with pytest.raises(DivergedError, match=r"^weight=1e39 #3: the loss is inf at step 1; a smaller --lr"):
        run(replace(PLAN, epochs=1), design, *sets, tmp_path / "out", judging=JUDGING)


def test_a_trial_is_the_run_that_train_makes(found, sets, folder, tmp_path):
    plan = Plan(model="ae", size=32, batch_size=6, epochs=3, seed=4, objective=Objective(ffl_weight=10, alpha=0.5))
    alone = carry_out(plan, sets[0], tmp_path / "alone", test=sets[1], judging=JUDGING)
    assert same(tmp_path / "alone", folder / "runs" / "alpha=0.5-seed-4")
    there = next(each.run for each in found.trials if (each.trial.variant, each.trial.seed) == ("alpha=0.5", 4))
    assert there.report.scores == alone.report.scores


def test_a_weight_of_0_is_no_ffl_to_the_bit(folder):
    assert same(folder / "runs" / "weight=0-seed-3", folder / "runs" / "w-o-FFL-seed-3")
    assert not same(folder / "runs" / "FFL-seed-3", folder / "runs" / "w-o-FFL-seed-3")
