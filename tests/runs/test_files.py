"""What a run leaves: settings, log, checkpoint, grids, rebuilt and generated images, a report."""

import csv
import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.datasets import to_unit
from ffltool.errors import InputError
from ffltool.images import read
from ffltool.objective import Objective
from ffltool.run_folder import Reuse
from ffltool.runs import Judging, Keeping, carry_out
from ffltool.train import Training
from tests.runs.common import JUDGING, files, plan, weights

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_the_log_says_what_unit_images_cost_at_the_start(tmp_path, images):
    finished = carry_out(plan(steps=1, batch_size=16), images, tmp_path / "run")
    untrained = Training(plan(steps=1, batch_size=16)).rebuilt(images.pixels)
    expected = (untrained - to_unit(images.pixels)).square().mean()
    assert finished.steps[0].pixel == pytest.approx(float(expected), rel=1e-5)  # sums of another order, in float32


def test_the_checkpoint_is_data_alone_and_makes_the_network_again(tmp_path, images):
    carry_out(plan("vae"), images, tmp_path / "run", test=images, judging=JUDGING)
    training = Training(plan("vae"))
    training.go_on_from(torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True))
    assert training.step == 6
    rebuilt = ((training.rebuilt(images.pixels) + 1) * 127.5).round().byte()
    for name, image in zip(images.names, rebuilt, strict=True):
        kept = read(tmp_path / "run" / "recon" / "fake" / f"{name}.png").planes()
        assert np.array_equal(kept, image.numpy())


def test_checkpoints_come_as_often_as_asked(tmp_path, images, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    kept = []
    monkeypatch.setattr("ffltool.run_folder.RunFolder.keep", lambda self, state: kept.append(state["step"]))
    carry_out(plan(), images, tmp_path / "run", keeping=Keeping(checkpoint_seconds=25))
    assert kept == [3, 6]


def test_rebuilt_images_lie_beside_the_real_ones_they_were_judged_against(tmp_path, images):
    finished = carry_out(plan(), images, tmp_path / "run", test=images, judging=JUDGING)
    for name, image in zip(images.names, images.pixels, strict=True):
        assert np.array_equal(read(tmp_path / "run" / "recon" / "real" / f"{name}.png").planes(), image.numpy())
    assert finished.report.real.images == 16


def test_names_in_subfolders_stay_apart(tmp_path, images):
    names = tuple(f"{'a' if number % 2 else 'b'}/{number // 2}" for number in range(len(images)))
    carry_out(plan(epochs=1), images, tmp_path / "run", test=replace(images, names=names), judging=JUDGING)
    with Image.open(tmp_path / "run" / "recon" / "real" / "a" / "0.png") as image:
        assert np.array_equal(np.moveaxis(np.asarray(image), -1, 0), images.pixels[1].numpy())


def test_metrics_whose_weights_are_missing_are_left_out_and_said(tmp_path, images, caches, monkeypatch):
    from ffltool.looking import Looking, Sources

    monkeypatch.delenv("FFLTOOL_WEIGHTS", raising=False)
    for name in ("TORCH_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    judging = Judging(metrics=("psnr", "lpips", "fid"), looking=Looking(sources=Sources(skip_missing=True)))
    report = carry_out(plan(), images, tmp_path / "run", test=images, judging=judging).report
    assert [score.metric for score in report.scores] == ["psnr"]
    assert [warning.split(":")[0] for warning in report.warnings] == ["lpips", "fid"]


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
