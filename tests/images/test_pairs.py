"""Two images of one size and form."""

import numpy as np
import pytest
from PIL import Image

from ffltool.errors import InputError
from ffltool.images import Picture, Reading, in_one_form, read_pair
from tests.images.common import pixels


class TestPairs:
    def test_sizes_that_differ_name_both_files_and_sizes(self, tmp_path, save):
        real, fake = save(tmp_path / "r.png", size=(10, 20)), save(tmp_path / "f.png", size=(12, 18))
        with pytest.raises(InputError, match=r"r\.png is 10x20 but .*f\.png is 12x18"):
            read_pair(real, fake, Reading())

    def test_crop_keeps_the_centres(self, tmp_path, save, rng):
        image = rng.integers(0, 256, (10, 9, 3), dtype=np.uint8)
        real, fake = save(tmp_path / "r.png", pixels=image), save(tmp_path / "f.png", pixels=image[2:8, :6])
        first, second = read_pair(real, fake, Reading(fit="crop"))
        np.testing.assert_array_equal(pixels(first), image[2:8, 1:7])
        np.testing.assert_array_equal(pixels(second), image[2:8, :6])

    def test_resize_brings_the_fake_one_to_the_real_ones_size(self, tmp_path, save):
        real, fake = save(tmp_path / "r.png", size=(10, 20)), save(tmp_path / "f.png", size=(5, 5))
        first, second = read_pair(real, fake, Reading(fit="resize"))
        with Image.open(fake) as image:
            expected = np.asarray(image.resize((20, 10), Image.Resampling.LANCZOS))
        assert first.size == (10, 20)
        np.testing.assert_array_equal(pixels(second), expected)

    def test_the_left_half_is_real_and_the_right_half_fake(self, tmp_path, save, rng):
        image = rng.integers(0, 256, (4, 10, 3), dtype=np.uint8)
        real, fake = read_pair(save(tmp_path / "x.png", pixels=image), None, Reading())
        np.testing.assert_array_equal(pixels(real), image[:, :5])
        np.testing.assert_array_equal(pixels(fake), image[:, 5:])

    def test_an_odd_width_has_no_halves(self, tmp_path, save):
        with pytest.raises(InputError, match="15 pixels wide"):
            read_pair(save(tmp_path / "x.png", size=(4, 15)), None, Reading())

    def test_grey_meets_colour_as_three_equal_channels(self):
        grey, colour = Picture(Image.new("L", (2, 2), 9)), Picture(Image.new("RGB", (2, 2)))
        first, second = in_one_form(grey, colour)
        assert (first.pixels.mode, second.pixels.mode) == ("RGB", "RGB")
        assert first.planes()[:, 0, 0].tolist() == [9, 9, 9]

    def test_8_bits_meet_16_on_the_finer_scale(self):
        shallow, deep = Picture(Image.new("L", (2, 2), 9)), Picture(np.full((2, 2, 3), 9 * 257 + 1, np.uint16))
        first, second = in_one_form(shallow, deep)
        assert first.planes()[:, 0, 0].tolist() == [9, 9, 9]
        assert second.planes()[0, 0, 0] == pytest.approx(9 + 1 / 257, rel=1e-15)


def test_unknown_ways_of_reading_list_the_known_ones():
    with pytest.raises(InputError, match="alpha cannot be 'red'; known are drop, white, black, error"):
        Reading(alpha="red")
    with pytest.raises(InputError, match="fit cannot be 'stretch'; known are none, crop, resize"):
        Reading(fit="stretch")
