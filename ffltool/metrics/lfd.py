"""Log frequency distance (Jiang et al., ICCV 2021, Eq. 11).

    LFD = ln( 1/(HW) sum over (u, v) of |F_real(u, v) - F_fake(u, v)|^2 + 1 )        nat, lower is better

with F the unnormalised DFT of an image on the 0..255 scale, averaged over channels inside the logarithm.
By Parseval's theorem the mean over frequencies of |DFT|^2 is the sum over pixels of the square, hence

    LFD = ln(H W MSE + 1)

exactly, and no transform is computed here. LFD is the MSE on a log scale that knows the image size: values
of different sizes must not be compared.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ffltool.metrics.mse import mse

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool.metrics import DecodedPair


def lfd(real: Tensor, fake: Tensor, *, peak: float = 255.0) -> Tensor:
    """Return the log frequency distance of each image.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), values in [0, peak]
    peak : the largest value a pixel can take; the distance is that of the images scaled to 0..255.

    Returns
    -------
    tensor, shape (N,); 0 where the images are equal.

    Raises
    ------
    ShapeError : if the shapes differ or are not 4-D.

    Examples
    --------
    One pixel out of 64 off by one grey level is an error of 1 at every frequency, and ln(1 + 1) is:

    >>> import torch
    >>> real = torch.zeros(1, 1, 8, 8)
    >>> fake = real.clone()
    >>> fake[0, 0, 3, 5] = 1
    >>> lfd(real, fake)
    tensor([0.6931])
    """
    error = mse(real, fake)
    height, width = real.shape[-2:]
    return (error * (height * width * (255 / peak) ** 2)).log1p()


def lfd_from_mse(mse: float, *, height: int, width: int) -> float:
    """Return the LFD of an image of that size in pixels with that mean squared error on the 0..255 scale."""
    return math.log1p(height * width * mse)


def psnr_from_lfd(lfd: float, *, height: int, width: int) -> float:
    """Return the PSNR in decibel that an LFD corresponds to at that size in pixels; infinite for 0.

    >>> round(psnr_from_lfd(14.8046, height=64, width=64), 2)
    19.96
    """
    error = math.expm1(lfd)
    return 10 * math.log10(255**2 * height * width / error) if error else math.inf


def of_pair(pair: DecodedPair) -> float:
    """Return the LFD of a decoded pair."""
    return lfd_from_mse(pair.mse, height=pair.height, width=pair.width)
