"""The short way to the pixels of a JPEG gives those of Pillow's own, or leaves the file to it."""

import io
import random
import runpy
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffltool.errors import BrokenImageError
from ffltool.images import read
from ffltool.jpeg import decode_plain

PLAIN = runpy.run_path(str(Path(__file__).with_name("plain_images.py")))
smooth, turned, saved = PLAIN["smooth"], PLAIN["turned"], partial(PLAIN["saved"], "jpeg")


def by_pillow(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def with_segment(content, marker, inside):
    """Put a segment behind the start."""
    return content[:2] + struct.pack(">BBH", 0xFF, marker, 2 + len(inside)) + inside + content[2:]


def with_frame(content, **changes):
    """Change fields of the frame's header."""
    start = next(content.index(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in content)
    names = "bits", "height", "width", "components"
    fields = dict(zip(names, struct.unpack_from(">BHHB", content, start + 4), strict=True))
    return content[: start + 4] + struct.pack(">BHHB", *(fields | changes).values()) + content[start + 10 :]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (67, 101), (300, 400)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}, {"restart_marker_rows": 1}, {"optimize": True}],
    ids=str,
)
def test_plain_files_have_the_pixels_of_pillow(size, channels, settings):
    content = saved(smooth(*size, channels), **settings)
    image = decode_plain(content)
    assert image.mode == ("L" if channels == 1 else "RGB")
    np.testing.assert_array_equal(np.asarray(image), by_pillow(content))


def test_colours_that_were_kept_as_red_green_and_blue_stay_so():
    content = saved(smooth(40, 40), keep_rgb=True, quality=100)
    np.testing.assert_array_equal(np.asarray(decode_plain(content)), by_pillow(content))


@pytest.mark.parametrize(
    ("marker", "inside"),
    [(0xFE, b"a comment"), (0xE2, b"ICC_PROFILE\0\1\1profile"), (0xED, b"Photoshop 3.0\0")],
    ids=["comment", "profile", "Photoshop"],
)
def test_what_changes_no_pixel_is_passed_over(marker, inside):
    assert decode_plain(with_segment(saved(smooth(8, 8)), marker, inside)) is not None


OTHERS = {
    "four colours": saved(Image.fromarray(smooth(8, 8)).convert("CMYK")),
    "an orientation": saved(smooth(8, 8), exif=turned()),
    "an orientation in XMP": saved(smooth(8, 8), xmp=b"<x/>"),
    "several images": with_segment(saved(smooth(8, 8)), 0xE2, b"MPF\0MM\0*"),
    "12 bits": with_frame(saved(smooth(8, 8)), bits=12),
    "two components": with_frame(saved(smooth(8, 8)), components=2),
    "no height": with_frame(saved(smooth(8, 8)), height=0),
    "a size beyond all honest ones": with_frame(saved(smooth(8, 8)), height=65000, width=65000),
    "half of the pixels": saved(smooth(99, 99), quality=100)[:2000],
    "a header alone": saved(smooth(8, 8))[:20],
    "a header cut in its frame": saved(smooth(8, 8))[: saved(smooth(8, 8)).index(b"\xff\xc0") + 6],
    "a lossless frame": saved(smooth(8, 8)).replace(b"\xff\xc0", b"\xff\xc3"),
    "no pixels": saved(smooth(8, 8))[: saved(smooth(8, 8)).index(b"\xff\xda")],
    "nothing": b"",
    "another format": b"GIF89a" + bytes(40),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_other_files_are_left_to_pillow(content):
    assert decode_plain(content) is None


def test_damaged_files_have_the_pixels_of_pillow_or_are_left_to_it(tmp_path):
    whole, chance, decoded = saved(smooth(67, 101)), random.Random(0), 0
    for number in range(300):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 1, 1, 4])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        image = decode_plain(bytes(content))
        if image is not None:
            decoded += 1
            np.testing.assert_array_equal(np.asarray(image), by_pillow(bytes(content)), err_msg=str(number))
    assert decoded > 50


def test_a_file_that_is_cut_off_is_broken_as_it_was(tmp_path):
    path = tmp_path / "cut.jpg"
    path.write_bytes(OTHERS["half of the pixels"])
    with pytest.raises(BrokenImageError, match=r"cut\.jpg is broken: .*truncated"):
        read(path)
