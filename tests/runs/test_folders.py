"""Folders that a run may write to, and what in them it leaves alone."""

import errno
from dataclasses import replace

import pytest

from ffltool.errors import InputError
from ffltool.run_folder import Reuse, check_folder, held
from ffltool.runs import carry_out
from tests.runs.common import JUDGING, files, plan

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_a_folder_takes_one_run_at_a_time(tmp_path, images):
    with held(tmp_path / "run"):
        with pytest.raises(InputError, match="run is written to by another run, which must end first"):
            carry_out(plan(), images, tmp_path / "run", reuse=Reuse(force=True))
        assert not any((tmp_path / "run").iterdir())
    carry_out(plan(), images, tmp_path / "new")
    carry_out(plan(), images, tmp_path / "new", reuse=Reuse(resume=True))


def test_a_disk_without_locks_keeps_nobody_away(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refused(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refused)
    with held(tmp_path / "run"), held(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()


def test_a_folder_that_cannot_be_is_an_error(tmp_path, images):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, said in (
        ("file", "it is no folder"),
        ("link", "it is no folder"),
        ("no/run", "is no folder that can be"),
    ):
        path = tmp_path / name
        with pytest.raises(InputError, match=said):
            carry_out(plan(), images, path)


def test_a_folder_that_is_closed_to_us_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # which root never sees by itself
    for folder, said in ((tmp_path, "cannot be written to: permission denied"), (tmp_path / "new", "cannot be made")):
        with pytest.raises(InputError, match=said):
            check_folder(folder, [folder / "config.json"], Reuse(), mark="mark")
