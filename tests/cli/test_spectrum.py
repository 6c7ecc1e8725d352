import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def two(folders):
    return folders(["a.png", "b.png", "c.png"], size=(24, 32))


@pytest.mark.parametrize("layout", ["full", "maps", "profiles", "pairs", "batch"])
def test_every_layout_writes_a_figure(run, two, tmp_path, layout):
    status, _, errors = run("spectrum", *two, "-o", tmp_path / "x.png", "--layout", layout)
    assert (status, errors) == (0, "")
    with Image.open(tmp_path / "x.png") as image:
        assert image.text["Software"] == "ffltool"


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_the_suffix_is_the_kind(run, two, tmp_path, suffix):
    assert run("spectrum", *two, "-o", tmp_path / f"x.{suffix}")[0] == 0
    assert (tmp_path / f"x.{suffix}").stat().st_size > 1000


def test_the_table_has_a_level_and_gains(run, two):
    status, out, _ = run("spectrum", *two)
    assert status == 0
    first, head, real, fake = [line for line in out.splitlines() if line]
    assert first.startswith("24x32: mean |F|² (dB) in bands of cycles per pixel")
    assert head.split() == ["set", "images", "0-0.125", "0.125-0.25", "0.25-0.375", "0.375-0.5", "corner"]
    assert real.split()[:2] == ["real", "3"]
    assert all(cell[0] in "+-" for cell in fake.split()[2:])


def test_data_can_be_drawn_again_without_the_images(run, two, tmp_path):
    data, one, other = tmp_path / "x.npz", tmp_path / "one.png", tmp_path / "other.png"
    status, table, _ = run("spectrum", *two, "-o", one, "--data", data, "--size", 20, "--limit", 2, "--seed", 3)
    assert status == 0
    for folder in two:
        for path in folder.iterdir():
            path.unlink()
    assert run("spectrum", "--from", data, "-o", other) == (0, table, "")
    assert one.read_bytes() == other.read_bytes()
    meta = json.loads(str(np.load(data)["meta"]))
    assert (meta["size"], meta["selection"]["seed"]) == ([20, 20], 3)
    assert run("spectrum", "--from", data, "-o", other, "--show", "ln", "--layout", "maps")[0] == 0


def test_options_take_the_place_of_the_presets(run, two, tmp_path):
    data = tmp_path / "x.npz"
    options = ["--channels", "red", "--span", "0..1", "--whiten", "image", "--residual", "gauss", "--window", "kaiser"]
    options += ["--pad", 2, "--transform", "dct", "--average", "amplitude", "--show", "linear", "--curves", "radial"]
    assert run("spectrum", *two, "--data", data, "--preset", "karras2021", *options, "--unnormalised")[0] == 0
    expected = dict(zip([str(name)[2:] for name in options[::2]], options[1::2], strict=True)) | {"orthonormal": False}
    assert json.loads(str(np.load(data)["meta"]))["recipe"] == expected


@pytest.mark.parametrize("layout", ["pairs", "batch"])
def test_layouts_of_the_paper_have_its_preset(run, two, tmp_path, layout):
    run("spectrum", *two, "--data", tmp_path / "x.npz", "--layout", layout)
    assert json.loads(str(np.load(tmp_path / "x.npz")["meta"]))["recipe"]["average"] == "log1p"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "INPUT is missing"),
        (["nowhere"], "nowhere does not exist"),
        (["{real}", "--preset", "mine"], "there is no preset 'mine'; known are ffltool, ffl, wang2020"),
        (["{real}", "--window", "hamming"], "window cannot be 'hamming'; known are none, hann, kaiser"),
        (["{real}", "--pad", "0"], "pad must be 1 to 16"),
        (["{real}", "--layout", "pairs"], "pairs are of two inputs, REAL and FAKE, not of 1"),
        (["{real}", "--size", "99"], "a.png is 24x32, smaller than the 99x99"),
        (["{real}", "--size", "999999999999"], "a.png is 24x32, smaller than the 999999999999x999999999999"),
        (["{real}", "-o", "x.jpg"], "x.jpg has no suffix of a figure"),
        (["{real}", "-o", "no/x.png"], "the folder"),
        (["--from", "{real}/a.png"], "a.png is no NPZ file that can be read"),
        (["{real}", "--from", "x.npz"], "INPUT does not go with --from"),
        (["--from", "x.npz", "--seed", "0"], "--seed does not go with --from"),
        (["--from", "x.npz", "--no-recursive", "--window", "hann"], "--recursive does not go with --from"),
        (["{real}", "--data", "-"], "--data is an archive, which does not go to standard output"),
        (["{real}", "--device", "tpu"], "there is no device 'tpu'"),
    ],
)
def test_what_a_user_can_mend_is_one_line(run, two, arguments, message):
    status, out, errors = run("spectrum", *(argument.format(real=two[0]) for argument in arguments))
    assert (status, out) == (2, "")
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_nobody_elses_files_are_overwritten(run, two, tmp_path):
    for name, option in (("x.png", "-o"), ("x.npz", "--data")):
        (tmp_path / name).write_bytes(b"mine")
        status, _, errors = run("spectrum", *two, option, tmp_path / name)
        assert status == 2
        assert "--force overwrites it" in errors
        assert (tmp_path / name).read_bytes() == b"mine"
        assert run("spectrum", *two, option, tmp_path / name, "--force")[0] == 0
        assert run("spectrum", *two, option, tmp_path / name)[0] == 0


def test_a_figure_that_cannot_be_written_does_not_cost_the_numbers(run, two, tmp_path, monkeypatch):
    from ffltool import outputs
    from ffltool.errors import InputError

    def full(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", full)
    status, out, errors = run("spectrum", *two, "-o", tmp_path / "x.png")
    assert status == 2
    assert "No space left" in errors
    assert "corner" in out
