"""Image files into tensors, and tensors into image files of a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin
from torch import Tensor

from ffltool import outputs
from ffltool.images import Picture, alpha_dropped, read, write

_FRAME, _LAST_FRAME = 80, 1500  # milliseconds
# suffix -> a text near the start of every such file
MARKS = {".png": f"Software\0{outputs.MARK}", ".gif": outputs.MARK}


def load(image: Path, *, size: int | None) -> tuple[Tensor, list[str]]:
    """Return an image as a tensor (C, H, W) in 0..1, its longest side at most `size` where that is given; warnings.

    Raises what `ffltool.images.read` raises.
    """
    picture = read(image)
    if size is not None:
        picture = picture.shrink(size)
    return picture.tensor(), dropped(picture)


def dropped(*pictures: Picture) -> list[str]:
    """Return what has to be said of pictures: how many had an alpha channel that is not shown."""
    alphas = sum(picture.alpha_dropped for picture in pictures)
    return [alpha_dropped(alphas)] if alphas else []


def check(folder: Path, names: Iterable[str], *, force: bool, marks: Mapping[str, str] = MARKS) -> None:
    """Find out, before the work, whether these files can be written; the folder may be new, its parent not.

    Parameters
    ----------
    marks : by suffix a text near the start of every such file of ours.

    Raises
    ------
    InputError : if the folder is none or cannot be made, or a file is not ffltool's to overwrite.
    """
    outputs.check_folder(folder)
    if folder.exists():
        for name in names:
            outputs.check(folder / name, mark=marks[Path(name).suffix], force=force)


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder to be written into, and take it away again if that fails; one that was there stays."""
    made = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
        yield
    except BaseException:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def write_images(folder: Path, images: Mapping[str, Tensor]) -> None:
    """Write images, shape (C, H, W), cut to 0..1, as PNG files of these names."""
    with new_folder(folder):
        for name, image in images.items():
            write_image(folder / f"{name}.png", image)


def write_image(path: Path, image: Tensor) -> None:
    """Write an image, shape (C, H, W), cut to 0..1, with a mark of whose it is."""
    origin = PngImagePlugin.PngInfo()
    origin.add_text("Software", outputs.MARK)
    write(_picture(image), path, pnginfo=origin)


def write_animation(path: Path, frames: Sequence[Tensor]) -> None:
    """Write images of one shape (C, H, W) as a GIF that shows them in turn for ever, the last for longer."""
    first, *others = map(_picture, frames)
    times = [*[_FRAME] * len(others), _LAST_FRAME]
    write(first, path, save_all=True, append_images=others, duration=times, loop=0, comment=outputs.MARK.encode())


def _picture(image: Tensor) -> Image.Image:
    return Image.fromarray((255 * as_shown(image)).round().astype(np.uint8))


def as_shown(image: Tensor) -> np.ndarray:
    """Return an image (C, H, W) as it is drawn: cut to 0..1, shape (H, W) or (H, W, 3)."""
    pixels = image.clamp(0, 1)
    return (pixels[0] if len(pixels) == 1 else pixels.movedim(0, -1)).numpy()
