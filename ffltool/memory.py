"""Images in memory as pairs to compare, beside those in files."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from ffltool.errors import InputError, ShapeError
from ffltool.images import Picture
from ffltool.label_maps import LabelMap
from ffltool.pairing import Pair, Pairing

if TYPE_CHECKING:
    from torch import Tensor

    Images = np.ndarray | Tensor | Sequence["Images"]

Held = TypeVar("Held")
_CHANNELS = (1, 3)
_LAYOUTS = "arrays are (H, W), (H, W, C) or (N, H, W, C), tensors (C, H, W) or (N, C, H, W), with 1 or 3 channels"


def pair_in_memory(
    real: Images, fake: Images, *, peak: float | None = None, paired: bool = True, labels: bool = False
) -> Pairing:
    """Return the pairs of two batches of images, or two sets of any numbers.

    Parameters
    ----------
    real, fake : arrays, shape (H, W), (H, W, C) or (N, H, W, C); tensors, shape (H, W), (C, H, W) or (N, C, H, W), on
        any device; or sequences of such, whose sizes may differ. Label maps are integers, shape (H, W) or (N, H, W).
    peak : the largest value a pixel can take; default 255 for uint8, 65535 for uint16 and 1 for floating point.
    paired : pair them by place, as label maps always are; else these are two sets.

    Raises
    ------
    InputError : for a peak that is no number above 0, values outside of 0..peak, types without an agreed scale, or
        different numbers of images in pairs.
    ShapeError : for other shapes.
    """
    if peak is not None and (isinstance(peak, bool | str) or not 0 < peak < math.inf):
        raise InputError(f"peak must be a number above 0, but is {peak!r}")
    if labels:
        maps = _pairs(_label_maps(real, "real"), _label_maps(fake, "fake"))
        for pair, (one, other) in maps.items():
            if one.size != other.size:
                sizes = f"{one.size} but {other.size}"
                raise ShapeError(f"label maps of a pair must have one shape, those of pair {pair.real} have {sizes}")
        return Pairing(Path("real"), Path("fake"), tuple(maps), maps=maps)
    reals, fakes = _pictures(real, "real", peak), _pictures(fake, "fake", peak)
    pictures = _pairs(reals, fakes) if paired else _singles(reals, fakes)
    return Pairing(Path("real"), Path("fake"), tuple(pictures), paired=paired, pictures=pictures)


def _pairs(reals: Sequence[Held], fakes: Sequence[Held]) -> dict[Pair, tuple[Held, Held]]:
    if len(reals) != len(fakes):
        raise InputError(f"{len(reals)} real images and {len(fakes)} fake ones cannot be paired")
    return {Pair(str(place), str(place)): both for place, both in enumerate(zip(reals, fakes, strict=True))}


def _singles(reals: Sequence[Held], fakes: Sequence[Held]) -> dict[Pair, tuple[Held | None, Held | None]]:
    singles: dict[Pair, tuple[Held | None, Held | None]] = {
        Pair(str(place), None): (each, None) for place, each in enumerate(reals)
    }
    return singles | {Pair(None, str(place)): (None, each) for place, each in enumerate(fakes)}


def _pictures(images: Images, name: str, peak: float | None) -> list[Picture]:
    return [_picture(each, name, peak) for batch in _arrays(images) for each in _images_of(batch, name)]


def _label_maps(images: Images, name: str) -> list[LabelMap]:
    maps: list[LabelMap] = []
    for array, _ in _arrays(images):
        if array.dtype.kind not in "iu" or array.ndim not in (2, 3):
            raise ShapeError(
                f"{name}: label maps are integers, shape (H, W) or (N, H, W), not {array.dtype}, {array.shape}"
            )
        maps += [LabelMap(each, each.nbytes) for each in (array if array.ndim == 3 else array[None])]
    return maps


def _arrays(images: Images) -> list[tuple[np.ndarray, bool]]:
    """Return arrays, each with whether channels come first."""
    if isinstance(images, np.ma.MaskedArray):
        raise InputError("masked arrays have pixels that are not there; fill them, as with images.filled(0)")
    if isinstance(images, np.ndarray):
        return [(images, False)]
    if "torch" in sys.modules and isinstance(images, sys.modules["torch"].Tensor):
        tensor = images.detach().cpu()
        known = tensor.dtype in (sys.modules["torch"].bfloat16, sys.modules["torch"].float16)
        try:
            return [((tensor.float() if known else tensor).numpy(), True)]
        except TypeError as error:
            raise InputError(f"tensors of {tensor.dtype}, {tensor.layout}, are no images that can be read") from error
    if isinstance(images, Sequence) and not isinstance(images, str | bytes):
        return [array for each in images for array in _arrays(each)]
    raise InputError(f"images are two paths, or arrays, tensors and sequences of these, not {type(images).__name__}")


def _images_of(batch: tuple[np.ndarray, bool], name: str) -> np.ndarray:
    """Return images of an array, shape (N, H, W, C)."""
    array, first = batch
    if array.ndim == 2:
        array = array[None, ..., None]
    elif array.ndim in (3, 4):
        array = array[None] if array.ndim == 3 else array
        array = np.moveaxis(array, 1, -1) if first else array
    if array.ndim != 4 or array.shape[-1] not in _CHANNELS or not array.size:
        raise ShapeError(f"{name}: the shape is {batch[0].shape}, but {_LAYOUTS}")
    return array


def _picture(pixels: np.ndarray, name: str, peak: float | None) -> Picture:
    """Return an image, shape (H, W, C), as decoded ones are: 8-bit and 16-bit ones keep their exact arithmetic."""
    if peak is None and pixels.dtype == np.uint8:
        pixels = np.ascontiguousarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
        return Picture(Image.fromarray(pixels), file_bytes=pixels.nbytes)
    if peak is None and pixels.dtype.newbyteorder("=") == np.uint16:
        return Picture(pixels.astype(np.uint16, copy=False), file_bytes=pixels.nbytes)
    if pixels.dtype.kind not in ("f" if peak is None else "fiub"):
        scale = "; peak= says which value is white" if pixels.dtype.kind in "iub" else ""
        raise InputError(f"{name}: {pixels.dtype} has no agreed scale{scale}")
    peak = 1.0 if peak is None else peak
    low, high = pixels.min(), pixels.max()
    if not 0 <= low <= high <= peak:
        raise InputError(
            f"{name}: values from {low:g} to {high:g} lie outside of 0 to {peak:g}; clamp them, or say peak="
        )
    return Picture(pixels.astype(np.float64) * (255 / peak), file_bytes=pixels.nbytes)
