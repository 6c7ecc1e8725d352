import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ffltool.errors import BrokenImageError, InputError
from ffltool.label_maps import ABSENT, ACCURACY_OVER, LabelMaps, read, read_label_maps

LABELS = np.array([[0, 1, 2], [3, 1, 0]], dtype=np.uint8)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def grey_png(path, row, *, bits):
    """Write one row of grey pixels of that many bits, as Pillow does not."""
    head = struct.pack(">IIBBBBB", len(row), 1, bits, 0, 0, 0, 0)
    packed = int("".join(f"{value:0{bits}b}" for value in row).ljust(8, "0"), 2).to_bytes(1, "big")
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" + packed)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def with_palette(labels, colours=(0, 0, 0, 200, 10, 10, 10, 200, 10, 10, 10, 200)):
    image = Image.fromarray(labels)
    image.putpalette(colours)
    return image


def test_the_indices_of_a_palette_are_the_labels_whatever_its_colours(tmp_path):
    for number, settings in enumerate(({}, {"bits": 2}, {"transparency": 0})):
        with_palette(LABELS).save(tmp_path / f"{number}.png", **settings)
        found = read(tmp_path / f"{number}.png")
        assert found.labels.tolist() == LABELS.tolist()
        assert (found.size, found.file_bytes) == ((2, 3), (tmp_path / f"{number}.png").stat().st_size)


def test_the_levels_of_grey_are_the_labels_in_8_and_16_bits(tmp_path):
    for dtype, more in ((np.uint8, 0), (np.uint16, 1000)):
        labels = LABELS.astype(dtype) + dtype(more)
        Image.fromarray(labels).save(tmp_path / "map.png")
        found = read(tmp_path / "map.png").labels
        assert found.dtype == dtype
        assert found.tolist() == labels.tolist()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_greys_of_few_bits_are_not_spread_over_8(tmp_path, bits):
    row = [2**bits - 1, 0, 1, 1][: 8 // bits]
    assert read(grey_png(tmp_path / "map.png", row, bits=bits)).labels.tolist() == [row]


def test_an_orientation_is_applied_as_to_images(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    with_palette(LABELS).save(tmp_path / "map.png", exif=exif)
    assert read(tmp_path / "map.png").labels.tolist() == np.rot90(LABELS, -1).tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colours_are_refused_with_what_is_wanted(tmp_path, save, mode):
    path = save(tmp_path / "map.png", mode=mode)
    with pytest.raises(
        InputError, match=rf"map\.png holds colours \({mode}\); a label map is a PNG of grey or with a pal"
    ):
        read(path)


def test_a_file_that_may_have_changed_the_numbers_is_refused(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "map.jpg")
    with pytest.raises(InputError, match=r"map\.jpg is a JPEG file; label maps are PNG files"):
        read(tmp_path / "map.jpg")


def test_a_damaged_file_is_a_broken_image(tmp_path):
    path = tmp_path / "map.png"
    Image.fromarray(LABELS).save(path)
    content = path.read_bytes()
    for damaged in (b"", b"junk", content[:50], content.replace(b"IDAT", b"IDAX")):
        path.write_bytes(damaged)
        with pytest.raises(BrokenImageError, match=r"map\.png"):
            read(path)


def test_label_maps_of_different_sizes_are_named_with_theirs(tmp_path):
    for name, labels in (("r.png", LABELS), ("f.png", LABELS.T)):
        Image.fromarray(labels).save(tmp_path / name)
    with pytest.raises(InputError, match=r"r\.png is 2x3 but .*f\.png is 3x2 \(height x width\); label maps of a pair"):
        read_label_maps(tmp_path / "r.png", tmp_path / "f.png")


def test_one_file_is_split_into_halves(tmp_path):
    Image.fromarray(np.hstack([LABELS, LABELS + 1])).save(tmp_path / "both.png")
    real, fake = read_label_maps(tmp_path / "both.png", None)
    assert (fake.labels - real.labels).tolist() == np.ones((2, 3)).tolist()
    Image.fromarray(LABELS).save(tmp_path / "odd.png")
    with pytest.raises(InputError, match=r"odd\.png is 3 pixels wide, which does not split"):
        read_label_maps(tmp_path / "odd.png", None)


def test_choices_are_checked_and_listed():
    for name, known in (("absent", ABSENT), ("accuracy_over", ACCURACY_OVER)):
        with pytest.raises(InputError, match=f"cannot be 'no'; known are {', '.join(known)}"):
            LabelMaps(**{name: "no"}, classes=3)
    for classes in (0, 4097):
        with pytest.raises(InputError, match=f"1 to 4096 classes, not {classes}"):
            LabelMaps(classes=classes)
    with pytest.raises(InputError, match="only where --classes says how many"):
        LabelMaps(absent="zero")
