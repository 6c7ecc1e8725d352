"""Label maps: image files whose pixels are the numbers of classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageOps

from ffltool.errors import InputError
from ffltool.opening import opened

if TYPE_CHECKING:
    from numpy import ndarray

# NumPy is imported where it is needed: what workers will do is described here before they are forked

ABSENT = ("nan", "zero")
ACCURACY_OVER = ("valid", "all")
MOST = 4096  # classes; the matrix of so many takes 134 MB
_GREY = ("1", "L", "P", "I;16")
_SCALED = {"L;2": 85, "L;4": 17}  # greys of fewer than 8 bits, which Pillow spreads over 0..255


@dataclass(frozen=True, kw_only=True)
class LabelMaps:
    """What the numbers in label maps mean, and what the metrics of them count.

    ``classes``: how many there are, 0 to classes - 1; None makes every label found a class. ``ignore_index``: a pixel
    whose real label it is counts for nothing, and one whose fake label it is has none; -1 is no label.

    ``absent``: what a class that neither side has does to the mean IoU: "nan" leaves it out (Cityscapes, DRN), "zero"
    counts it as 0 (ADE20K, CSAIL). ``accuracy_over``: "valid" divides the right pixels by those that are not ignored,
    "all" by all, as the paper does for Cityscapes.
    """

    classes: int | None = None
    ignore_index: int = 255
    absent: str = "nan"
    accuracy_over: str = "valid"

    def __post_init__(self) -> None:
        choices = (("absent", self.absent, ABSENT), ("accuracy over", self.accuracy_over, ACCURACY_OVER))
        for name, value, known in choices:
            if value not in known:
                raise InputError(f"{name} cannot be {value!r}; known are {', '.join(known)}")
        if self.classes is not None and not 1 <= self.classes <= MOST:
            raise InputError(f"there can be 1 to {MOST} classes, not {self.classes}")
        if self.absent == "zero" and self.classes is None:
            raise InputError(
                "absent classes can count as 0 (--absent zero) only where --classes says how many there are"
            )


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The labels in a file, shape (H, W), uint8 or uint16, and its size in bytes; from no file any integers."""

    labels: ndarray
    file_bytes: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.labels.shape


def read(path: Path) -> LabelMap:
    """Read a PNG with a palette, whose indices are the labels, or of grey, whose levels are, of up to 16 bits.

    Raises
    ------
    InputError : for colours, alpha channels, and files that are no PNG; else as `ffltool.images.read`.
    """
    import numpy as np

    with opened(path) as (file, content):
        if file.format != "PNG":
            raise InputError(f"{path} is a {file.format} file; label maps are PNG files, which keep every number")
        if file.mode not in _GREY:
            raise InputError(
                f"{path} holds colours ({file.mode}); a label map is a PNG of grey or with a palette, "
                "whose pixels are the numbers of classes"
            )
        scale = _SCALED.get(str(file.tile[0].args), 1)
        file.load()
        labels = np.asarray(ImageOps.exif_transpose(file))
    return LabelMap(labels.astype(np.uint8) // scale if labels.dtype == bool or scale > 1 else labels, len(content))


def read_label_maps(real: Path, fake: Path | None) -> tuple[LabelMap, LabelMap]:
    """Read two label maps of one size; without `fake` the halves of the real file.

    Raises
    ------
    InputError : if the sizes differ, or a width cannot be halved; else as `read`.
    """
    first = read(real)
    if fake is None:
        half, odd = divmod(first.size[1], 2)
        if odd:
            raise InputError(f"{real} is {first.size[1]} pixels wide, which does not split into two halves")
        sides = first.labels[:, :half], first.labels[:, half:]
        return LabelMap(sides[0], first.file_bytes), LabelMap(sides[1], first.file_bytes)
    second = read(fake)
    if first.size != second.size:
        sizes = [f"{path} is {h}x{w}" for path, (h, w) in ((real, first.size), (fake, second.size))]
        raise InputError(f"{sizes[0]} but {sizes[1]} (height x width); label maps of a pair must have one size")
    return first, second
