"""Errors of ``ffltool diagnose`` are one line."""

import pytest
import torch

from tests.cli.common import error_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("alpha", ["-1", "-0.001", "nan", "inf", "one"])
def test_an_alpha_that_is_no_exponent_is_one_line(folders, run, alpha):
    assert "alpha" in error_of(run("diagnose", *folders(), "--alpha", alpha))


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "cuda:-1"])
def test_an_unknown_device_lists_the_known(folders, run, device):
    line = error_of(run("diagnose", *folders(), "--device", device))
    assert line == f"ffltool: there is no device {device!r}; known are auto, cuda, cpu\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_device_that_is_not_there_is_one_line(folders, run, device):
    assert error_of(run("diagnose", *folders(), "--device", device)) == f"ffltool: device {device} is not there\n"


def test_a_missing_partner_folder_a_missing_and_a_broken_file_are_one_line(folders, run):
    real, fake = folders()
    assert "FAKE is missing" in error_of(run("diagnose", real))
    assert "does not exist" in error_of(run("diagnose", real, fake / "no"))
    (fake / "b.png").write_bytes((fake / "b.png").read_bytes()[:60])
    assert f"{fake / 'b.png'} is broken" in error_of(run("diagnose", real, fake))


def test_one_pixel_is_one_line(tmp_path, save, run):
    real, fake = save(tmp_path / "r.png", size=(1, 1)), save(tmp_path / "f.png", size=(1, 1))
    assert error_of(run("diagnose", real, fake)) == f"ffltool: {real} is 1x1; at least two pixels are wanted\n"


def test_folders_without_a_pair_are_status_3_and_one_line(folders, run):
    status, out, err = run("diagnose", *folders(["a.png"], ["b.png"]), "--allow-unpaired")
    assert (status, out, err) == (3, "", "ffltool: nothing was compared\n")
