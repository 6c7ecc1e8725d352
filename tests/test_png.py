"""The short way to the pixels of a PNG gives those of Pillow's own, or leaves the file to it."""

import importlib.util
import io
import random
import runpy
import struct
import sys
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ffltool import png
from ffltool.errors import BrokenImageError
from ffltool.images import read
from ffltool.png import SIGNATURE, decode_plain

PLAIN = runpy.run_path(str(Path(__file__).with_name("plain_images.py")))
smooth, turned, saved = PLAIN["smooth"], PLAIN["turned"], partial(PLAIN["saved"], "png")


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_chunk(content, name, inside):
    """Put a chunk behind the header."""
    return content[:33] + chunk(name, inside) + content[33:]


def with_header(content, **changes):
    """Change fields of the header, and its check sum with them."""
    names = "width", "height", "bits", "colour", "compression", "filter", "interlacing"
    fields = dict(zip(names, struct.unpack(">IIBBBBB", content[16:29]), strict=True))
    header = struct.pack(">IIBBBBB", *(fields | changes).values())
    return SIGNATURE + chunk(b"IHDR", header) + content[33:]


def cut_short(content):
    """Take the second half of the pixels away, with a check sum that agrees."""
    return content[:33] + chunk(b"IDAT", content[41 : 41 + (len(content) - 57) // 2]) + content[-12:]


def in_two_places(content):
    """Put another chunk between the two halves of the pixels."""
    pixels = content[41:-16]
    halves = chunk(b"IDAT", pixels[:9]), chunk(b"tIME", bytes(7)), chunk(b"IDAT", pixels[9:])
    return content[:33] + b"".join(halves) + content[-12:]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (67, 101), (300, 400)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("settings", [{}, {"compress_level": 0}, {"optimize": True}], ids=str)
def test_plain_files_have_the_pixels_that_were_saved(size, channels, settings):
    pixels = smooth(*size, channels)
    image = decode_plain(saved(pixels, **settings))
    assert image.mode == ("L" if channels == 1 else "RGB")
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_several_chunks_of_pixels_are_one(rng):
    pixels = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    content = saved(pixels)
    assert content.count(b"IDAT") > 1
    np.testing.assert_array_equal(np.asarray(decode_plain(content)), pixels)


@pytest.mark.parametrize("name", [b"gAMA", b"pHYs", b"tIME", b"sRGB"])
def test_what_changes_no_pixel_is_passed_over(name):
    assert decode_plain(with_chunk(saved(smooth(8, 8)), name, b"\0\0\xb1\x8f")) is not None


def test_a_prompt_kept_as_text_is_passed_over():
    text = PngInfo()
    text.add_text("parameters", "a photograph of a bench")
    assert decode_plain(saved(smooth(8, 8), pnginfo=text)) is not None


def _texts(add):
    texts = PngInfo()
    add(texts)
    return texts


OTHERS = {
    "palette": saved(Image.fromarray(smooth(8, 8)).quantize(16)),
    "alpha": saved(Image.fromarray(smooth(8, 8)).convert("RGBA")),
    "grey with alpha": saved(Image.fromarray(smooth(8, 8, 1)).convert("LA")),
    "one bit": saved(Image.fromarray(smooth(8, 8, 1)).convert("1")),
    "16 bits": saved(smooth(8, 8, 1).astype(np.uint16) * 257),
    "a transparent colour": saved(smooth(8, 8), transparency=(0, 0, 0)),
    "an orientation": saved(smooth(8, 8), exif=turned()),
    "an orientation in XMP": saved(smooth(8, 8), pnginfo=_texts(lambda t: t.add_itxt("XML:com.adobe.xmp", "<x/>"))),
    "an orientation as text": saved(smooth(8, 8), pnginfo=_texts(lambda t: t.add_text("Raw profile type exif", "x"))),
    "an orientation as it is in a text": saved(smooth(8, 8), pnginfo=_texts(lambda t: t.add_text("exif", "x"))),
    "two headers": with_chunk(saved(smooth(8, 8)), b"IHDR", saved(smooth(8, 8))[16:29]),
    "pixels in two places": in_two_places(saved(smooth(8, 8))),
    "frames": saved(Image.fromarray(smooth(8, 8)), save_all=True, append_images=[Image.fromarray(smooth(8, 8) + 1)]),
    "interlaced rows": with_header(saved(smooth(8, 8)), interlacing=1),
    "a size beyond all honest ones": with_header(saved(smooth(8, 8)), width=2**20, height=2**20),
    "no size": with_header(saved(smooth(8, 8)), width=0),
    "half of the pixels": cut_short(saved(smooth(8, 8))),
    "a wrong check sum": saved(smooth(8, 8))[:-13] + b"\0" + saved(smooth(8, 8))[-12:],
    "no end": saved(smooth(8, 8))[:-12],
    "a header alone": saved(smooth(8, 8))[:33],
    "nothing": b"",
    "another format": b"GIF89a" + bytes(40),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_other_files_are_left_to_pillow(content):
    assert decode_plain(content) is None


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_have_the_pixels_that_pillow_shows_or_are_left_to_it(seed):
    rng, original, plain = random.Random(seed), saved(smooth(24, 30)), 0
    for _ in range(200):
        content = bytearray(original)
        for _ in range(rng.choice([1, 2, 5])):
            content[rng.randrange(8, len(content))] = rng.randrange(256)
        if (start := content.find(b"IDAT")) > 0 and rng.random() < 0.7:  # damage that its check sum agrees with
            length = int.from_bytes(content[start - 4 : start], "big")
            content[start + 4 + length : start + 8 + length] = struct.pack(
                ">I", zlib.crc32(content[start : start + 4 + length])
            )
        image = decode_plain(bytes(content))
        if image is not None:
            plain += 1
            with Image.open(io.BytesIO(content)) as expected:
                np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    assert plain


def test_where_isal_is_not_installed_zlib_gives_the_same_pixels(monkeypatch):
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    spec = importlib.util.spec_from_file_location("png_without_isal", png.__file__)
    without = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(without)
    assert without.decompressobj is zlib.decompressobj
    pixels = smooth(300, 400)
    np.testing.assert_array_equal(np.asarray(without.decode_plain(saved(pixels))), pixels)
    assert without.decode_plain(OTHERS["half of the pixels"]) is None


def test_pixels_whose_own_check_sum_does_not_agree_are_left_to_pillow():
    content = saved(smooth(8, 8))
    start = content.index(b"IDAT")
    end = start + 4 + int.from_bytes(content[start - 4 : start], "big")
    pixels = content[start + 4 : end - 1] + bytes([content[end - 1] ^ 1])
    assert decode_plain(content[: start - 4] + chunk(b"IDAT", pixels) + content[end + 4 :]) is None


def test_pixels_that_inflate_to_more_than_the_header_says_are_left_to_pillow():
    content = saved(smooth(8, 8))
    bomb = chunk(b"IDAT", zlib.compress(bytes(10**6)))
    assert decode_plain(content[:33] + bomb + content[-12:]) is None


def test_what_follows_the_end_does_not_matter(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(saved(smooth(8, 8)) + bytes(100))
    np.testing.assert_array_equal(np.asarray(read(path).pixels), smooth(8, 8))


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    whole, path = saved(smooth(8, 8)), tmp_path / "x.png"
    for content, said in (
        (whole[:-30], "it ends too soon"),
        (OTHERS["a wrong check sum"], "a check sum does not agree"),
        (with_header(whole, colour=3), r"\w+"),  # colours of a palette that is not there
    ):
        path.write_bytes(content)
        with pytest.raises(BrokenImageError, match=rf"x\.png is broken: {said}"):
            read(path)


def test_pixels_that_end_too_soon_are_an_error_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(OTHERS["half of the pixels"])
    with pytest.raises(BrokenImageError, match=r"x\.png is broken"):
        read(path)
