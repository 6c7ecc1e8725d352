import os
import stat

import pytest

from ffltool import outputs
from ffltool.errors import InputError


def test_writes_with_the_usual_permissions_and_leaves_nothing_behind(tmp_path):
    outputs.write(tmp_path / "x.json", b"new")
    (tmp_path / "usual").touch()
    assert (tmp_path / "x.json").read_bytes() == b"new"
    assert (tmp_path / "x.json").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["usual", "x.json"]


def test_keeps_permissions_and_links_of_what_it_replaces(tmp_path):
    (tmp_path / "x.json").write_bytes(b"old")
    (tmp_path / "x.json").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "x.json")
    outputs.write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "x.json").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_bytes(b"old")

    def full_disk(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full_disk)
    with pytest.raises(InputError, match=r"x\.json cannot be written: No space left on device"):
        outputs.write(tmp_path / "x.json", b"new")
    assert (tmp_path / "x.json").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_bytes(b"old")
    monkeypatch.setattr(outputs.shutil, "copymode", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        outputs.write(tmp_path / "x.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_bytes() == b"old"


def test_a_device_is_written_to_and_not_replaced():
    outputs.write(outputs.Path(os.devnull), b"anything")
    assert not outputs.Path(os.devnull).is_file()


def test_a_pipe_that_a_shell_names_is_written_to():
    if not outputs.Path("/dev/fd").exists():
        pytest.skip("there is no /dev/fd")
    reader, writer = os.pipe()
    path = outputs.Path(f"/dev/fd/{writer}")  # as bash has it for --json >(jq .)
    outputs.check(path, mark="m")
    outputs.write(path, b"anything")
    os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read() == b"anything"


def test_a_full_device_is_a_clear_error():
    if not outputs.Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(InputError, match="No space left"):
        outputs.write(outputs.Path("/dev/full"), b"anything")


def test_check_refuses_what_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"x\.json cannot be written: the folder .*missing does not exist"):
        outputs.check(tmp_path / "missing" / "x.json", mark="m")
    with pytest.raises(InputError, match="it is a folder"):
        outputs.check(tmp_path, mark="m")


def test_check_protects_what_somebody_else_wrote(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("a photograph")
    with pytest.raises(InputError, match="no earlier output of this kind; --force"):
        outputs.check(path, mark="mark")
    outputs.check(path, mark="mark", force=True)
    for harmless in ("", "with the mark in it"):
        path.write_text(harmless)
        outputs.check(path, mark="mark")


@pytest.mark.parametrize(
    ("before", "after"), [(0, 0), (0, 10_000), (4000, 10_000), (10_000, 0), (10_000, 4000), (3000, 3000)]
)
def test_the_mark_may_stand_near_either_end_of_a_file(tmp_path, before, after):
    path = tmp_path / "x.pdf"
    path.write_bytes(b"\xff" * before + b"the mark" + b"\xff" * after)
    outputs.check(path, mark="the mark")


@pytest.mark.parametrize(("before", "after"), [(5000, 5000), (4090, 5000), (5000, 4090)])
def test_a_mark_in_the_middle_of_a_large_file_is_none(tmp_path, before, after):
    path = tmp_path / "x.pdf"
    path.write_bytes(b"\xff" * before + b"the mark" + b"\xff" * after)
    with pytest.raises(InputError, match="no earlier output of this kind"):
        outputs.check(path, mark="the mark")


def test_a_folder_that_is_closed_to_us_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs.os, "access", lambda path, mode: False)  # which root never sees by itself
    with pytest.raises(InputError, match=r"x\.json cannot be written: permission denied"):
        outputs.check(tmp_path / "x.json", mark="mark")
