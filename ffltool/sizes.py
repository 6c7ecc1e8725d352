"""The sizes of many images, from the heads of their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ffltool.errors import NothingComparedError
from ffltool.images import size_of
from ffltool.loading import Loading

Size = tuple[int, int]  # height and width
_CHUNK = 8


def sizes_of(files: Iterable[Path], *, skip_broken: bool = False, workers: int | None = None) -> dict[Path, Size]:
    """Return height and width of each image file; with `skip_broken` broken ones are left out.

    Raises
    ------
    BrokenImageError, InputError : as `ffltool.images.size_of`.
    NothingComparedError : if every image is broken.
    """
    files = list(dict.fromkeys(files))
    measured = Loading(skip_broken=skip_broken, workers=workers).each(files, size_of, chunk=_CHUNK)
    sizes = {path: size for path, size in zip(files, measured, strict=True) if size is not None}
    if not sizes:
        raise NothingComparedError("none of the files is an image that can be read")
    return sizes


def smallest(sizes: Iterable[Size]) -> Size:
    """Return the smallest height and the smallest width, which all images have."""
    heights, widths = zip(*sizes, strict=True)
    return min(heights), min(widths)
