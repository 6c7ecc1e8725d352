"""Runs that were stopped or killed go on as if nothing had been; those of another plan do not."""

from pathlib import Path

import pytest
import torch

from ffltool import outputs
from ffltool.errors import InputError
from ffltool.objective import Objective
from ffltool.run_folder import Reuse, RunFolder
from ffltool.runs import carry_out
from tests.runs.common import EVERY, JUDGING, REAL, StoppedError, files, plan, same

pytestmark = pytest.mark.usefixtures("one_thread")


def stopping(after):
    """Return what breaks off a run after so many steps."""

    def progress(news, total, batch):
        for number, new in enumerate(news, start=1):
            yield new
            if number == after:
                raise StoppedError

    return progress


@pytest.mark.parametrize("model", ["ae", "vae"])
def test_a_run_that_was_stopped_and_goes_on_comes_to_the_same_files(tmp_path, images, model):
    carry_out(plan(model), images, tmp_path / "whole", test=images, judging=JUDGING)
    with pytest.raises(StoppedError):
        carry_out(plan(model), images, tmp_path / "half", keeping=EVERY, progress=stopping(4))
    assert torch.load(tmp_path / "half" / "checkpoint.pt", weights_only=True)["step"] == 4
    carry_out(plan(model), images, tmp_path / "half", test=images, judging=JUDGING, reuse=Reuse(resume=True))
    assert same(tmp_path / "whole", tmp_path / "half")
    assert files(tmp_path / "whole") == files(tmp_path / "half")
    for name in files(tmp_path / "whole"):
        if name.endswith((".png", "log.csv")):
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "half" / name).read_bytes(), name


def test_a_process_that_was_killed_goes_on_to_the_same_weights(tmp_path, images, killed_at):
    command = ["train", "ae", REAL, "--size", 16, "--batch-size", 6, "--checkpoint-seconds", 0, "--device", "cpu"]
    code = "import torch; torch.set_num_threads(1); from ffltool.cli import main; import sys; main(sys.argv[1:])"
    arguments = [*command, "--steps", 100000, "-o", tmp_path / "run"]
    killed_at(tmp_path / "run" / "checkpoint.pt", code, arguments)
    with (tmp_path / "run" / "log.csv").open("a") as file:
        file.write("9999")  # a line that was being written
    step = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"]
    length = plan(seed=0, steps=step + 5)
    carry_out(length, images, tmp_path / "run", reuse=Reuse(resume=True))
    carry_out(length, images, tmp_path / "whole")
    assert same(tmp_path / "run", tmp_path / "whole")
    logs = [(tmp_path / name / "log.csv").read_text() for name in ("run", "whole")]
    assert logs[0] == logs[1]


def test_a_finished_run_can_be_made_longer(tmp_path, images):
    carry_out(plan(epochs=2), images, tmp_path / "run")
    carry_out(plan(epochs=3), images, tmp_path / "run", reuse=Reuse(resume=True))
    carry_out(plan(epochs=3), images, tmp_path / "whole")
    assert same(tmp_path / "run", tmp_path / "whole")
    with pytest.raises(InputError, match=r"run/checkpoint\.pt is at step 6, beyond the 2 that are wanted"):
        carry_out(plan(epochs=1), images, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_run_that_was_stopped_at_a_grid_draws_it_when_it_goes_on(tmp_path, images, monkeypatch):
    def refused(self, epoch, rows):
        if epoch == 3:
            raise StoppedError
        written(self, epoch, rows)

    written = RunFolder.write_samples
    monkeypatch.setattr(RunFolder, "write_samples", refused)
    with pytest.raises(StoppedError):
        carry_out(plan(), images, tmp_path / "run", keeping=EVERY)
    monkeypatch.undo()
    carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert (tmp_path / "run" / "samples" / "epoch_0003.png").exists()


def test_results_of_an_earlier_step_do_not_outlive_it(tmp_path, images):
    carry_out(plan("vae"), images, tmp_path / "run", test=images, judging=JUDGING, generate=2)
    carry_out(plan("vae"), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert {"recon", "report.json", "generated"} <= {path.name for path in (tmp_path / "run").iterdir()}
    carry_out(plan("vae", epochs=4), images, tmp_path / "run", reuse=Reuse(resume=True))
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"checkpoint.pt", "config.json", "log.csv", "samples"}


@pytest.mark.parametrize("at", ["config.json", "log.csv"])
def test_a_run_that_was_stopped_at_its_start_can_go_on(tmp_path, images, monkeypatch, at):
    def refused(path, content):
        if path.name == at:
            raise StoppedError
        return written(path, content)

    written = outputs.write
    monkeypatch.setattr(outputs, "write", refused)
    with pytest.raises(StoppedError):
        carry_out(plan(), images, tmp_path / "run")
    monkeypatch.undo()
    assert len(carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True)).steps) == 6


def test_what_a_killed_process_had_begun_to_write_is_removed(tmp_path, images, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda part, target: None)
        patch.setattr(Path, "unlink", lambda part, missing_ok=False: None)
        (tmp_path / "run").mkdir()
        outputs.write(tmp_path / "run" / "checkpoint.pt", b"half")
    (left,) = (tmp_path / "run").iterdir()
    carry_out(plan(), images, tmp_path / "run", reuse=Reuse(force=True))
    assert not left.exists()


def test_resuming_where_nothing_is_begins(tmp_path, images):
    finished = carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert [step.step for step in finished.steps] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (plan("vae"), "trained with model ae, not vae"),
        (plan(seed=5), "trained with seed 4, not 5"),
        (plan(objective=Objective(alpha=2)), "trained with alpha 1.0, not 2"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused_and_stays(tmp_path, images, changed, said):
    carry_out(plan(), images, tmp_path / "run")
    before = {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")}
    with pytest.raises(InputError, match=said):
        carry_out(changed, images, tmp_path / "run", reuse=Reuse(resume=True))
    assert {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")} == before


def test_other_images_are_refused(tmp_path, images):
    carry_out(plan(), images, tmp_path / "run")
    with pytest.raises(InputError, match=r"holds other images than those of .*run/checkpoint\.pt"):
        carry_out(plan(), images.held_out(8)[0], tmp_path / "run", reuse=Reuse(resume=True))
