"""Peak signal-to-noise ratio.

PSNR = 10 log10(peak^2 / MSE)        decibel, higher is better, infinite for equal images
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ffltool.metrics.mse import mse

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool.metrics import DecodedPair


def psnr(real: Tensor, fake: Tensor, *, peak: float = 255.0) -> Tensor:
    """Return the PSNR of each image in decibel.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), values in [0, peak]
    peak : the largest value a pixel can take (255 for 8-bit images, 1.0 for floats).

    Returns
    -------
    tensor, shape (N,); infinite where the images are equal.

    Raises
    ------
    ShapeError : if the shapes differ or are not 4-D.

    Examples
    --------
    >>> import torch
    >>> psnr(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 25.5))
    tensor([20.])
    """
    return 10 * (peak**2 / mse(real, fake)).log10()


def psnr_from_mse(mse: float) -> float:
    """Return the PSNR in decibel of one mean squared error on the 0..255 scale; infinite for 0.

    >>> psnr_from_mse(6.5025)
    40.0
    """
    return 10 * math.log10(255**2 / mse) if mse else math.inf


def of_pair(pair: DecodedPair) -> float:
    """Return the PSNR of a decoded pair in decibel."""
    return psnr_from_mse(pair.mse)
