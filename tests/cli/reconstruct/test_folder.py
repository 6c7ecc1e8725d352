"""Where ``ffltool reconstruct`` may write, and that it leaves nothing half done."""

import os

import pytest
import torch

from ffltool import outputs
from ffltool.errors import InputError
from tests.cli.common import error_of, pixels_of
from tests.cli.reconstruct.common import OTHERS, names

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", ["original.png", "ffl.png", "curves.csv", "report.json"])
def test_somebody_elses_file_stops_it_before_anything_is_written(rebuild, folder, name):
    folder.mkdir()
    (folder / name).write_text("mine")
    line = error_of(rebuild())
    assert line == f"ffltool: {folder / name} exists and is no earlier output of this kind; --force overwrites it\n"
    assert names(folder) == {name}
    assert (folder / name).read_text() == "mine"


def test_force_overwrites_somebody_elses_file_and_leaves_what_is_not_in_the_way(rebuild, folder):
    folder.mkdir()
    for name in ("ffl.png", "phase.png", "notes.txt"):
        (folder / name).write_text("mine")
    assert rebuild("--force")[0] == 0
    assert names(folder) == {"ffl.png", "phase.png", "notes.txt"} | OTHERS
    assert (folder / "phase.png").read_text() == (folder / "notes.txt").read_text() == "mine"
    assert pixels_of(folder / "ffl.png").shape == (12, 16, 3)


def test_a_file_in_place_of_the_folder_is_one_line(rebuild, folder):
    folder.write_text("mine")
    assert error_of(rebuild("--force")) == f"ffltool: {folder} cannot be written to: it is no folder\n"
    assert folder.read_text() == "mine"


def test_a_link_to_nothing_is_no_folder(tmp_path, image, run):
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert "it is no folder" in error_of(run("reconstruct", image, "-o", tmp_path / "link"))


def test_a_missing_parent_is_one_line(rebuild, tmp_path):
    line = error_of(rebuild(folder=tmp_path / "no" / "x"))
    assert (
        line
        == f"ffltool: {tmp_path / 'no' / 'x'} cannot be made: {tmp_path / 'no'} is no folder that can be written to\n"
    )
    assert not (tmp_path / "no").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_or_parent_is_one_line(rebuild, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot be written: permission denied" in error_of(rebuild(folder=tmp_path / "closed"))
    assert "is no folder that can be written to" in error_of(rebuild(folder=tmp_path / "closed" / "x"))
    assert names(tmp_path / "closed") == set()


def test_an_interrupt_leaves_no_folder_behind(rebuild, folder, monkeypatch):
    steps = []

    def interrupted(optimizer):
        steps.append(optimizer)
        if len(steps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(torch.optim.Adam, "step", interrupted)
    status, out, err = rebuild()
    assert (status, out, err.strip()) == (130, "", "")
    assert len(steps) == 2
    assert not folder.exists()


def test_a_disk_that_gets_full_leaves_no_new_folder(folder, rebuild, monkeypatch):
    write = outputs.write

    def full(path, content):
        if path.name == "curves.csv":
            raise InputError(f"{path} cannot be written: No space left on device")
        write(path, content)

    monkeypatch.setattr(outputs, "write", full)
    assert "No space left" in error_of(rebuild())
    assert not folder.exists()
