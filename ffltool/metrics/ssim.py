"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli; IEEE TIP 2004).

    SSIM = mean of (2 m_r m_f + C1) (2 s_rf + C2) / ((m_r^2 + m_f^2 + C1) (s_r^2 + s_f^2 + C2))        higher is better

with means m, variances s^2 and covariance s_rf under an 11 x 11 Gaussian window of sigma 1.5 (population moments),
C1 = (0.01 peak)^2, C2 = (0.03 peak)^2, over every position where the window lies inside the image, for each channel.

Four maps need the window, not five, for the variances only occur as a sum. It is separable, and applied as two
products with banded matrices, tile by tile, so that the work stays in the cache. Variances do not change when a
constant is taken from the image, and come out with fewer digits lost about half the peak than about 0.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from ffltool.errors import ShapeError
from ffltool.metrics.mse import floating_pair

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool.metrics import DecodedPair

WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03
_TILE, _BLOCK = (16, 256), 32  # outputs of a tile and of a block of columns in it: the fastest of 16, 32, 48, 64
_TILE_ON_GPU = (128, 4096)  # there few large products are faster


def ssim(real: Tensor, fake: Tensor, *, peak: float = 255.0) -> Tensor:
    """Return the SSIM of each image, averaged over its channels.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), H and W >= 11, values in [0, peak]; integers are
        computed in float64, floating types in their own.
    peak : the largest value a pixel can take (255 for 8-bit images, 1.0 for floats).

    Returns
    -------
    tensor, shape (N,), in [-1, 1]; 1 where the images are equal.

    Raises
    ------
    ShapeError : if the shapes differ, are not 4-D, or a side is shorter than the window.

    Examples
    --------
    A constant shift leaves the structure and costs luminance: (2 * 100 * 110 + C1) / (100^2 + 110^2 + C1).

    >>> import torch
    >>> real = torch.full((1, 1, 16, 16), 100.0)
    >>> ssim(real, real + 10)
    tensor([0.9955])
    """
    return _ssim(*floating_pair(real, fake), peak=peak)


def of_pair(pair: DecodedPair) -> float:
    """Return the SSIM of a decoded pair."""
    real, fake = pair.planes()
    return float(_ssim(real[None], fake[None], peak=255.0)[0])


def _ssim(real: Tensor, fake: Tensor, *, peak: float) -> Tensor:
    *_, channels, height, width = real.shape
    if min(height, width) < WINDOW:
        raise ShapeError(f"SSIM needs images of at least {WINDOW}x{WINDOW} pixels, these are {height}x{width}")

    on_cpu = str(getattr(real, "device", "cpu")) == "cpu"
    rows, columns = _TILE if on_cpu else _TILE_ON_GPU
    total = 0.0
    for top in range(0, height - WINDOW + 1, rows):
        for left in range(0, width - WINDOW + 1, columns):
            tile = (..., slice(top, top + rows + WINDOW - 1), slice(left, left + columns + WINDOW - 1))
            total = total + _tile_sum(real[tile], fake[tile], peak)
    return total / (channels * (height - WINDOW + 1) * (width - WINDOW + 1))


def _tile_sum(real: Tensor, fake: Tensor, peak: float) -> Tensor:
    """Sum the SSIM map over every position of the window in a tile of the images, shape (N,)."""
    xp = sys.modules[type(real).__module__.partition(".")[0]]  # numpy or torch: the same names serve both
    half, c1, c2 = peak / 2, (K1 * peak) ** 2, (K2 * peak) ** 2

    real, fake = real - half, fake - half
    mean_r, mean_f, power, product = _window(xp.stack([real, fake, real * real + fake * fake, real * fake]), xp)
    means, squares = mean_r * mean_f, mean_r * mean_r + mean_f * mean_f
    structure = (2 * (product - means) + c2) / (power - squares + c2)

    # the means about 0 again: (m_r + half) (m_f + half), and the same of the squares
    shift = half * (mean_r + mean_f)
    luminance = (2 * (means + shift) + (2 * half * half + c1)) / (squares + 2 * shift + (2 * half * half + c1))
    return (structure * luminance).sum((-3, -2, -1))


def _window(maps: Tensor, xp: ModuleType) -> Tensor:
    """Average maps, shape (..., H, W), under the window at every valid position, shape (..., H - 10, W - 10)."""
    height, width = (side - WINDOW + 1 for side in maps.shape[-2:])
    down = _as(_band(height), maps).swapaxes(0, 1) @ maps
    blocks = []
    for start in range(0, width, _BLOCK):
        across = _as(_band(min(_BLOCK, width - start)), maps)
        blocks.append(down[..., start : start + len(across)] @ across)
    return xp.concatenate(blocks, -1)


@functools.cache
def _band(outputs: int) -> np.ndarray:
    """Return the matrix, shape (outputs + 10, outputs), whose columns are the window's weights, one step apart."""
    weights = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    band = np.zeros((outputs + WINDOW - 1, outputs))
    for column in range(outputs):
        band[column : column + WINDOW, column] = weights / weights.sum()
    return band


def _as(matrix: np.ndarray, like: Tensor) -> Tensor:
    return like.new_tensor(matrix) if hasattr(like, "new_tensor") else matrix
