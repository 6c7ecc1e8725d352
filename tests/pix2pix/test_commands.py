"""``ffltool train pix2pix`` and ``experiment pix2pix`` as a user types them."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")


def test_the_commands_defaults_are_those_of_pix2pixs_authors(run, tmp_path, folder):
    status, out, err = run("train", "pix2pix", folder, "-o", tmp_path / "run", "--steps", 1, "--device", "cpu")
    assert (status, err) == (0, "")
    assert out.startswith("pix2pix, 256x256: step 1 of epoch 1, loss ")
    assert "critic 0." in out
    found = json.loads((tmp_path / "run" / "config.json").read_text())["plan"]
    objective = found.pop("objective")
    assert found == {
        **{"model": "pix2pix", "size": 256, "batch_size": 1, "epochs": 200, "steps": 1, "seed": 0, "amp": False},
        **{"lr": 2e-4, "decay": 0.5, "beta1": 0.5, "beta2": 0.999, "direction": "AtoB"},
    }
    assert (objective["loss"], objective["pixel_weight"], objective["gan_weight"]) == ("l1", 100, 1)


def test_an_experiment_makes_the_same_tables_and_figures(run, tmp_path, folder):
    command = ["experiment", "pix2pix", folder, "-o", tmp_path / "out", "--test", folder, "--steps", 1]
    status, out, err = run(*command, "--device", "cpu", "-m", "psnr,lsd", "--direction", "BtoA")
    assert (status, err) == (0, "")
    assert out.startswith("pix2pix, 256x256: 4 images, 1 step of 1\njudged on 4 other images; seed 0")
    names = {"table.csv", "trials.csv", "table.md", "table.tex", "experiment.json", "runs"}
    names |= {"reconstructions.png", "spectra.png", "losses.png", "ablation.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", 300], "pix2pix takes images of a power of two 256 to 1024 pixels, not 300"),
        (["--size", 512], "0.png is 256x256 in each half, smaller than --size 512"),
        (["--pixel-weight", 0], "pixel_weight must be above 0 and finite, got 0"),
        (["--sample", 2], "pix2pix generates no images from noise, so that there are none to sample"),
    ],
    ids=str,
)
def test_what_a_user_can_mend_is_one_line(run, tmp_path, folder, options, said):
    status, out, err = run("train", "pix2pix", folder, "-o", tmp_path / "run", "--device", "cpu", *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "run").exists()
