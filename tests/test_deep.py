"""16-bit files are made here byte by byte, so that no library's reading of them is taken for granted."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ffltool.errors import InputError
from ffltool.images import Reading, read, read_pair
from ffltool.metrics.mse import mse_of_images

LOSSY = "more than 8 bits a sample in a layout that cannot be read in full"


def write_png(path, pixels):
    """Write a uint16 array (H, W, 1 to 4) as a PNG with one row filter after the other."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").tobytes()
    length = width * channels * 2
    lines = [np.frombuffer(rows[i * length : (i + 1) * length], np.uint8).astype(int) for i in range(height)]
    packed = b""
    for y, line in enumerate(lines):
        above = lines[y - 1] if y else np.zeros_like(line)
        left = np.concatenate([np.zeros(2 * channels, int), line[: -2 * channels]])
        predicted = [np.zeros_like(line), left, above, (left + above) // 2][y % 4]
        packed += bytes([y % 4]) + ((line - predicted) % 256).astype(np.uint8).tobytes()

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def write_tiff(path, pixels, *, order="<", planar=False, deflate=False, photometric=None, extra=None):
    """Write a uint16 array (H, W, 1 or 3) as a TIFF in either byte order."""
    height, width, channels = pixels.shape
    samples = (np.moveaxis(pixels, -1, 0) if planar else pixels).astype(f"{order}u2").tobytes()
    samples = zlib.compress(samples) if deflate else samples
    plane = len(samples) // channels
    offsets, counts = (
        ([8 + i * plane for i in range(channels)], [plane] * channels) if planar else ([8], [len(samples)])
    )
    end = 8 + len(samples)
    tables, entries = b"", []

    def entry(tag, kind, values):
        nonlocal tables
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack(f"{order}I", end + len(tables))
            tables += packed
        else:
            place = packed.ljust(4, b"\0")
        entries.append(struct.pack(f"{order}HHI", tag, kind, len(values)) + place)

    entry(256, 4, [width])
    entry(257, 4, [height])
    entry(258, 3, [16] * channels)
    entry(259, 3, [8 if deflate else 1])
    entry(262, 3, [(1 if channels == 1 else 2) if photometric is None else photometric])
    entry(273, 4, offsets)
    entry(277, 3, [channels])
    entry(278, 4, [height])
    entry(279, 4, counts)
    entry(284, 3, [2 if planar else 1])
    if extra is not None:
        entry(338, 3, [extra])
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, end + len(tables))
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    path.write_bytes(start + samples + tables + directory)


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 65536, (9, 7, 4), dtype=np.uint16)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_keeps_all_16_bits(tmp_path, pixels, channels):
    write_png(tmp_path / "x.png", pixels[..., :channels])
    np.testing.assert_array_equal(read(tmp_path / "x.png").pixels, pixels[..., :channels])


@pytest.mark.parametrize("channels", [2, 4])
def test_png_with_alpha_keeps_all_16_bits(tmp_path, pixels, channels):
    write_png(tmp_path / "x.png", pixels[..., :channels])
    picture = read(tmp_path / "x.png")
    np.testing.assert_array_equal(picture.pixels, pixels[..., : channels - 1])
    assert picture.alpha_dropped


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize(("ground", "level"), [("white", 65535), ("black", 0)])
def test_alpha_is_composited_in_16_bits(tmp_path, pixels, channels, ground, level):
    write_png(tmp_path / "x.png", pixels[..., :channels])
    cover = pixels[..., channels - 1 : channels] / 65535
    expected = np.rint(pixels[..., : channels - 1] * cover + level * (1 - cover))
    np.testing.assert_array_equal(read(tmp_path / "x.png", alpha=ground).pixels, expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("deflate", [False, True])
def test_tiff_keeps_all_16_bits_in_either_byte_order(tmp_path, pixels, order, channels, deflate):
    write_tiff(tmp_path / "x.tif", pixels[..., :channels], order=order, deflate=deflate)
    np.testing.assert_array_equal(read(tmp_path / "x.tif").pixels, pixels[..., :channels])


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_compressed_tiff_keeps_all_16_bits(tmp_path, pixels, compression):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "x.tif", compression=compression)
    np.testing.assert_array_equal(read(tmp_path / "x.tif").pixels, pixels[..., :1])


def test_pgm_keeps_all_16_bits(tmp_path, pixels):
    (tmp_path / "x.pgm").write_bytes(b"P5\n7 9\n65535\n" + pixels[..., 0].astype(">u2").tobytes())
    np.testing.assert_array_equal(read(tmp_path / "x.pgm").pixels, pixels[..., :1])


def test_exif_orientation_is_applied(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels[..., 0], 1))).save(tmp_path / "x.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "x.png").pixels[..., 0], pixels[..., 0])


def test_layouts_that_would_lose_bits_are_refused(tmp_path, pixels):
    (tmp_path / "x.ppm").write_bytes(b"P6\n7 9\n65535\n" + pixels[..., :3].astype(">u2").tobytes())
    with pytest.raises(InputError, match=LOSSY):
        read(tmp_path / "x.ppm")
    write_tiff(tmp_path / "x.tif", pixels[..., :3], planar=True)
    with pytest.raises(InputError, match=LOSSY):
        read(tmp_path / "x.tif")


@pytest.mark.parametrize(
    ("channels", "photometric", "extra"),
    [(1, 0, None), (4, 5, None), (4, 2, 1)],
    ids=["white is zero", "CMYK", "premultiplied alpha"],
)
def test_layouts_that_pillow_reads_wrongly_are_refused(tmp_path, pixels, channels, photometric, extra):
    write_tiff(tmp_path / "x.tif", pixels[..., :channels], photometric=photometric, extra=extra)
    with pytest.raises(InputError, match=LOSSY):
        read(tmp_path / "x.tif")


def test_a_transparent_colour_is_dropped_or_refused(tmp_path, pixels):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "x.png", transparency=int(pixels[0, 0, 0]))
    assert read(tmp_path / "x.png").alpha_dropped
    with pytest.raises(InputError, match="transparent colour"):
        read(tmp_path / "x.png", alpha="white")


@pytest.mark.parametrize("ground", ["white", "black"])
def test_without_alpha_there_is_nothing_to_composite(tmp_path, pixels, ground):
    write_png(tmp_path / "x.png", pixels[..., :3])
    np.testing.assert_array_equal(read(tmp_path / "x.png", alpha=ground).pixels, pixels[..., :3])


@pytest.mark.parametrize("fit", ["crop", "resize"])
def test_sizes_are_made_equal_in_16_bits(tmp_path, pixels, fit):
    write_png(tmp_path / "r.png", pixels[..., :3])
    write_png(tmp_path / "f.png", pixels[1:-1, 1:-1, :3])
    real, fake = read_pair(tmp_path / "r.png", tmp_path / "f.png", Reading(fit=fit))
    assert real.pixels.dtype == fake.pixels.dtype == np.uint16
    assert real.size == fake.size == ((9, 7) if fit == "resize" else (7, 5))
    if fit == "crop":
        assert mse_of_images(real.pixels, fake.pixels) == 0


def test_planes_are_on_the_0_to_255_scale(tmp_path, pixels):
    write_png(tmp_path / "x.png", pixels[..., :3])
    planes = read(tmp_path / "x.png").planes()
    np.testing.assert_allclose(planes, np.moveaxis(pixels[..., :3], -1, 0) * (255 / 65535), rtol=1e-15)


def test_the_reference_pair_differs_from_its_8_bit_reading(shared):
    """The authors' reader cuts 16 bits to their high byte; so cut, our pixels give the authors' MSE."""
    import json

    extra = shared / "reference" / "inputs" / "extra"
    official = json.loads((shared / "reference" / "pairs.json").read_text())["extra"]["gray16_128x128"]
    paths = (extra / f"gray16_128x128_{side}.png" for side in ("real", "fake"))
    real, fake = read_pair(*paths, Reading())
    high_bytes = [(picture.pixels >> 8).astype(np.uint16) * np.uint16(257) for picture in (real, fake)]
    assert mse_of_images(*high_bytes) == pytest.approx(official["official_mse"], rel=1e-12)
    exact = ((real.pixels.astype(float) - fake.pixels) ** 2).mean() * (255 / 65535) ** 2
    assert mse_of_images(real.pixels, fake.pixels) == pytest.approx(exact, rel=1e-12)
