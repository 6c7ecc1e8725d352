"""Files that are no images, or cannot be read."""

import os

import numpy as np
import pytest
from PIL import Image, ImageFile

from ffltool.errors import BrokenImageError, InputError
from ffltool.images import read


class TestBroken:
    def check(self, path, message):
        with pytest.raises(BrokenImageError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)

    def test_truncated_jpeg(self, tmp_path, save):
        path = save(tmp_path / "x.jpg", size=(64, 64))
        path.write_bytes(path.read_bytes()[:900])
        self.check(path, "is broken: .*truncated")

    def test_truncated_png(self, tmp_path, save):
        path = save(tmp_path / "x.png", size=(64, 64))
        path.write_bytes(path.read_bytes()[:-600])
        self.check(path, "is broken")

    def test_empty_file(self, tmp_path):
        (tmp_path / "x.png").touch()
        self.check(tmp_path / "x.png", "is empty")

    def test_text_file(self, tmp_path):
        (tmp_path / "x.png").write_text("not an image")
        self.check(tmp_path / "x.png", "is not an image that can be read")

    def test_missing_file(self, tmp_path):
        self.check(tmp_path / "x.png", "does not exist")

    def test_a_file_larger_than_memory(self, tmp_path, save, monkeypatch):
        path = save(tmp_path / "x.png")

        def refuse(self, *arguments, **settings):
            raise MemoryError

        monkeypatch.setattr(type(path), "open", refuse)
        with pytest.raises(InputError, match=r"x\.png does not fit into memory"):
            read(path)

    def test_decompression_bomb(self, tmp_path, monkeypatch, save):
        path = save(tmp_path / "x.png", size=(40, 40))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
        self.check(path, "decompression bomb")


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.geteuid() != 0, reason="needs to become another user")
def test_a_file_without_permission_is_a_clear_error_for_root_turned_nobody(tmp_path, save):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = save(Path(folder) / "x.png")
        path.chmod(0)
        os.seteuid(65534)
        try:
            with pytest.raises(InputError, match="cannot be read: Permission denied"):
                read(path)
        finally:
            os.seteuid(0)


def test_a_file_without_permission_is_a_clear_error(tmp_path, save, monkeypatch):
    path = save(tmp_path / "x.png")

    def refuse(*_args, **_settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match=r"x\.png cannot be read: Permission denied"):
        read(path)


@pytest.mark.parametrize(("dtype", "kind"), [(np.float32, "floating-point"), (np.int32, "signed or 32-bit")])
def test_pixels_without_an_agreed_scale_are_refused(tmp_path, dtype, kind):
    Image.fromarray(np.zeros((4, 4), dtype)).save(tmp_path / "x.tif")
    with pytest.raises(InputError, match=f"holds {kind} pixels"):
        read(tmp_path / "x.tif")


def test_an_image_that_does_not_fit_into_memory_is_one_line(tmp_path, save, monkeypatch):
    def full(file):
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", full)
    with pytest.raises(InputError, match=r"a\.tif does not fit into memory") as error:
        read(save(tmp_path / "a.tif"))
    assert not isinstance(error.value, BrokenImageError)
