"""16-bit pixels in full precision, through Pillow.

Pillow has a 16-bit mode for grey alone; of a 16-bit colour sample it keeps the high byte. Told that the bytes of the
file lie the other way round it keeps the low byte, so two readings give both.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile, ImageOps

from ffltool.errors import InputError

if TYPE_CHECKING:
    import numpy as np

# NumPy is imported where it is needed, see images.py

_SWAPPED = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
_GREY = {"I;16", "I;16B", "I;16L", "I;16N"}
_COLOUR = {f"{bands};{order}" for bands in ("LA", "RGB", "RGBA", "RGBX") for order in _SWAPPED}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF tags


def tiff_tags(file: ImageFile.ImageFile) -> Mapping[int, Any]:
    """Return the tags of a TIFF file by their numbers; of another file none."""
    if file.format != "TIFF":
        return {}
    from PIL.TiffImagePlugin import TiffImageFile

    assert isinstance(file, TiffImageFile), "no other class of Pillow's reads TIFF"
    return file.tag_v2


def is_deep(file: ImageFile.ImageFile, path: Path) -> bool:
    """Tell whether an opened, not yet loaded image has 16 bits a sample.

    Raises
    ------
    InputError : for layouts of more than 8 bits whose pixels could not be had in full.
    """
    rawmode, arguments = _rawmode(file)
    tags = tiff_tags(file)
    scaled_ppm = file.format == "PPM" and len(arguments) > 1 and arguments[1] > 255
    deep = file.mode.startswith("I") or ";16" in rawmode
    if not deep and not scaled_ppm and max(tags.get(_BITS_PER_SAMPLE, (8,))) <= 8:
        return False
    known = rawmode in _GREY | _COLOUR or (scaled_ppm and file.mode == "I")
    if not known or tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        raise InputError(
            f"{path} has more than 8 bits a sample in a layout that cannot be read in full; 16-bit PNG can"
        )
    return True


def read_deep(file: ImageFile.ImageFile, content: bytes) -> np.ndarray:
    """Return a 16-bit image that was opened from these bytes as a uint16 array, shape (H, W, 1 to 4).

    It is turned as its EXIF orientation says.
    """
    import numpy as np

    if file.mode.startswith("I"):
        return _array(file).astype(np.uint16)[..., None]
    rawmode, arguments = _rawmode(file)
    with Image.open(io.BytesIO(content), formats=[str(file.format)]) as other:
        if rawmode.startswith("LA"):
            # Pillow knows no other order for grey with alpha: four 8-bit samples are the two of 16 bits, bytewise
            other._mode = "RGBA"
            _set_rawmode(other, "RGBA", arguments)
            pairs = _array(other)
            high, low = pairs[..., ::2], pairs[..., 1::2]
        else:
            _set_rawmode(other, rawmode[:-3] + _SWAPPED[rawmode[-3:]], arguments)
            high, low = _array(file), _array(other)
    pixels: np.ndarray = high.astype(np.uint16) * np.uint16(256) + low
    return pixels


def without_alpha(pixels: np.ndarray, *, background: int | None) -> np.ndarray:
    """Return the colours of a uint16 array (H, W, 1 to 4), as stored or composited over a grey level 0..65535."""
    import numpy as np

    colours: np.ndarray = pixels[..., : 1 if pixels.shape[-1] < 3 else 3]
    if background is None:
        return colours
    cover: np.ndarray = pixels[..., -1:] / 65535
    mixed: np.ndarray = np.rint(colours * cover + background * (1 - cover))
    return mixed.astype(np.uint16)


def _array(file: Image.Image) -> np.ndarray:
    import numpy as np

    file.load()
    return np.asarray(ImageOps.exif_transpose(file))


def _rawmode(file: ImageFile.ImageFile) -> tuple[str, tuple[Any, ...]]:
    arguments = file.tile[0].args if file.tile else ""
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    return str(arguments[0]) if arguments else "", arguments


def _set_rawmode(file: ImageFile.ImageFile, rawmode: str, arguments: tuple[Any, ...]) -> None:
    changed = rawmode if len(arguments) == 1 else (rawmode, *arguments[1:])
    file.tile = [tile._replace(args=changed) for tile in file.tile]
