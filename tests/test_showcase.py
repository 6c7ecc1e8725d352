import io
from base64 import b64decode

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.figures import palette
from ffltool.images import Reading
from ffltool.label_maps import LabelMaps
from ffltool.showcase import View, views_of
from ffltool.spectrum import log_amplitude

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def pair_of(tmp_path):
    """Return a function that saves two images of these pixels and returns their views."""

    def pair_of(real, fake, reading=None):
        files = tmp_path / "real.png", tmp_path / "fake.png"
        for path, pixels in zip(files, (real, fake), strict=True):
            Image.fromarray(pixels).save(path)
        return views_of(files, "NAME", reading or Reading())

    return pair_of


def array(panel):
    with Image.open(io.BytesIO(b64decode(panel.image.url.partition("base64,")[2]))) as image:
        assert image.size == (panel.image.width, panel.image.height)
        return np.asarray(image.convert("RGB"))


def test_small_images_are_embedded_to_the_pixel(pair_of, rng):
    real, fake = rng.integers(0, 256, (2, 10, 14, 3), dtype=np.uint8)
    views = pair_of(real, fake)
    assert [view.label for view in views[:2]] == ["real", "fake"]
    np.testing.assert_array_equal(array(views[0].panel(256)), real)
    np.testing.assert_array_equal(array(views[1].panel(256)), fake)
    assert [view.alt for view in views[:2]] == ["NAME: the real image", "NAME: the fake image"]


@pytest.mark.parametrize(("error", "times"), [(255, 1), (130, 1), (127, 2), (100, 2), (9, 16), (1, 64)])
def test_a_difference_is_brightened_by_a_power_of_two_that_its_label_says(pair_of, error, times):
    real = np.zeros((20, 20), np.uint8)
    difference = pair_of(real, real + np.uint8(error))[2]
    assert difference.label == f"difference × {times}"
    assert (array(difference.panel(64)) == error * times).all()


def test_of_16_bits_the_difference_is_that_of_all_bits(pair_of):
    real = np.full((12, 12), 1000, np.uint16)
    difference = pair_of(real, real + np.uint16(257))[2]
    assert difference.label == "difference × 64"
    assert (array(difference.panel(64)) == 64).all()


def test_equal_images_have_no_difference(pair_of, rng):
    real = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    difference = pair_of(real, real)[2]
    assert difference.label == "no difference"
    assert not array(difference.panel(64)).any()


def test_spectra_are_log_amplitudes_of_grey_on_one_scale(pair_of, rng):
    real, fake = rng.integers(0, 256, (2, 20, 24), dtype=np.uint8)
    views = pair_of(real, fake)[3:]
    maps = [log_amplitude(torch.tensor(each, dtype=torch.float64)).numpy() for each in (real, fake, fake - 1.0 * real)]
    low, high = np.percentile(maps[:2], (0.5, 99.98))
    colours = np.frombuffer(palette(), np.uint8).reshape(256, 3)
    for view, values in zip(views, maps, strict=True):
        steps = np.rint(255 * ((values - low) / (high - low)).clip(0, 1)).astype(int)
        close = (np.abs(array(view.panel(64)).astype(int) - colours[steps]) <= 4).all(-1)  # a step, by float32
        assert close.all()
        assert view.label == f"spectrum, {low:.1f} to {high:.1f}"


def test_large_images_are_shrunk_and_said_to_be(pair_of, rng):
    real, fake = rng.integers(0, 256, (2, 300, 600, 3), dtype=np.uint8)
    views = pair_of(real, fake)
    assert views[0].alt == "NAME: the real image, smaller than it is"
    assert {view.image.size for view in views} == {(256, 128)}
    assert array(views[0].panel(64)).shape == (32, 64, 3)
    assert views[0].image.size == (256, 128)  # as before


def test_constant_images_have_spectra(pair_of):
    views = pair_of(np.full((12, 12), 7, np.uint8), np.full((12, 12), 7, np.uint8))
    assert len(views) == 6
    assert pair_of(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8))[3].label == "spectrum, 0.0 to 0.0"


def test_label_maps_have_a_colour_for_each_class_and_what_is_wrong_is_white(pair_of):
    real, fake = np.array([[0, 1, 255, 2]], np.uint8), np.array([[0, 2, 1, 2]], np.uint8)
    one, other, wrong = (array(view.panel(64)) for view in pair_of(real, fake, LabelMaps(classes=3)))
    colours = np.frombuffer(palette("tab20"), np.uint8).reshape(256, 3)
    np.testing.assert_array_equal(one[0], colours[real[0]])
    np.testing.assert_array_equal(other[0], colours[fake[0]])
    np.testing.assert_array_equal(wrong[0, :, 0], [0, 255, 128, 0])


def test_shrinking_does_not_mix_classes():
    view = View(Image.fromarray(np.tile(np.array([[0, 6]], np.uint8), (8, 8))), "real", "", "tab20")
    colours = np.frombuffer(palette("tab20"), np.uint8).reshape(256, 3)
    assert {tuple(colour) for colour in array(view.panel(4)).reshape(-1, 3)} <= {tuple(colours[0]), tuple(colours[6])}
