"""Images for the tests of the short ways to the pixels of plain files, test_png.py and test_jpeg.py."""

import io

import numpy as np
from PIL import Image


def smooth(height, width, channels=3):
    """Return pixels that compress, so that every filter of a row is used."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([4 * x + y, 5 * y, x * y // 8], axis=-1).astype(np.uint8)
    return pixels if channels == 3 else pixels[..., 0]


def saved(kind, pixels, **settings):
    """Return a file of that kind, "png" or "jpeg"."""
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(file, kind, **settings)
    return file.getvalue()


def turned():
    """Return what a camera says that was held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif
