"""Images to rebuild and to begin with, as they are loaded."""

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import gallery
from ffltool.errors import BrokenImageError, InputError
from ffltool.reconstruct import noise
from tests.gallery.common import in_8_bit, pixels_of

pytestmark = pytest.mark.usefixtures("one_thread")


def lanczos(path, size):
    """Return the pixels of an image brought to a size (height, width), by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS))


def load(path, *, size=256, init="noise", seed=0):
    target, start, _ = gallery.load(path, size=size, init=init, seed=seed)
    return target, start


def test_an_image_is_a_tensor_in_0_to_1_and_the_start_noise_of_the_seed(tmp_path, save):
    path = save(tmp_path / "x.png", size=(12, 16))
    target, start = load(path, seed=5)
    assert (target.shape, target.dtype) == ((3, 12, 16), torch.float32)
    np.testing.assert_array_equal(in_8_bit(target), pixels_of(path))
    assert torch.equal(start, noise(target, seed=5))


@pytest.mark.parametrize(
    ("mode", "channels"), [("L", 1), ("1", 1), ("LA", 1), ("RGB", 3), ("RGBA", 3), ("P", 3), ("CMYK", 3)]
)
def test_grey_stays_one_channel_and_everything_else_becomes_three(tmp_path, save, mode, channels):
    target, start = load(save(tmp_path / "x.tif", mode=mode) if mode != "LA" else save(tmp_path / "x.png", mode=mode))
    assert target.shape == start.shape == (channels, 12, 16)


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_keep_their_precision(tmp_path, rng, channels):
    levels = rng.integers(0, 65536, (8, 9), dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    Image.fromarray(np.zeros((8, 9, channels), np.uint8).squeeze()).save(tmp_path / "other.png")
    target, start = load(tmp_path / "deep.png", init=str(tmp_path / "other.png"))
    assert target.shape == start.shape == (channels, 8, 9)
    # float32 holds 7 digits, a level is 1.5e-5
    np.testing.assert_allclose(target[0].numpy(), levels / 65535, rtol=0, atol=1e-7)
    assert (start == 0).all()


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((12, 16), 256, (12, 16)), ((12, 16), 16, (12, 16)), ((40, 60), 30, (20, 30)), ((60, 41), 30, (30, 20))],
)
def test_size_is_that_of_the_longest_side_and_enlarges_nothing(tmp_path, save, size, longest, expected):
    path = save(tmp_path / "x.png", size=size)
    target, start = load(path, size=longest)
    assert target.shape[1:] == start.shape[1:] == expected
    np.testing.assert_array_equal(in_8_bit(target), lanczos(path, expected))


def test_a_grey_start_is_half_of_white(tmp_path, save):
    target, start = load(save(tmp_path / "x.png"), init="grey")
    assert torch.equal(start, torch.full_like(target, 0.5))


@pytest.mark.parametrize("size", [(12, 16), (20, 10), (5, 40)])
def test_an_image_to_begin_with_is_brought_to_the_size_of_the_other(tmp_path, save, size):
    path, other = save(tmp_path / "x.png", size=(24, 32)), save(tmp_path / "o.png", size=size)
    target, start = load(path, size=16, init=str(other))
    assert target.shape == start.shape == (3, 12, 16)
    np.testing.assert_array_equal(in_8_bit(start), lanczos(other, (12, 16)))


def test_an_image_to_begin_with_in_colour_makes_a_grey_one_colour_and_the_other_way_round(tmp_path, save):
    grey, colour = save(tmp_path / "g.png", mode="L"), save(tmp_path / "c.png")
    for path, init in ((grey, colour), (colour, grey)):
        target, start = load(path, init=str(init))
        assert target.shape == start.shape == (3, 12, 16)
        for image, file in ((target, path), (start, init)):
            with Image.open(file) as opened:
                np.testing.assert_array_equal(in_8_bit(image), np.asarray(opened.convert("RGB")))


def test_a_missing_image_or_start_is_named(tmp_path, save):
    path = save(tmp_path / "x.png")
    with pytest.raises(BrokenImageError, match=r"no\.png does not exist"):
        load(tmp_path / "no.png")
    with pytest.raises(BrokenImageError, match=r"no\.png does not exist"):
        load(path, init=str(tmp_path / "no.png"))


def test_two_images_must_have_one_size_after_they_were_shrunk(tmp_path, save):
    one, other = save(tmp_path / "a.png", size=(12, 16)), save(tmp_path / "b.png", size=(30, 40))
    assert [image.shape for image in gallery.load_two(one, other, size=16)[:2]] == [(3, 12, 16)] * 2
    with pytest.raises(InputError) as caught:
        gallery.load_two(one, other, size=40)
    expected = f"{one} is 12x16 but {other} is 30x40 (height x width, after --size); one size is wanted"
    assert str(caught.value) == expected


def test_two_images_are_in_colour_if_one_is(tmp_path, save):
    one, other, _ = gallery.load_two(save(tmp_path / "g.png", mode="L"), save(tmp_path / "c.png"), size=16)
    assert one.shape == other.shape == (3, 12, 16)
    assert torch.equal(one[0], one[2])
