import csv
import errno
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import outputs, train
from ffltool.datasets import Dataset, load, to_unit
from ffltool.errors import InputError, ShapeError
from ffltool.images import read
from ffltool.objective import Objective
from ffltool.run_folder import Reuse, RunFolder, check_folder
from ffltool.runs import Judging, Keeping, carry_out
from ffltool.train import Plan, Training

pytestmark = pytest.mark.usefixtures("one_thread")
JUDGING = Judging(metrics=("psnr", "ssim", "lfd", "lsd"))
EVERY = Keeping(checkpoint_seconds=0, samples_every=1)
REAL = Path(__file__).parents[1] / "sample_data" / "real"


@pytest.fixture(scope="module")
def images() -> Dataset:
    return load(REAL, size=16)


def plan(model="ae", **changes):
    return Plan(model=model, **{"size": 16, "batch_size": 6, "epochs": 3, "seed": 4} | changes)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def weights(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["weights"]


def same(one, other):
    return all(torch.equal(weights(one)[name], weights(other)[name]) for name in weights(one))


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function that lets files of a name find no room from now on."""

    def fill(suffix):
        write = Path.write_bytes

        def refused(path, content):
            if content[:2] == b"PK" or suffix != ".pt":
                write(path, content[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", refused)

    return fill


@pytest.mark.parametrize("model", ["ae", "vae"])
def test_a_run_leaves_its_files(tmp_path, images, model):
    finished = carry_out(plan(model), images, tmp_path / "run", test=images, judging=JUDGING)
    names = [f"{name}.png" for name in images.names]
    assert files(tmp_path / "run") == sorted(
        [
            *("checkpoint.pt", "config.json", "log.csv", "report.json"),
            *(f"samples/epoch_000{epoch}.png" for epoch in (1, 2, 3)),
            *(f"recon/{side}/{name}" for side in ("real", "fake") for name in names),
        ]
    )
    assert [score.metric for score in finished.report.scores] == ["psnr", "ssim", "lfd", "lsd"]
    assert len(finished.steps) == 6  # of 16 images


def test_the_settings_name_seed_code_versions_and_images(tmp_path, images):
    carry_out(plan(), images, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["schema"], config["plan"]["seed"], config["plan"]["objective"]["alpha"]) == ("ffltool.train/1", 4, 1)
    assert (config["images"]["images"], config["images"]["digest"], config["test"]) == (16, images.digest, None)
    assert config["environment"]["code"].startswith(("commit ", "source "))
    assert config["environment"]["torch"] == torch.__version__


def test_the_log_has_a_row_per_step_and_nothing_for_a_term_that_does_not_count(tmp_path, images):
    finished = carry_out(plan(objective=Objective(ffl_weight=0)), images, tmp_path / "run")
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [float(row["pixel"]) for row in rows] == pytest.approx([step.pixel for step in finished.steps], rel=1e-8)
    assert {row["ffl"] + row["kl"] + row["spreg"] for row in rows} == {""}


def test_the_checkpoint_is_data_alone_and_makes_the_network_again(tmp_path, images):
    carry_out(plan("vae"), images, tmp_path / "run", test=images, judging=JUDGING)
    training = Training(plan("vae"))
    training.go_on_from(torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True))
    assert training.step == 6
    rebuilt = ((training.rebuilt(images.pixels) + 1) * 127.5).round().byte()
    for name, image in zip(images.names, rebuilt, strict=True):
        kept = read(tmp_path / "run" / "recon" / "fake" / f"{name}.png").planes()
        assert np.array_equal(kept, image.numpy())


def test_rebuilt_images_lie_beside_the_real_ones_they_were_judged_against(tmp_path, images):
    finished = carry_out(plan(), images, tmp_path / "run", test=images, judging=JUDGING)
    for name, image in zip(images.names, images.pixels, strict=True):
        assert np.array_equal(read(tmp_path / "run" / "recon" / "real" / f"{name}.png").planes(), image.numpy())
    assert finished.report.real.images == 16


def test_a_grid_shows_images_over_what_became_of_them(tmp_path, images):
    carry_out(plan("vae"), images, tmp_path / "run", keeping=Keeping(samples_every=0))
    assert [path.name for path in (tmp_path / "run" / "samples").iterdir()] == ["epoch_0003.png"]
    grid = read(tmp_path / "run" / "samples" / "epoch_0003.png").planes()
    assert grid.shape == (3, 3 * 16 + 2 * 2, 8 * 16 + 7 * 2)  # real, rebuilt, of noise; eight of them
    assert np.array_equal(grid[:, :16, :16], images.pixels[0].numpy())
    assert (grid[:, 16:18] == 255).all()


def test_images_of_noise_are_written_on_demand_also_later(tmp_path, images):
    carry_out(plan("vae"), images, tmp_path / "run", generate=3)
    names = files(tmp_path / "run" / "generated")
    assert names == ["000001.png", "000002.png", "000003.png"]
    first = (tmp_path / "run" / "generated" / "000002.png").read_bytes()
    before = weights(tmp_path / "run")
    carry_out(plan("vae"), images, tmp_path / "run", generate=5, reuse=Reuse(resume=True))
    assert len(files(tmp_path / "run" / "generated")) == 5
    assert len(first) == (tmp_path / "run" / "generated" / "000002.png").stat().st_size
    assert all(torch.equal(before[name], value) for name, value in weights(tmp_path / "run").items())
    with pytest.raises(InputError, match="ae generates no images from noise"):
        carry_out(plan(), images, tmp_path / "other", generate=3)
    assert not (tmp_path / "other").exists()


class StoppedError(Exception):
    """What stops a run in a test."""


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
    with pytest.raises(InputError, match="the checkpoint is at step 6, beyond the 2 that are wanted"):
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
    with pytest.raises(InputError, match="holds other images than those of the checkpoint"):
        carry_out(plan(), images.held_out(8)[0], tmp_path / "run", reuse=Reuse(resume=True))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"no checkpoint"], ids=len)
def test_a_damaged_checkpoint_is_an_error(tmp_path, images, content):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt is damaged, or no checkpoint of ffltool"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))


def tampered(state, name, value):
    """Return a state with another value at a path such as "weights/encoder.bias", or without it."""
    *path, last = name.split("/")
    state = dict(state)
    inner = state
    for key in path:
        inner[key] = dict(inner[key])
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return state


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *(
            (name, None, r"checkpoint\.pt is damaged, or no checkpoint of ffltool")
            for name in ("plan", "step", "images")
        ),
        *((name, [torch.ones(2)], r"checkpoint\.pt is damaged") for name in ("schema", "plan", "step", "images")),
        *(("step", value, r"checkpoint\.pt is damaged") for value in (-1, 2.5, "2")),
        ("step", 10**15, "the checkpoint is at step 1000000000000000, beyond the 6 that are wanted"),
        ("plan/lr", None, "trained with lr None, not 0.001"),
        ("plan/lr", torch.ones(2), r"checkpoint\.pt is damaged"),
        ("plan/objective", 3, "trained with objective 3, not "),
        ("plan/objective/more", 1, "trained with more 1, not None"),
        *((name, None, "does not hold the weights and moments of this model") for name in ("weights", "moments")),
        *((name, "x", "does not hold the weights and moments") for name in ("weights", "moments")),
        ("weights/encoder.bias", None, "does not hold the weights and moments of this model"),
        ("weights/encoder.bias", torch.ones(3), "does not hold the weights and moments of this model"),
        ("weights/encoder.bias", torch.ones(256, dtype=torch.int), "does not hold the weights and moments"),
        ("weights/encoder.bias", torch.ones(256).to_sparse(), "does not hold the weights and moments"),
        ("weights/encoder.bias", torch.ones(256, device="meta"), "does not hold the weights and moments"),
        ("weights/more", torch.ones(3), "does not hold the weights and moments of this model"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_checkpoint_that_was_tampered_with_is_an_error(tmp_path, images, name, value, said):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    torch.save(tampered(torch.load(path, weights_only=True), name, value), path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=said):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [None, {}, {"step": torch.tensor(2.0), "exp_avg": torch.ones(3)}, 3], ids=str)
def test_moments_that_were_tampered_with_are_an_error(tmp_path, images, value):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    state["moments"] = {**state["moments"], 1: value}
    torch.save(state, path)
    with pytest.raises(InputError, match="the checkpoint does not hold the weights and moments of this model"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))


@pytest.mark.parametrize(
    "line",
    [
        b"6,x,1,1,,,,,",
        b"6,3,x,1,,,,,",
        b"6,3,1,,,,,,",
        b"6,3,1,1,x,,,,",
        b"6,3,1\xff,1,,,,,",
        b"6,3,\0,1,,,,,",
        b"6,3," + 200_000 * b"1" + b",1,,,,,",
        b"6,3,1",
        9999 * b"6" + b",3,1,1,,,,,",
        b"",
    ],
    ids=lambda line: str(line[:20]),
)
def test_a_log_that_was_tampered_with_is_an_error(tmp_path, images, line):
    carry_out(plan(), images, tmp_path / "run")
    path = tmp_path / "run" / "log.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + line + b"\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"log\.csv does not hold the 6 steps of the checkpoint beside it"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2", b'{"schema": "other/1"}'], ids=str)
def test_settings_that_were_tampered_with_mark_no_run(tmp_path, images, content):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "config.json").write_bytes(content)
    before = {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")}
    other, strange = "holds other files; a new folder is wanted", "was not written by this"
    for reuse, said in ((Reuse(resume=True), other), (Reuse(force=True), strange)):
        with pytest.raises(InputError, match=said):
            carry_out(plan(), images, tmp_path / "run", reuse=reuse)
    assert {name: (tmp_path / "run" / name).read_bytes() for name in files(tmp_path / "run")} == before


def test_folders_in_the_place_of_files_of_a_run_are_one_line(tmp_path, images, run):
    command = ["train", "ae", REAL, "--size", 16, "--batch-size", 6, "--steps", 2, "--device", "cpu"]
    for number, name in enumerate(("checkpoint.pt", "log.csv", "config.json", "report.json", "samples")):
        folder = tmp_path / str(number)
        assert run(*command, "-o", folder)[0] == 0
        if name == "samples":
            shutil.rmtree(folder / name)
            (folder / name).write_text("")
        else:
            (folder / name).unlink(missing_ok=True)
            (folder / name).mkdir()
        for how in ("--resume", "--force"):
            status, out, err = run(*command, "-o", folder, "--steps", 3, how)
            assert (status, out, err.count("\n")) in ((2, "", 1), (0, out, 0)), (name, how, err)


@pytest.mark.parametrize(
    ("size", "metrics", "said"),
    [
        (8, ("psnr", "ssim"), "SSIM needs images of at least 11x11 pixels, got 8x8"),
        (8, ("psnr", "lsd"), "spectra of sets need images of at least 9x9 pixels, got 8x8"),
    ],
)
def test_test_images_too_small_for_a_metric_are_an_error_before_the_training(tmp_path, size, metrics, said):
    images = load(REAL, size=size)
    with pytest.raises(ShapeError, match=said):
        carry_out(plan(size=size), images, tmp_path / "run", test=images, judging=Judging(metrics=metrics))
    assert not (tmp_path / "run").exists()
    carry_out(plan(size=size), images, tmp_path / "run", test=images, judging=Judging(metrics=("psnr",)))


def test_test_images_too_few_for_a_metric_are_an_error_before_the_training(tmp_path, images, means):
    few = images.held_out(16)[1]
    judging = Judging(metrics=("psnr", "fid"), looking=means.looking)
    with pytest.raises(InputError, match=r"fid needs at least 2 images, and of .* there are 1"):
        carry_out(plan(), images, tmp_path / "run", test=few, judging=judging)
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_kind_and_a_log_without_its_steps_are_errors(tmp_path, images):
    carry_out(plan(), images, tmp_path / "run")
    (tmp_path / "run" / "log.csv").write_text("step\n")
    with pytest.raises(InputError, match=r"log\.csv does not hold the 6 steps of the checkpoint beside it"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))
    torch.save({"schema": "other/2"}, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(InputError, match=r"a checkpoint of the kind other/2, not ffltool\.checkpoint/1"):
        carry_out(plan(), images, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_run_is_not_written_over_without_being_asked_to(tmp_path, images):
    carry_out(plan(), images, tmp_path / "run", test=images, judging=JUDGING)
    with pytest.raises(InputError, match="holds results already; --resume goes on with them, --force begins anew"):
        carry_out(plan(), images, tmp_path / "run")
    carry_out(plan(epochs=1), images, tmp_path / "run", reuse=Reuse(force=True))
    assert files(tmp_path / "run") == ["checkpoint.pt", "config.json", "log.csv", "samples/epoch_0001.png"]


def test_a_folder_of_other_files_is_left_alone(tmp_path, images):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="holds other files; a new folder is wanted, or --force"):
        carry_out(plan(), images, tmp_path)
    carry_out(plan(epochs=1), images, tmp_path, reuse=Reuse(force=True))
    assert (tmp_path / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("name", ["samples/mine.png", "recon/mine.png", "generated/mine.png", "report.json"])
def test_what_is_only_called_like_a_part_of_a_run_is_not_removed(tmp_path, images, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="was not written by this command and stays; a new folder is wanted"):
        carry_out(plan(), images, tmp_path, reuse=Reuse(force=True))
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("part", ["samples", "recon", "recon/real", "generated"])
def test_images_that_a_run_would_remove_are_refused_and_stay(tmp_path, images, part):
    folder = tmp_path / "run"
    carry_out(plan("vae"), images, folder, test=images, judging=JUDGING, generate=2)
    before = sorted(folder.rglob("*"))
    for sets in ({"images": replace(images, folder=folder / part)}, {"test": replace(images, folder=folder / part)}):
        for reuse in (Reuse(force=True), Reuse(resume=True)):
            with pytest.raises(InputError, match=rf"{part} lies in .*run, where it would be removed"):
                carry_out(**{"plan": plan("vae"), "images": images, "folder": folder, "reuse": reuse, **sets})
    assert sorted(folder.rglob("*")) == before
    # other folders there are kept
    carry_out(plan(), replace(images, folder=folder / "mine"), folder, reuse=Reuse(force=True))


def test_a_run_within_the_folder_of_its_images_is_refused(tmp_path, images):
    for sets in ({"images": replace(images, folder=tmp_path)}, {"test": replace(images, folder=tmp_path)}):
        with pytest.raises(InputError, match=r"run lies in .*, and what is written would count among its images"):
            carry_out(plan(), folder=tmp_path / "run", **{"images": images} | sets)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_is_an_error(tmp_path, images):
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path / "file", "it is no folder"), (tmp_path / "no" / "run", "is no folder that can be")):
        with pytest.raises(InputError, match=said):
            carry_out(plan(), images, path)


def test_too_few_images_are_an_error_before_anything_is_written(tmp_path, images):
    with pytest.raises(InputError, match="16 images are too few for a batch of 17; --batch-size takes fewer"):
        carry_out(plan(batch_size=17), images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path, images, monkeypatch):
    good, stepped = [], Training._stepped

    def spoilt(self, *arguments, **options):
        losses = stepped(self, *arguments, **options)
        if self.step + 1 == 4:
            good.append((tmp_path / "run" / "checkpoint.pt").read_bytes())
            losses = losses * float("nan")
        return losses

    monkeypatch.setattr(train.Training, "_stepped", spoilt)
    with pytest.raises(InputError, match="the loss is nan at step 4"):
        carry_out(plan(), images, tmp_path / "run", keeping=EVERY)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == good[0]
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 4


def test_a_step_far_too_long_ends_the_run_and_says_so(tmp_path, images):
    said = r"(loss is (nan|inf) at|weights are not finite after) step \d; a smaller --lr, --pixel-weight, --ffl"
    with pytest.raises(InputError, match=said):
        carry_out(plan("vae", lr=100.0), images, tmp_path / "run", keeping=EVERY)


def test_a_full_disk_is_an_error_and_keeps_the_last_checkpoint(tmp_path, images, full_disk):
    carry_out(plan(epochs=1), images, tmp_path / "run")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    full_disk(".pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt cannot be written: No space left on device"):
        carry_out(plan(epochs=2), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert not list((tmp_path / "run").glob(".*"))


def test_a_log_that_cannot_be_written_is_an_error(tmp_path, images, monkeypatch):
    def refused(path, mode="r", **settings):
        if mode == "a":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, **settings)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match=r"log\.csv cannot be written: No space left on device"):
        carry_out(plan(), images, tmp_path / "run")


def test_checkpoints_come_as_often_as_asked(tmp_path, images, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    kept = []
    monkeypatch.setattr("ffltool.run_folder.RunFolder.keep", lambda self, state: kept.append(state["step"]))
    carry_out(plan(), images, tmp_path / "run", keeping=Keeping(checkpoint_seconds=25))
    assert kept == [3, 6]


def test_metrics_whose_weights_are_missing_are_left_out_and_said(tmp_path, images, caches, monkeypatch):
    from ffltool.looking import Looking, Sources

    monkeypatch.delenv("FFLTOOL_WEIGHTS", raising=False)
    for name in ("TORCH_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    judging = Judging(metrics=("psnr", "lpips", "fid"), looking=Looking(sources=Sources(skip_missing=True)))
    report = carry_out(plan(), images, tmp_path / "run", test=images, judging=judging).report
    assert [score.metric for score in report.scores] == ["psnr"]
    assert [warning.split(":")[0] for warning in report.warnings] == ["lpips", "fid"]


def test_names_in_subfolders_stay_apart(tmp_path, images):
    names = tuple(f"{'a' if number % 2 else 'b'}/{number // 2}" for number in range(len(images)))
    carry_out(plan(epochs=1), images, tmp_path / "run", test=replace(images, names=names), judging=JUDGING)
    with Image.open(tmp_path / "run" / "recon" / "real" / "a" / "0.png") as image:
        assert np.array_equal(np.moveaxis(np.asarray(image), -1, 0), images.pixels[1].numpy())


def test_the_log_says_what_unit_images_cost_at_the_start(tmp_path, images):
    finished = carry_out(plan(steps=1, batch_size=16), images, tmp_path / "run")
    untrained = Training(plan(steps=1, batch_size=16)).rebuilt(images.pixels)
    expected = (untrained - to_unit(images.pixels)).square().mean()
    assert finished.steps[0].pixel == pytest.approx(float(expected), rel=1e-5)  # sums of another order, in float32


def test_a_folder_that_is_closed_to_us_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # which root never sees by itself
    for folder, said in ((tmp_path, "cannot be written to: permission denied"), (tmp_path / "new", "cannot be made")):
        with pytest.raises(InputError, match=said):
            check_folder(folder, [folder / "config.json"], Reuse(), mark="mark")


@pytest.mark.parametrize("seconds", [float("nan"), -1.0])
def test_seconds_after_which_no_checkpoint_is_ever_due_are_an_error(seconds):
    with pytest.raises(InputError, match="checkpoint_seconds must be 0 or more"):
        Keeping(checkpoint_seconds=seconds)
