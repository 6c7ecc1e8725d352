"""What ends a run: before it begins, on the way, and at a full disk."""

import errno
import os
from pathlib import Path

import pytest
import torch

from ffltool import train
from ffltool.datasets import load
from ffltool.errors import InputError, ShapeError
from ffltool.run_folder import Reuse
from ffltool.runs import Judging, Keeping, carry_out
from ffltool.train import Training
from tests.runs.common import EVERY, REAL, plan

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("size", "metrics", "said"),
    [
        (8, ("psnr", "ssim"), "SSIM needs images of at least 11x11 pixels, got 8x8"),
        (8, ("psnr", "lsd"), "spectra of sets need images of at least 9x9 pixels, got 8x8"),
    ],
)
def test_test_images_too_small_for_a_metric_are_an_error_before_the_training(tmp_path, size, metrics, said):
    images = load(REAL, size=size)
    with pytest.raises(ShapeError, match=said):
        carry_out(plan(size=size), images, tmp_path / "run", test=images, judging=Judging(metrics=metrics))
    assert not (tmp_path / "run").exists()
    carry_out(plan(size=size), images, tmp_path / "run", test=images, judging=Judging(metrics=("psnr",)))


def test_test_images_too_few_for_a_metric_are_an_error_before_the_training(tmp_path, images, means):
    few = images.held_out(16)[1]
    judging = Judging(metrics=("psnr", "fid"), looking=means.looking)
    with pytest.raises(InputError, match=r"fid needs at least 2 images, and of .* there are 1"):
        carry_out(plan(), images, tmp_path / "run", test=few, judging=judging)
    assert not (tmp_path / "run").exists()


def test_too_few_images_are_an_error_before_anything_is_written(tmp_path, images):
    with pytest.raises(InputError, match="16 images are too few for a batch of 17; --batch-size takes fewer"):
        carry_out(plan(batch_size=17), images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("seconds", [float("nan"), -1.0])
def test_seconds_after_which_no_checkpoint_is_ever_due_are_an_error(seconds):
    with pytest.raises(InputError, match="checkpoint_seconds must be 0 or more"):
        Keeping(checkpoint_seconds=seconds)


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path, images, monkeypatch):
    good, stepped = [], Training._stepped

    def spoilt(self, *arguments, **options):
        losses = stepped(self, *arguments, **options)
        if self.step + 1 == 4:
            good.append((tmp_path / "run" / "checkpoint.pt").read_bytes())
            losses = losses * float("nan")
        return losses

    monkeypatch.setattr(train.Training, "_stepped", spoilt)
    with pytest.raises(InputError, match="the loss is nan at step 4"):
        carry_out(plan(), images, tmp_path / "run", keeping=EVERY)
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == good[0]
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 4


def test_a_step_far_too_long_ends_the_run_and_says_so(tmp_path, images):
    said = r"(loss is (nan|inf) at|weights are not finite after) step \d; a smaller --lr, --pixel-weight, --ffl"
    with pytest.raises(InputError, match=said):
        carry_out(plan("vae", lr=100.0), images, tmp_path / "run", keeping=EVERY)


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function that lets files of a name find no room from now on."""

    def fill(suffix):
        write = Path.write_bytes

        def refused(path, content):
            if content[:2] == b"PK" or suffix != ".pt":
                write(path, content[:10])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", refused)

    return fill


def test_a_full_disk_is_an_error_and_keeps_the_last_checkpoint(tmp_path, images, full_disk):
    carry_out(plan(epochs=1), images, tmp_path / "run")
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    full_disk(".pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt cannot be written: No space left on device"):
        carry_out(plan(epochs=2), images, tmp_path / "run", reuse=Reuse(resume=True))
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before
    assert not list((tmp_path / "run").glob(".*"))


def test_a_log_that_cannot_be_written_is_an_error(tmp_path, images, monkeypatch):
    def refused(path, mode="r", **settings):
        if mode == "a":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, **settings)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match=r"log\.csv cannot be written: No space left on device"):
        carry_out(plan(), images, tmp_path / "run")
