"""What ``ffltool reconstruct`` rebuilds, and from which start."""

import numpy as np
import pytest
from PIL import Image

from tests.cli.common import pixels_of
from tests.cli.reconstruct.common import PIXEL, lanczos, report_of, rows_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (8, 31)])
def test_small_odd_and_oblong_images(tmp_path, save, rebuild, folder, size):
    path = save(tmp_path / "x.png", size=size)
    assert rebuild("--size", 64, image=path)[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), pixels_of(path))
    assert pixels_of(folder / "ffl.png").shape == (*size, 3)


@pytest.mark.parametrize(("mode", "kept"), [("L", "L"), ("RGBA", "RGB"), ("P", "RGB")])
def test_grey_stays_grey_and_others_become_colour(tmp_path, save, rebuild, folder, mode, kept):
    path = save(tmp_path / "x.png", size=(24, 32), mode=mode)
    assert rebuild(image=path)[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), lanczos(path, (12, 16), kept))
    assert report_of(folder)["image"]["channels"] == len(kept)


def test_16_bits_are_rebuilt_in_full_and_written_in_8(tmp_path, rebuild, folder):
    levels = np.arange(30000, 30000 + 12 * 16, dtype=np.uint16).reshape(12, 16)
    Image.fromarray(levels).save(tmp_path / "x.png")
    assert rebuild("--optimizer", "sgd", image=tmp_path / "x.png", objective=["--objective", "pixel"])[0] == 0
    np.testing.assert_array_equal(pixels_of(folder / "original.png"), np.rint(levels / 257).astype(np.uint8))
    (row,) = report_of(folder)["objectives"]
    assert row["psnr"] is None or row["psnr"] > 100, "8 bits would end at 55 dB"


@pytest.mark.usefixtures("without_drawing")
def test_size_is_256_unless_told_and_nothing_is_enlarged(tmp_path, save, run):
    for size, expected in (((257, 20), (256, 20)), ((20, 30), (20, 30))):
        path = save(tmp_path / "x.png", size=size)
        run("reconstruct", path, "-o", tmp_path / "y", "--steps", 1, "--objective", "pixel")
        assert pixels_of(tmp_path / "y" / "original.png").shape[:2] == expected


def first_loss(folder):
    """Return the loss of the start, under "pixel" the mean squared error of it."""
    return float(rows_of(folder)[0]["loss"])


def test_a_grey_start(rebuild, folder, image):
    assert rebuild("--init", "grey", objective=PIXEL)[0] == 0
    assert first_loss(folder) == pytest.approx(np.square(lanczos(image, (12, 16)) / 255 - 0.5).mean(), rel=1e-5)


@pytest.mark.parametrize(("mode", "other"), [("RGB", "RGB"), ("L", "RGB"), ("RGB", "L"), ("L", "L")])
def test_an_image_of_another_size_and_form_as_a_start(tmp_path, save, rebuild, folder, mode, other):
    path, init = save(tmp_path / "x.png", size=(24, 32), mode=mode), save(tmp_path / "i.png", size=(9, 20), mode=other)
    assert rebuild("--init", init, image=path, objective=PIXEL)[0] == 0
    common = "L" if mode == other == "L" else "RGB"
    target, start = (lanczos(file, (12, 16)) for file in (path, init))
    target, start = (np.asarray(Image.fromarray(pixels).convert(common)) / 255 for pixels in (target, start))
    assert first_loss(folder) == pytest.approx(np.square(target - start).mean(), rel=1e-5)
    assert report_of(folder)["settings"]["init"] == str(init)


def test_from_the_image_itself_there_is_no_loss_and_psnr_is_infinite(rebuild, folder, image):
    status, out, _ = rebuild("--init", image, "--size", 64, objective=["--objective", "pixel,ffl-dct"])
    assert status == 0
    assert out.splitlines()[1].split()[3:] == ["0", "inf", "0.0000"]
    assert [row["psnr"] for row in report_of(folder)["objectives"]] == [None, None]
    assert {row["psnr"] for row in rows_of(folder)} == {"inf"}


def test_a_dropped_alpha_channel_is_said(tmp_path, save, rebuild):
    path = save(tmp_path / "x.png", mode="RGBA")
    assert rebuild(image=path)[2] == "ffltool: warning: the alpha channel of 1 image was dropped\n"
