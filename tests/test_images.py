import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, ImageOps

from ffltool.errors import BrokenImageError, InputError
from ffltool.images import Picture, Reading, in_one_form, read, read_pair, size_of, write

# EXIF that says nothing but that the image lies on its side
TURNED = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)


def pixels(picture):
    return np.asarray(picture.pixels)


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


class TestAlpha:
    @pytest.fixture
    def path(self, tmp_path):
        rgba = np.full((3, 4, 4), (200, 100, 50, 128), np.uint8)
        Image.fromarray(rgba).save(tmp_path / "x.png")
        return tmp_path / "x.png"

    def test_is_dropped_and_told(self, path):
        picture = read(path)
        assert pixels(picture)[0, 0].tolist() == [200, 100, 50]
        assert picture.alpha_dropped

    @pytest.mark.parametrize(("ground", "level"), [("white", 255), ("black", 0)])
    def test_is_composited(self, path, ground, level):
        cover = 128 / 255
        expected = [round(colour * cover + level * (1 - cover)) for colour in (200, 100, 50)]
        picture = read(path, alpha=ground)
        np.testing.assert_allclose(pixels(picture)[0, 0], expected, atol=1)
        assert not picture.alpha_dropped

    def test_is_refused(self, path):
        with pytest.raises(InputError, match=r"x\.png has an alpha channel"):
            read(path, alpha="error")

    def test_of_palettes_and_grey_counts_too(self, tmp_path):
        Image.new("LA", (4, 4), (90, 10)).save(tmp_path / "la.png")
        Image.new("P", (4, 4)).save(tmp_path / "p.png", transparency=0)
        assert read(tmp_path / "la.png").alpha_dropped
        assert pixels(read(tmp_path / "la.png")).tolist() == [[90] * 4] * 4
        assert read(tmp_path / "p.png").alpha_dropped

    def test_of_tiff_may_be_in_the_colours_already(self, tmp_path):
        Image.new("LA", (4, 4), (50, 128)).save(tmp_path / "la.tif")
        content = (tmp_path / "la.tif").read_bytes()
        apart, inside = (b"\x52\x01\x03\x00\x01\x00\x00\x00" + bytes([kind, 0]) for kind in (2, 1))  # ExtraSamples
        assert content.count(apart) == 1
        (tmp_path / "la.tif").write_bytes(content.replace(apart, inside))
        picture = read(tmp_path / "la.tif")
        assert picture.alpha_dropped
        np.testing.assert_allclose(pixels(picture), 50 * 255 / 128, atol=1)


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


class TestTensor:
    @pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
    def test_of_8_bits_is_levels_over_255(self, tmp_path, save, mode, channels):
        path = save(tmp_path / "x.png", size=(7, 5), mode=mode)
        tensor = read(path).tensor()
        assert (tensor.shape, tensor.dtype) == ((channels, 7, 5), torch.float32)
        with Image.open(path) as image:
            expected = torch.as_tensor(np.asarray(image).reshape(7, 5, channels) / 255).movedim(-1, 0)
        assert torch.equal(tensor, expected.float())

    @pytest.mark.parametrize("channels", [1, 3])
    def test_of_16_bits_is_levels_over_65535(self, rng, channels):
        levels = rng.integers(0, 65536, (7, 5, channels), dtype=np.uint16)
        tensor = Picture(levels).tensor()
        assert (tensor.shape, tensor.dtype) == ((channels, 7, 5), torch.float32)
        np.testing.assert_allclose(tensor.numpy(), np.moveaxis(levels, -1, 0) / 65535, rtol=1e-6, atol=0)

    @pytest.mark.parametrize(
        "pixels", [Image.new("L", (3, 2)), Image.new("RGB", (3, 2)), np.zeros((2, 3, 1), np.uint16)], ids=str
    )
    def test_spans_0_to_1_and_can_be_written_to(self, pixels):
        black = Picture(pixels).tensor()
        assert (black == 0).all()
        black += 1
        white = Picture(np.full((2, 3, 1), 65535, np.uint16)).tensor()
        assert (white == 1).all()
        assert (Picture(Image.new("RGB", (3, 2), (255,) * 3)).tensor() == 1).all()


class TestShrink:
    @pytest.mark.parametrize(
        ("size", "longest", "expected"),
        [
            ((40, 60), 30, (20, 30)),
            ((60, 40), 30, (30, 20)),
            ((50, 50), 8, (8, 8)),
            ((41, 60), 30, (20, 30)),  # 20.5, rounded to even
            ((1, 100), 8, (1, 8)),  # no side is lost
        ],
    )
    @pytest.mark.parametrize("deep", [False, True])
    def test_brings_the_longest_side_down(self, rng, size, longest, expected, deep):
        levels = rng.integers(100, 156, (*size, 3), dtype=np.uint8)  # so that nothing has to be clipped
        picture = Picture(levels.astype(np.uint16) * 257 if deep else Image.fromarray(levels), True, 7)
        small = picture.shrink(longest)
        assert (small.size, small.is_8_bit) == (expected, not deep)
        assert (small.alpha_dropped, small.file_bytes) == (True, 7)
        lanczos = Image.fromarray(levels).resize(expected[::-1], Image.Resampling.LANCZOS)
        # Pillow rounds 8-bit pixels after each of two passes
        np.testing.assert_allclose(small.planes(), np.moveaxis(np.asarray(lanczos), -1, 0), atol=1.01 if deep else 0)

    @pytest.mark.parametrize("longest", [16, 17, 1000])
    def test_does_not_enlarge(self, longest):
        picture = Picture(Image.new("RGB", (16, 12)))
        assert picture.shrink(longest) is picture

    def test_keeps_16_bits(self):
        ramp = np.linspace(20_000, 20_100, 64).astype(np.uint16)
        small = Picture(np.broadcast_to(ramp[:, None], (64, 64, 1))).shrink(16)
        assert small.pixels.dtype == np.uint16
        assert len(np.unique(small.pixels)) == 16, "8 bits would know one level of these"


def test_unknown_ways_of_reading_list_the_known_ones():
    with pytest.raises(InputError, match="alpha cannot be 'red'; known are drop, white, black, error"):
        Reading(alpha="red")
    with pytest.raises(InputError, match="fit cannot be 'stretch'; known are none, crop, resize"):
        Reading(fit="stretch")


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


def test_an_image_that_does_not_fit_into_memory_is_one_line(tmp_path, save, monkeypatch):
    def full(file):
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", full)
    with pytest.raises(InputError, match=r"a\.tif does not fit into memory") as error:
        read(save(tmp_path / "a.tif"))
    assert not isinstance(error.value, BrokenImageError)
