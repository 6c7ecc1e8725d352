"""Structural similarity (Wang, Bovik, Sheikh, Simoncelli; IEEE TIP 2004).

    SSIM = mean of (2 m_r m_f + C1) (2 s_rf + C2) / ((m_r^2 + m_f^2 + C1) (s_r^2 + s_f^2 + C2))        higher is better

with means m, variances s^2 and covariance s_rf under an 11 x 11 Gaussian window of sigma 1.5 (population moments),
C1 = (0.01 peak)^2, C2 = (0.03 peak)^2, over every position where the window lies inside the image, for each channel.

Four maps need the window, not five, for the variances occur only as a sum. It is separable, and applied as two
products with banded matrices, a block at a time, since a whole one would be mostly zeros.
"""

from __future__ import annotations

import functools
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ffltool.errors import ShapeError
from ffltool.metrics.mse import floating_pair

if TYPE_CHECKING:
    from torch import Tensor

    from ffltool.metrics import DecodedPair

WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03
_MARGIN = WINDOW - 1
_BLOCK = 32  # positions of the window that one product computes along an axis
_TILE = 16, 256  # rows and columns of positions whose maps stay in the cache


def ssim(real: Tensor, fake: Tensor, *, peak: float = 255.0) -> Tensor:
    """Return the SSIM of each image, averaged over its channels.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), H and W >= 11, values in [0, peak]; integers are computed in float64,
        floating types in their own.
    peak : the largest value a pixel can take (255 for 8-bit images, 1.0 for floats).

    Returns
    -------
    tensor, shape (N,), in [-1, 1]; 1 where the images are equal. It can be differentiated.

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
    import torch

    real, fake = floating_pair(real, fake)
    _check_size(*real.shape[-2:])
    c1, c2 = _constants(peak)

    # variances do not change when a constant is taken from the image, and about half the peak float32 loses less
    half = peak / 2
    real, fake = real - half, fake - half
    maps = torch.stack([real, fake, real * real + fake * fake, real * fake])
    mean_r, mean_f, power, cross = _window(_window(maps).mT).mT.unbind()
    means, squares = mean_r * mean_f, mean_r**2 + mean_f**2
    structure = (2 * (cross - means) + c2) / (power - squares + c2)

    # the means about 0 again
    mean_r, mean_f = mean_r + half, mean_f + half
    luminance = (2 * mean_r * mean_f + c1) / (mean_r**2 + mean_f**2 + c1)
    return (structure * luminance).mean((-3, -2, -1))


def _window(maps: Tensor) -> Tensor:
    """Average over the window along rows: shape (..., H, W) to (..., H - 10, W)."""
    import torch

    blocks = []
    for start in range(0, maps.shape[-2] - _MARGIN, _BLOCK):
        part = maps[..., start : start + _BLOCK + _MARGIN, :]
        blocks.append(maps.new_tensor(_band(part.shape[-2] - _MARGIN)) @ part)
    return torch.cat(blocks, dim=-2)


def of_pair(pair: DecodedPair) -> float:
    """Return the SSIM of a decoded pair."""
    return ssim_of_planes(*pair.planes())


def ssim_of_planes(real: np.ndarray, fake: np.ndarray, *, peak: float = 255.0) -> float:
    """Return the SSIM of one image without torch, on one core, in float64.

    The same formula as `ssim`, tile by tile in buffers that are used again: new memory for every intermediate map
    costs several times the arithmetic.

    Parameters
    ----------
    real, fake : arrays, shape (C, H, W), H and W >= 11, any real type, values in [0, peak].

    Raises
    ------
    ShapeError : if a side is shorter than the window.
    """
    channels, height, width = real.shape
    _check_size(height, width)
    rows, columns = min(_TILE[0], height - _MARGIN), min(_TILE[1], width - _MARGIN)
    maps = np.empty((4, channels, rows + _MARGIN, columns + _MARGIN))
    down = np.empty((4, channels, rows, columns + _MARGIN))
    both = np.empty((4, channels, rows, columns))

    total = 0.0
    for top, left in product(range(0, height - _MARGIN, rows), range(0, width - _MARGIN, columns)):
        h, w = min(rows, height - _MARGIN - top), min(columns, width - _MARGIN - left)
        tile = (slice(None), slice(top, top + h + _MARGIN), slice(left, left + w + _MARGIN))
        buffers = maps[..., : h + _MARGIN, : w + _MARGIN], down[..., :h, : w + _MARGIN], both[..., :h, :w]
        total += _tile_sum(real[tile], fake[tile], *buffers, peak=peak)
    return float(total / (channels * (height - _MARGIN) * (width - _MARGIN)))


def _tile_sum(
    real: np.ndarray, fake: np.ndarray, maps: np.ndarray, down: np.ndarray, both: np.ndarray, *, peak: float
) -> float:
    """Sum the SSIM over a tile, working in place in the three buffers."""
    c1, c2 = _constants(peak)
    r, f, power, cross = maps
    r[:], f[:] = real, fake
    np.multiply(r, r, out=power)
    np.multiply(f, f, out=cross)
    power += cross
    np.multiply(r, f, out=cross)

    np.matmul(_band(down.shape[-2]), maps, out=down)
    for start in range(0, both.shape[-1], _BLOCK):
        part = down[..., start : start + _BLOCK + _MARGIN]
        np.matmul(part, _band(part.shape[-1] - _MARGIN).T, out=both[..., start : start + _BLOCK])

    mean_r, mean_f, power, cross = both
    means = mean_r * mean_f
    mean_r *= mean_r
    mean_f *= mean_f
    squares = mean_r
    squares += mean_f
    cross -= means
    cross *= 2
    cross += c2
    power -= squares
    power += c2
    means *= 2
    means += c1
    squares += c1
    cross *= means
    power *= squares
    cross /= power
    return float(cross.sum())


def _check_size(height: int, width: int) -> None:
    if min(height, width) < WINDOW:
        raise ShapeError(f"SSIM needs images of at least {WINDOW}x{WINDOW} pixels, got {height}x{width}")


def _constants(peak: float) -> tuple[float, float]:
    return (K1 * peak) ** 2, (K2 * peak) ** 2


@functools.cache
def _band(positions: int) -> np.ndarray:
    """Return the matrix, shape (positions, positions + 10), whose rows are the window's weights, one step apart."""
    weights = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    band = np.zeros((positions, positions + _MARGIN))
    for position in range(positions):
        band[position, position : position + WINDOW] = weights / weights.sum()
    return band
