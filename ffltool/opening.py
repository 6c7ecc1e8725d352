"""Image files opened by Pillow, with errors that name the file and what is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageFile, UnidentifiedImageError

from ffltool import png
from ffltool.errors import BrokenImageError, FfltoolError, InputError

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "PPM", "TIFF", "GIF")


@contextmanager
def opened(
    path: Path, content: bytes | None = None, *, check_sums: bool = True
) -> Iterator[tuple[ImageFile.ImageFile, bytes]]:
    """Open an image file for the body, which gets it, not decoded yet, and the bytes of the file.

    Parameters
    ----------
    content : the bytes, where they were read already.
    check_sums : compare those of a PNG; there is no need to where only its header counts.

    Raises
    ------
    BrokenImageError : if the file is damaged, empty, gone, no image, or too large to be an honest one; also for what
        the body stumbles over when it decodes.
    InputError : if it cannot be opened.
    """
    content = content_of(path) if content is None else content
    if check_sums and content.startswith(png.SIGNATURE) and (damage := png.damage(content)):
        raise BrokenImageError(f"{path} is broken: {damage}")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as file:
            yield file, content
    except FfltoolError:
        raise
    except UnidentifiedImageError as error:
        raise BrokenImageError(f"{path} is not an image that can be read") from error
    except Image.DecompressionBombError as error:
        raise BrokenImageError(f"{path} is refused as a decompression bomb: {error}") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit into memory") from error
    except Exception as error:  # on damaged files decoders raise whatever their parsing stumbles over
        raise BrokenImageError(f"{path} is broken: {str(error) or type(error).__name__}") from error


def content_of(path: Path) -> bytes:
    """Return the bytes of a file that holds some, read in one go; raises as `opened` does.

    Decoders ask for small pieces, and at each of them threads would wait for the others.
    """
    try:
        if not path.is_file() and path.exists():
            raise InputError(f"{path} is no file with an image in it")
        with path.open("rb", buffering=0) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise BrokenImageError(f"{path} does not exist") from error
    except MemoryError as error:
        raise InputError(f"{path} does not fit into memory") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if not content:
        raise BrokenImageError(f"{path} is empty")
    return content
