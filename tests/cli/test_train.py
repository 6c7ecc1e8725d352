import inspect
import json
import shutil
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from ffltool.cli import _training
from ffltool.cli.train import train
from ffltool.models import MODELS
from ffltool.objective import Objective
from ffltool.train import Plan

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).parents[2]
REAL = ROOT / "sample_data" / "real"
SMALL = ["--size", 32, "--batch-size", 8, "--steps", 3, "--device", "cpu", "-m", "psnr,lfd"]


@pytest.mark.parametrize("name", MODELS["pix2pix"].own)
def test_the_help_says_what_is_taken_where_nothing_is_asked_for(name):
    defaults = {field.name: field.default for field in (*fields(Plan), *fields(Objective))}
    own, others = (str(value) for value in (MODELS["pix2pix"].own[name], defaults[name]))
    option = getattr(_training, "".join(part.title() for part in name.split("_")))
    shown = own if defaults[name] is None else f"{others}, pix2pix {own}"
    assert option.__metadata__[0].show_default == shown.replace(".0,", ",").removesuffix(".0")
    assert inspect.signature(train).parameters[name].default is None


@pytest.mark.parametrize("model", ["ae", "vae"])
def test_a_model_is_trained_and_its_test_images_judged(run, tmp_path, model):
    status, out, err = run("train", model, REAL, "-o", tmp_path / "run", "--test", REAL, *SMALL)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("16 pairs, 32x32")
    assert f"{model}, 32x32: step 3 of epoch 2, loss" in out
    assert lines[-1] == f"files are in {tmp_path / 'run'}"
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    jsonschema.validate(report, json.loads((ROOT / "tests" / "report.schema.json").read_text()))
    assert report["command"] == "train"


def test_without_test_images_nothing_is_judged(run, tmp_path):
    status, out, _ = run("train", "ae", REAL, "-o", tmp_path / "run", *SMALL)
    assert status == 0
    assert out.startswith("ae, 32x32: step 3")
    assert not (tmp_path / "run" / "report.json").exists()


def test_going_on_and_beginning_anew_are_two_things(run, tmp_path):
    for command in ("train", "experiment"):
        both = ["--resume", "--force", "-o", tmp_path / "run", *(["--test", REAL] if command == "experiment" else [])]
        status, _, err = run(command, "ae", REAL, *SMALL, *both)
        assert (status, err) == (
            2,
            "ffltool: --resume goes on with what is there, --force begins anew: one of them is wanted\n",
        )


def test_every_option_of_the_loss_arrives(run, tmp_path):
    options = ["--loss", "l1", "--ffl-weight", 3, "--kl-weight", 0.5, "--spreg-weight", 0.25, "--alpha", 0.5]
    options += ["--patch-factor", 2, "--ave-spectrum", "--log-matrix", "--batch-matrix", "--exclude-dc"]
    options += ["--transform", "dft", "--component", "amplitude", "--lr", 0.01, "--beta1", 0.5, "--beta2", 0.9]
    options += ["--seed", 7, "--amp", "--decay", 0.25, "--pixel-weight", 2, "--gan-weight", 0]
    assert run("train", "vae", REAL, "-o", tmp_path / "run", *SMALL, *options)[0] == 0
    plan = json.loads((tmp_path / "run" / "config.json").read_text())["plan"]
    assert plan == {
        **{"model": "vae", "size": 32, "batch_size": 8, "epochs": 20, "steps": 3, "seed": 7, "amp": True},
        **{"lr": 0.01, "decay": 0.25, "beta1": 0.5, "beta2": 0.9, "direction": None},
        "objective": {
            **{"loss": "l1", "ffl_weight": 3.0, "kl_weight": 0.5, "spreg_weight": 0.25, "alpha": 0.5},
            **{"pixel_weight": 2.0, "gan_weight": 0.0},
            **{"patch_factor": 2, "ave_spectrum": True, "log_matrix": True, "batch_matrix": True},
            **{"transform": "dft", "component": "amplitude", "exclude_dc": True},
        },
    }


def test_images_of_noise_are_written(run, tmp_path):
    assert run("train", "vae", REAL, "-o", tmp_path / "run", *SMALL, "--sample", 4, "--samples-every", 0)[0] == 0
    assert len(list((tmp_path / "run" / "generated").iterdir())) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--batch-size", 17], "16 images are too few for a batch of 17; --batch-size takes fewer"),
        (["--size", 200], "13_flat.png is 96x160, smaller than --size 200"),
        (["--sample", 2], "ae generates no images from noise, so that there are none to sample"),
        (["--lr", 0], "lr must be above 0 and finite, got 0"),
        (["-m", "nonsense"], "there is no metric 'nonsense'"),
        (["--device", "tpu"], "there is no device 'tpu'"),
        (["--patch-factor", 5], "patch_factor 5 does not divide the side 32; another --patch-factor, or --size"),
        (["--kl-weight", 0.1], "ae has no divergence; a kl_weight is for vae"),
        (["--gan-weight", 2], "ae has no critic; a gan_weight is for pix2pix"),
    ],
    ids=str,
)
def test_what_a_user_can_mend_is_one_line(run, tmp_path, options, said):
    status, out, err = run("train", "ae", REAL, "-o", tmp_path / "run", *SMALL, *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["train", "experiment"])
def test_weights_that_cannot_be_read_are_an_error_before_the_training(run, tmp_path, command):
    options = ["--test", REAL, *SMALL, "-m", "psnr,fid", "--weights", f"inception={tmp_path / 'none.pth'}"]
    status, _, err = run(command, "ae", REAL, "-o", tmp_path / "run", *options)
    assert (status, err) == (2, f"ffltool: {tmp_path / 'none.pth'} cannot be read: No such file or directory\n")
    assert not (tmp_path / "run").exists()


def test_the_checkpoint_of_another_model_is_one_line(run, tmp_path):
    assert run("train", "ae", REAL, "-o", tmp_path / "run", *SMALL)[0] == 0
    status, _, err = run("train", "vae", REAL, "-o", tmp_path / "run", *SMALL, "--resume")
    assert (status, err) == (2, f"ffltool: {tmp_path / 'run' / 'checkpoint.pt'} was trained with model ae, not vae\n")


def test_a_dropped_alpha_channel_is_said(run, tmp_path, save):
    for number in range(8):
        save(tmp_path / "images" / f"{number}.png", size=(32, 32), mode="RGBA")
    _, _, err = run("train", "ae", tmp_path / "images", "-o", tmp_path / "run", *SMALL)
    assert "warning" in err
    assert "the alpha channel of 8 images was dropped" in err


def test_an_experiment_prints_its_table_and_writes_its_files(run, tmp_path):
    status, out, err = run("experiment", "ae", REAL, "-o", tmp_path / "out", *SMALL, "--seeds", "0,1", "--once", "dct")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "ae, 32x32: 13 images, 3 steps of 8"
    assert lines[1] == "judged on 3 other images; seeds 0, 1; seed 0 for dct"
    assert [line.split("  ")[0] for line in lines if line[:3] in ("w/o", "FFL", "dct")][-5:] == [
        *("w/o FFL", "FFL", "dct"),
        *("w/o FFL", "FFL"),
    ]
    names = {"table.csv", "trials.csv", "table.md", "table.tex", "experiment.json", "runs"}
    names |= {"reconstructions.png", "spectra.png", "losses.png", "ablation.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert max(map(len, lines[:-1])) <= 120


def test_an_experiment_takes_test_images_of_its_own(run, tmp_path):
    shutil.copytree(REAL, tmp_path / "test")
    command = ["experiment", "ae", REAL, "-o", tmp_path / "out", "--test", tmp_path / "test", *SMALL]
    assert "judged on 16 other images; seed 0" in run(*command, "--variants", "FFL")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "0,x"], "--seeds are whole numbers with commas between them, not '0,x'"),
        (["--variants", "nonsense"], "there is no variant 'nonsense'; known are FFL, w/o FFL"),
        (["--once", "FFL"], "the variant 'FFL' with seed 0 is there twice"),
        (["--variants", ","], "an experiment needs a variant"),
        (["--variants", "patch=5"], "patch_factor 5 does not divide the side 32; another --patch-factor, or --size"),
        (["--variants", "FFL,kl=0.1"], "ae has no divergence; a kl_weight is for vae"),
    ],
    ids=str,
)
def test_a_design_that_cannot_be_is_one_line(run, tmp_path, options, said):
    status, _, err = run("experiment", "ae", REAL, "-o", tmp_path / "out", *SMALL, *options)
    assert (status, err.count("\n")) == (2, 1)
    assert said in err


def test_a_terminal_shows_losses_unless_quiet(run, tmp_path, monkeypatch):
    shown = []
    for number, options in enumerate(([], ["--quiet"])):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr.isatty", lambda: True)
            patch.setenv("TERM", "xterm")
            command = ["train", "ae", REAL, "-o", tmp_path / str(number), *SMALL, "--ffl-weight", 1]
            shown.append(run(*command, *options)[2])
    assert all(word in shown[0] for word in ("ae", "3/3", "pixel", "ffl"))
    assert shown[1] == ""
