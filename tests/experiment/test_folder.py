"""Experiments that go on, begin anew, or are refused a folder."""

import json
import shutil
from dataclasses import replace

import pytest

from ffltool import experiment_tables, experiment_views
from ffltool.errors import InputError
from ffltool.experiment import Design
from ffltool.objective import Objective
from ffltool.run_folder import Reuse
from ffltool.runs import carry_out
from ffltool.trials import RESULTS, run
from tests.experiment.common import DESIGN, JUDGING, PLAN

pytestmark = pytest.mark.usefixtures("one_thread")


def test_its_settings_are_kept(folder):
    kept = json.loads((folder / "experiment.json").read_text())
    assert (kept["schema"], kept["design"]["seeds"], kept["plan"]["objective"]["ffl_weight"]) == (
        "ffltool.experiment/1",
        [3, 4],
        10,
    )


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
        (PLAN, sets[0].held_out(6)[0], "holds other images than those of .*checkpoint.pt"),
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


def test_images_in_the_runs_of_an_experiment_are_refused_and_stay(sets, tmp_path):
    images, tested = sets
    inside = replace(tested, folder=tmp_path / "runs" / "weight-1" / "recon" / "real")
    inside.folder.mkdir(parents=True)
    with pytest.raises(InputError, match=r"real lies in .*, where it would be removed"):
        run(PLAN, DESIGN, images, inside, tmp_path, judging=JUDGING, reuse=Reuse(force=True))
    assert inside.folder.exists()
