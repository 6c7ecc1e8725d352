"""Formats and modes of files, and images that lie on their side."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from ffltool.errors import InputError
from ffltool.images import read, size_of, write
from tests.images.common import pixels

# EXIF that says nothing but that the image lies on its side
TURNED = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)


@pytest.mark.parametrize("suffix", ["png", "bmp", "ppm", "tif", "webp"])
def test_lossless_formats_give_the_pixels_back(tmp_path, save, rng, suffix):
    image = rng.integers(0, 256, (7, 5, 3), dtype=np.uint8)
    settings = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"x.{suffix}", pixels=image, **settings)
    picture = read(path)
    np.testing.assert_array_equal(pixels(picture), image)
    assert (picture.size, picture.is_8_bit, picture.alpha_dropped) == ((7, 5), True, False)


@pytest.mark.parametrize("suffix", ["jpg", "gif"])
def test_lossy_formats_give_the_pixels_of_pillow(tmp_path, save, suffix):
    path = save(tmp_path / f"x.{suffix}", size=(20, 30))
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels(read(path)), np.asarray(image.convert("RGB")))


def test_the_content_counts_not_the_suffix(tmp_path, save):
    path = save(tmp_path / "x.png", format="JPEG")
    assert read(path).size == (12, 16)


@pytest.mark.parametrize(("mode", "kept"), [("1", "L"), ("L", "L"), ("P", "RGB"), ("CMYK", "RGB")])
def test_modes_become_grey_or_colour(tmp_path, save, mode, kept):
    path = save(tmp_path / "x.tif", mode=mode)
    with Image.open(path) as image:
        expected = np.asarray(image.convert(kept))
    assert read(path).pixels.mode == kept
    np.testing.assert_array_equal(pixels(read(path)), expected)


def test_only_the_first_frame_counts(tmp_path):
    frames = [Image.new("L", (4, 4), level) for level in (10, 200)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert pixels(read(tmp_path / "x.gif")).max() == 10


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / f"x.{suffix}", exif=exif)
    # JPEG rounds, no more than that
    np.testing.assert_allclose(pixels(read(tmp_path / f"x.{suffix}")).astype(int), upright, atol=3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", [None, 1, 3, 6])
def test_the_size_is_that_of_the_pixels_and_costs_no_decoding(tmp_path, save, monkeypatch, suffix, orientation):
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    path = save(tmp_path / f"x.{suffix}", size=(7, 5), exif=exif)
    expected = read(path).size
    if suffix != "png" or orientation is None:
        monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    assert size_of(path) == expected == ((5, 7) if orientation == 6 else (7, 5))


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'),
        (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  32\n" + TURNED.hex().encode())),
        (b"tEXt", b"exif\0" + TURNED),
    ],
    ids=["XMP", "compressed", "text"],
)
@pytest.mark.parametrize("behind", [False, True])
def test_a_png_is_turned_by_what_stands_before_or_behind_its_pixels(tmp_path, save, rng, name, inside, behind):
    path = save(tmp_path / "x.png", pixels=rng.integers(0, 256, (7, 5, 3), dtype=np.uint8))
    content, chunk = path.read_bytes(), struct.pack(">I", len(inside)) + name + inside
    place = -12 if behind else 33
    path.write_bytes(content[:place] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + content[place:])
    with Image.open(path) as image:
        image.load()  # what stands behind the pixels too
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(pixels(read(path)), expected)
    assert size_of(path) == expected.shape[:2] == (5, 7)


def test_writes_an_image_in_the_format_of_its_suffix(tmp_path, rng):
    image = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    write(image, tmp_path / "x.PNG", optimize=True)
    with Image.open(tmp_path / "x.PNG") as written:
        assert written.format == "PNG"
        np.testing.assert_array_equal(np.asarray(written), np.asarray(image))


def test_an_unknown_suffix_is_a_clear_error_and_writes_nothing(tmp_path):
    with pytest.raises(InputError, match=r"x\.jpgg has no image suffix"):
        write(Image.new("L", (2, 2)), tmp_path / "x.jpgg")
    assert list(tmp_path.iterdir()) == []
