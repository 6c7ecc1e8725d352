"""Which files are written, and whether they may be."""

import pytest
from PIL import Image

from ffltool import gallery, outputs, pictures
from ffltool.errors import InputError
from tests.gallery.common import FACTS, random, rebuilt

pytestmark = pytest.mark.usefixtures("one_thread")


def test_names_are_those_of_the_files_that_are_written(tmp_path):
    for animate in (False, True):
        folder = tmp_path / str(animate)
        results = rebuilt("ffl", "pixel", frames=2 * animate)
        gallery.write_rebuilt(folder, random(3, 8, 9), results, FACTS)
        expected = gallery.names_of_rebuilt(["ffl", "pixel"], animate=animate)
        assert len(expected) == len(set(expected)) == (9 if animate else 7)
        assert sorted(path.name for path in folder.iterdir()) == sorted(expected)


def test_names_of_swapped_are_those_of_the_files_that_are_written(tmp_path):
    gallery.write_swapped(tmp_path / "x", random(3, 8, 9), random(3, 8, 9, seed=2))
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == sorted(gallery.names_of_swapped())


def check(folder, *, force=False, animate=True):
    names = gallery.names_of_rebuilt(["ffl"], animate=animate)
    pictures.check(folder, names, marks=gallery.MARKS, force=force)


def test_a_folder_may_be_new_or_empty_or_hold_other_things(tmp_path):
    check(tmp_path / "new")
    check(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "phase.png").write_text("mine, and not one of these names")
    check(tmp_path)


def test_a_check_makes_nothing(tmp_path):
    check(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused_even_by_force(tmp_path):
    (tmp_path / "x").touch()
    for force in (False, True):
        with pytest.raises(InputError, match="x cannot be written to: it is no folder"):
            check(tmp_path / "x", force=force)


def test_a_folder_in_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for parent in ("missing", "file"):
        with pytest.raises(InputError) as caught:
            check(tmp_path / parent / "x")
        expected = f"{tmp_path / parent / 'x'} cannot be made: {tmp_path / parent} is no folder that can be written to"
        assert str(caught.value) == expected


@pytest.mark.parametrize("name", ["original.png", "ffl.png", "ffl.gif", "figure.png", "curves.csv", "report.json"])
def test_somebody_elses_file_of_any_name_is_refused_without_force(tmp_path, name):
    (tmp_path / name).write_text("a photograph")
    with pytest.raises(InputError, match=f"{name} exists and is no earlier output of this kind; --force"):
        check(tmp_path)
    check(tmp_path, force=True)


def test_every_file_of_an_earlier_run_may_be_overwritten(tmp_path):
    gallery.write_rebuilt(tmp_path, random(3, 64, 65), rebuilt("ffl", shape=(3, 64, 65), frames=5), FACTS)
    check(tmp_path)
    gallery.write_swapped(tmp_path, random(1, 8, 9), random(1, 8, 9, seed=2))
    pictures.check(tmp_path, gallery.names_of_swapped(), force=False)


def test_a_picture_by_somebody_else_is_not_taken_for_ours(tmp_path):
    Image.new("RGB", (9, 8)).save(tmp_path / "ffl.png")
    Image.new("RGB", (9, 8)).save(tmp_path / "ffl.gif")
    for animate in (False, True):
        with pytest.raises(InputError, match=r"ffl\.(png|gif) exists and is no earlier output"):
            check(tmp_path, animate=animate)


def test_a_disk_that_is_full_is_a_clear_error(tmp_path, monkeypatch):
    def refuse(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(outputs, "write", refuse)
    with pytest.raises(InputError, match="No space left"):
        gallery.write_rebuilt(tmp_path, random(3, 8, 9), rebuilt("ffl"), FACTS)
