"""The figure of ``ffltool diagnose``, and where it may be written."""

import os

import pytest
from PIL import Image

from ffltool import outputs
from ffltool.errors import InputError
from tests.cli.common import error_of
from tests.cli.diagnose.common import LOSSES, rows_below

pytestmark = pytest.mark.usefixtures("one_thread")

STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
each_suffix = pytest.mark.parametrize("suffix", STARTS)


@each_suffix
def test_a_figure_is_of_the_kind_of_its_suffix_and_is_overwritten_by_the_next(tmp_path, folders, run, suffix):
    path, (real, fake) = tmp_path / f"x{suffix}", folders(size=(32, 32))
    for _ in range(2):
        status, out, err = run("diagnose", real, fake, "-o", path)
        assert (status, err) == (0, "")
        assert out.startswith("3 pairs")
        assert path.read_bytes().startswith(STARTS[suffix])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fake", "real", path.name]


def test_a_png_can_be_opened(tmp_path, folders, run):
    run("diagnose", *folders(), "-o", tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        image.load()
        assert min(image.size) > 300


def test_a_figure_of_equal_images(tmp_path, folders, run):
    real, _ = folders()
    assert run("diagnose", real, real, "-o", tmp_path / "x.svg")[0] == 0
    assert (tmp_path / "x.svg").exists()


@each_suffix
def test_somebody_elses_file_is_not_overwritten(tmp_path, folders, run, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(STARTS[suffix] + b" somebody's drawing")
    before = path.read_bytes()
    line = error_of(run("diagnose", *folders(), "-o", path))
    assert line == f"ffltool: {path} exists and is no earlier output of this kind; --force overwrites it\n"
    assert path.read_bytes() == before


def test_force_overwrites_somebody_elses_file(tmp_path, folders, run):
    (tmp_path / "x.svg").write_text("somebody's drawing")
    assert run("diagnose", *folders(), "-o", tmp_path / "x.svg", "--force")[0] == 0
    assert (tmp_path / "x.svg").read_bytes().startswith(STARTS[".svg"])


@pytest.mark.parametrize("name", ["x.jpg", "x", "-"])
def test_an_unknown_suffix_is_noticed_before_the_work(tmp_path, run, name):
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path / "missing", "-o", name))
    assert line == f"ffltool: {name} has no suffix of a figure; known are .png, .svg, .pdf\n"


@pytest.mark.parametrize("option", ["--output", "--json"])
def test_output_in_a_missing_folder_is_noticed_before_the_work(tmp_path, run, option):
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path, option, tmp_path / "no" / "x.png"))
    assert f"the folder {tmp_path / 'no'} does not exist" in line


def test_a_figure_and_json_in_one_file_are_an_error(tmp_path, folders, run):
    assert "same file" in error_of(run("diagnose", *folders(), "-o", tmp_path / "x.png", "--json", tmp_path / "x.png"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_noticed_before_the_work(tmp_path, run):
    (tmp_path / "closed").mkdir(mode=0o500)
    line = error_of(run("diagnose", tmp_path / "missing", tmp_path, "-o", tmp_path / "closed" / "x.png"))
    assert "cannot be written: permission denied" in line


def test_a_figure_that_cannot_be_written_does_not_cost_the_numbers(tmp_path, folders, run, monkeypatch):
    def full(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", full)
    status, out, err = run("diagnose", *folders(), "-o", tmp_path / "x.png")
    assert status == 2
    assert rows_below(out, LOSSES)
    assert "No space left on device" in err
