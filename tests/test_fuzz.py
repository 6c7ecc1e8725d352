"""Damaged files: a clear error or a picture, never anything else."""

import io
import random
import warnings

import numpy as np
import pytest
from PIL import Image

from ffltool.errors import InputError
from ffltool.images import Picture, read

SETTINGS = {
    "png16": {},
    "tiff16": {"compression": "tiff_adobe_deflate"},
    "png": {},
    "jpeg": {"quality": 80},
    "tiff": {"compression": "tiff_lzw"},
    "gif": {},
    "webp": {},
    "bmp": {},
}


@pytest.fixture(scope="module")
def originals():
    # smooth enough to compress, with EXIF for the parser to stumble over
    y, x = np.mgrid[:40, :56]
    pixels = np.stack([4 * x, 5 * y, 2 * (x + y)], axis=-1).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 1
    contents = {}
    for kind, settings in SETTINGS.items():
        file = io.BytesIO()
        extra = {"exif": exif} if kind in ("png", "jpeg", "tiff", "webp") else {}
        deep = kind.endswith("16")
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257 if deep else pixels)
        image.save(file, kind.removesuffix("16"), **settings, **extra)
        contents[kind] = file.getvalue()
    return contents


def damage(content, rng):
    content = bytearray(content)
    # most damage where the structure is: the head
    reach = 120 if rng.random() < 0.6 else len(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        content[rng.randrange(min(reach, len(content)))] = rng.randrange(256)
    return bytes(content[: rng.randrange(1, len(content))] if rng.random() < 0.25 else content)


@pytest.mark.parametrize("kind", SETTINGS)
def test_mutated_files_are_read_or_refused_in_one_line(tmp_path, originals, kind):
    rng = random.Random(kind)
    path = tmp_path / f"x.{kind}"
    outcomes = {"read": 0, "refused": 0, "refused without its name": 0}
    for _ in range(250):
        path.write_bytes(damage(originals[kind], rng))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata, silenced by the command line too
            try:
                picture = read(path)
            except InputError as error:
                message = str(error)
                outcomes["refused" if str(path) in message else "refused without its name"] += 1
            else:
                outcomes["read"] += 1
                assert isinstance(picture, Picture)
                assert picture.planes().shape[1:] == picture.size
    assert outcomes["refused"] > 10, outcomes
    assert not outcomes["refused without its name"], outcomes


def test_a_flipped_bit_of_a_png_is_noticed_or_harmless(tmp_path, originals):
    """The pixels of a PNG are guarded by check sums; so is what compresses well, where one bit moves many pixels."""
    rng = random.Random(1)
    path = tmp_path / "x.png"
    path.write_bytes(originals["png"])
    pixels = np.asarray(read(path).pixels)
    refused = 0
    for _ in range(200):
        content = bytearray(originals["png"])
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            np.testing.assert_array_equal(np.asarray(read(path).pixels), pixels)
        except InputError:
            refused += 1
    assert refused > 150
