"""Images that ``ffltool bandlimit`` takes: their sizes, channels and depths."""

import numpy as np
import pytest
from PIL import Image

from tests.cli.bandlimit.common import FOUR
from tests.cli.common import pixels_of

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.usefixtures("without_drawing")
def test_an_image_keeps_its_size_unless_told(run, save, tmp_path, kept):
    path = save(tmp_path / "large.png", size=(300, 400))
    for options, expected in (([], (300, 400)), (["--size", 40], (30, 40)), (["--size", 500], (300, 400))):
        arguments = ["-o", tmp_path / "x.png", "--filter", "low-pass", "--keep", kept, *options]
        assert run("bandlimit", path, *arguments)[0] == 0
        assert pixels_of(kept / "low-pass.png").shape[:2] == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (7, 9), (40, 5)], ids=str)
@pytest.mark.parametrize("options", [[], ["--shape", "gaussian"], ["--cube"]], ids=" ".join)
def test_small_odd_and_oblong_images(limit_and_draw, save, tmp_path, size, options):
    assert limit_and_draw(*options, image=save(tmp_path / "x.png", size=size))[0] == 0


@pytest.mark.parametrize("options", [[], ["--shape", "butterworth"], ["--cube"]], ids=" ".join)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_constant_image(limit, save, tmp_path, kept, level, options):
    path = save(tmp_path / "x.png", pixels=np.full((9, 10, 3), level, np.uint8))
    status, _, err = limit("--keep", kept, *options, image=path)
    assert (status, err) == (0, "")
    if not options:
        levels = {name: set(pixels_of(kept / name).ravel().tolist()) for name in FOUR}
        nothing = {127, 128}  # a half lies between the two, and which one it becomes is the transform's rounding
        for found, expected in zip(levels.values(), [nothing, {level}, nothing, {level}], strict=True):
            assert found <= expected


@pytest.mark.parametrize(("mode", "shape"), [("L", (20, 32)), ("P", (20, 32, 3)), ("RGB", (20, 32, 3))])
def test_grey_stays_grey_and_others_become_colour(limit, save, tmp_path, kept, mode, shape):
    path = save(tmp_path / "x.png", size=(20, 32), mode=mode)
    assert limit("--filter", "low-pass", "--keep", kept, image=path)[0] == 0
    assert pixels_of(kept / "low-pass.png").shape == shape


def test_16_bits_are_filtered_in_full_and_written_in_8(limit, tmp_path, kept):
    levels = np.arange(0, 65536, 128, dtype=np.uint16).reshape(16, 32)
    Image.fromarray(levels).save(tmp_path / "x.png")
    assert limit("--cube", "--keep", kept, image=tmp_path / "x.png")[0] == 0
    np.testing.assert_array_equal(pixels_of(kept / "all.png"), np.rint(levels / 257).astype(np.uint8))


def test_an_alpha_channel_is_dropped_with_a_warning(limit, save, tmp_path):
    status, _, err = limit(image=save(tmp_path / "x.png", mode="RGBA"))
    assert (status, err) == (0, "ffltool: warning: the alpha channel of 1 image was dropped\n")
