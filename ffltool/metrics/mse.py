"""Mean squared error.

    MSE = mean over channels and pixels of (real - fake)^2        squared grey levels, lower is better

For decoded images the sum is taken over integers, so it is exact: 8-bit images through the histogram of
their absolute difference (256 counts a channel, whatever the size), 16-bit ones as 64-bit integers.
"""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from ffltool.errors import ShapeError

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor

    from ffltool.metrics import DecodedPair

_SQUARES = [level * level for level in range(256)] * 3
_16_BIT_STEPS = 257  # 65535 / 255: the 16-bit levels in one level of the 0..255 scale


def mse(real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean squared error of each image.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), on any common scale; integers are computed in float64.

    Returns
    -------
    tensor, shape (N,), on the squared scale of the input.

    Raises
    ------
    ShapeError : if the shapes differ or are not 4-D.

    Examples
    --------
    >>> import torch
    >>> mse(torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 2.0))
    tensor([4.])
    """
    real, fake = floating_pair(real, fake)
    return (real - fake).square().mean((-3, -2, -1))


def mse_of_images(real: Image.Image | ndarray, fake: Image.Image | ndarray) -> float:
    """Return the exact mean squared error of two decoded images on the 0..255 scale.

    Parameters
    ----------
    real, fake : two Pillow images of one mode ("L" or "RGB") and size, or two arrays of one shape: of uint16, or of
        float64 on the 0..255 scale.
    """
    if isinstance(real, Image.Image) and isinstance(fake, Image.Image):
        counts = ImageChops.difference(real, fake).histogram()
        total: int = sum(map(mul, counts, _SQUARES))
        return total / (real.width * real.height * len(real.getbands()))
    # both are of one kind
    assert not isinstance(real, Image.Image)
    assert not isinstance(fake, Image.Image)
    if real.dtype.kind == "f":
        return float(((real - fake) ** 2).mean())
    difference: ndarray = real.astype("int64") - fake
    return int((difference * difference).sum()) / (difference.size * _16_BIT_STEPS**2)


def of_pair(pair: DecodedPair) -> float:
    """Return the mean squared error of a decoded pair."""
    return pair.mse


def floating_pair(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return two batches (N, C, H, W) of one shape as floating point; integers as float64.

    Raises
    ------
    ShapeError : for other shapes.
    """
    if real.ndim != 4 or real.shape != fake.shape:
        raise ShapeError(
            f"real {tuple(real.shape)} and fake {tuple(fake.shape)} must have one common shape (N, C, H, W)"
        )
    return (real, fake) if real.is_floating_point() and fake.is_floating_point() else (real.double(), fake.double())
