"""What a denoiser takes away from an image: the residual, in which faint periodic artefacts stand out.

    residual = image - denoised(image)

Photographs have most of their power at low frequencies, which leak everywhere and drown what a generator adds.
Beyond its borders an image goes on with its outermost pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from ffltool.errors import InputError

_SIGMA = 1.0  # pixels
_REACH = 4  # sigmas at which the Gaussian is cut, as scipy does


def residual(images: Tensor, *, kind: str = "median3") -> Tensor:
    """Return images minus a denoised version of them.

    Parameters
    ----------
    images : floating-point tensor, shape (..., H, W).
    kind : "median3" or "median5", the median of 3x3 or 5x5 pixels; "gauss", a Gaussian of sigma 1 pixel; or "none",
        which returns the images as they are.

    Raises
    ------
    InputError : for another kind.

    Examples
    --------
    >>> residual(torch.tensor([[0.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 0.0]]))[1]
    tensor([0., 9., 0.])
    """
    if kind not in RESIDUALS:
        raise InputError(f"there is no residual {kind!r}; known are {', '.join(RESIDUALS)}")
    denoised = RESIDUALS[kind]
    return images if denoised is None else images - denoised(images)


def median(images: Tensor, *, size: int) -> Tensor:
    """Return the median of size x size pixels about each pixel of images, shape (..., H, W); `size` is odd."""
    if images.ndim > 2 and images.device.type == "cpu":
        return torch.stack([median(image, size=size) for image in images])  # one at a time they stay in the cache
    height, width = images.shape[-2:]
    framed = _framed(images, size // 2, size // 2)
    values = [framed[..., row : row + height, column : column + width] for row in range(size) for column in range(size)]
    for low, high in _median_network(size * size):
        values[low], values[high] = torch.minimum(values[low], values[high]), torch.maximum(values[low], values[high])
    return values[size * size // 2]


@lru_cache
def _median_network(count: int) -> tuple[tuple[int, int], ...]:
    """Return the comparisons that bring the median of `count` values to the middle.

    Batcher's merge exchange sorts (Knuth, The Art of Computer Programming 3, algorithm 5.2.2M); what does not bear on
    the middle is left out. Whole images are compared at a time, several times faster than sorting at each pixel.
    """
    needed, kept = {count // 2}, []
    for low, high in reversed(list(_merge_exchange(count))):
        if low in needed or high in needed:
            needed |= {low, high}
            kept.append((low, high))
    return tuple(reversed(kept))


def _merge_exchange(count: int) -> list[tuple[int, int]]:
    """Return the comparisons, in order, that sort `count` values."""
    top = 1 << max(0, (count - 1).bit_length() - 1)
    comparisons, step = [], top
    while step:
        distance, offset, level = step, 0, top
        while True:
            comparisons += [(low, low + distance) for low in range(count - distance) if low & step == offset]
            if level == step:
                break
            distance, offset, level = level - step, step, level // 2
        step //= 2
    return comparisons


def gauss(images: Tensor, *, sigma: float = _SIGMA) -> Tensor:
    """Return images, shape (..., H, W), blurred by a Gaussian of `sigma` pixels."""
    reach = round(_REACH * sigma)
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-steps.square() / (2 * sigma**2))
    shares = (weights / weights.sum()).tolist()
    for axis, frame in ((-2, (reach, 0)), (-1, (0, reach))):
        size, framed = images.shape[axis], _framed(images, *frame)
        images = sum(share * framed.narrow(axis, start, size) for start, share in enumerate(shares))
    return images


def _framed(images: Tensor, rows: int, columns: int) -> Tensor:
    """Return images with so many rows above and below and columns left and right, which repeat the outermost ones."""
    height, width = images.shape[-2:]
    planes = pad(images.reshape(-1, 1, height, width), (columns, columns, rows, rows), mode="replicate")
    return planes.reshape(*images.shape[:-2], height + 2 * rows, width + 2 * columns)


# name -> the denoiser whose result is taken off
RESIDUALS: dict[str, Callable[[Tensor], Tensor] | None] = {
    "none": None,
    "median3": lambda images: median(images, size=3),
    "median5": lambda images: median(images, size=5),
    "gauss": gauss,
}
