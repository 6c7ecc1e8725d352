"""Errors of ``ffltool lfd`` and ``metrics`` are one line, unless they are bugs."""

import os
from pathlib import Path

import pytest

from tests.cli.common import error_of


class TestErrorsAreOneLine:
    def test_missing_folder(self, tmp_path, run):
        assert f"{tmp_path / 'no'} does not exist" in error_of(run("lfd", tmp_path / "no", tmp_path))

    def test_empty_folder(self, tmp_path, run):
        assert "holds no images" in error_of(run("lfd", tmp_path, tmp_path))

    def test_folder_without_images(self, tmp_path, run):
        (tmp_path / "notes.txt").write_text("text")
        assert "holds no images" in error_of(run("lfd", tmp_path, tmp_path))

    def test_unreadable_folder(self, tmp_path, folders, run, monkeypatch):
        real, fake = folders()
        scandir = os.scandir

        def refuse(path):
            if Path(path) == fake:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert f"the folder {fake} cannot be read: Permission denied" in error_of(run("lfd", real, fake))

    def test_unequal_names(self, folders, run):
        real, fake = folders(["a.png", "b.png", "c.png", "d.png"], ["x.png"])
        line = error_of(run("lfd", real, fake))
        assert "4 of 4 images" in line
        assert "(a.png, b.png, c.png, …)" in line
        assert "1 of 1 images" in line

    def test_unequal_sizes(self, tmp_path, save, run):
        real, fake = save(tmp_path / "r.png", size=(5, 6)), save(tmp_path / "f.png", size=(6, 5))
        line = error_of(run("lfd", real, fake))
        assert f"{real} is 5x6 but {fake} is 6x5" in line
        assert run("lfd", real, fake, "--fit", "crop")[0] == 0

    def test_broken_file(self, folders, run):
        real, fake = folders()
        (fake / "b.png").write_bytes((fake / "b.png").read_bytes()[:60])
        assert f"{fake / 'b.png'} is broken" in error_of(run("lfd", real, fake))
        status, out, err = run("lfd", real, fake, "--skip-broken")
        assert status == 0
        assert out.startswith("2 pairs")
        assert err == "ffltool: warning: 1 pair with a broken image was left out: b.png\n"

    def test_nothing_compared(self, folders, run):
        real, fake = folders(["a.png"])
        (fake / "a.png").write_bytes(b"junk")
        error_of(run("lfd", real, fake, "--skip-broken"), status=3)
        real, fake = folders(["b.png"], ["z.png"])
        (real / "a.png").unlink()
        (fake / "a.png").unlink()
        assert "nothing was compared" in error_of(run("lfd", real, fake, "--allow-unpaired"), status=3)

    def test_limit_0(self, folders, run):
        assert "--limit" in error_of(run("lfd", *folders(), "--limit", 0))

    def test_unknown_metric(self, folders, run):
        assert "known are lfd, mse, psnr, ssim, lsd, sde, gain" in error_of(
            run("metrics", *folders(), "-m", "lfd,psrn")
        )

    def test_unknown_option_and_choice(self, folders, run):
        error_of(run("lfd", *folders(), "--nonsense"))
        assert "--pair" in error_of(run("lfd", *folders(), "--pair", "magic"))

    def test_output_in_a_missing_folder_is_noticed_before_the_work(self, tmp_path, run):
        line = error_of(run("lfd", tmp_path, tmp_path, "--json", tmp_path / "no" / "x.json"))
        assert f"the folder {tmp_path / 'no'} does not exist" in line

    def test_output_over_somebody_elses_file(self, folders, run):
        real, fake = folders()
        assert "--force" in error_of(run("lfd", real, fake, "--csv", real / "a.png"))
        assert run("lfd", real, fake, "--csv", real / "a.png", "--force")[0] == 0

    def test_two_outputs_on_standard_output(self, folders, run):
        assert "only one" in error_of(run("lfd", *folders(), "--csv", "-", "--json", "-"))

    def test_two_outputs_in_one_file(self, tmp_path, folders, run):
        assert "same file" in error_of(run("lfd", *folders(), "--csv", tmp_path / "x", "--json", tmp_path / "x"))

    def test_pipe_in_place_of_an_image(self, folders, run):
        real, fake = folders()
        (fake / "b.png").unlink()
        os.mkfifo(fake / "b.png")
        assert "b.png is no file" in error_of(run("lfd", real, fake))

    def test_path_that_is_too_long(self, tmp_path, run):
        assert "File name too long" in error_of(run("lfd", tmp_path / ("x" * 300), tmp_path))

    def test_names_with_line_breaks(self, folders, run):
        real, fake = folders(["a\nb.png"])
        (fake / "a\nb.png").write_bytes(b"junk")
        assert r"a\nb.png is not an image" in error_of(run("lfd", real, fake))


def test_an_error_of_the_system_that_says_nothing_is_a_bug_and_shows_its_traceback(monkeypatch, folders, run):
    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr("ffltool.evaluate.evaluate_pairs", refuse)
    with pytest.raises(OSError, match=r"^$"):
        run("lfd", *folders())
