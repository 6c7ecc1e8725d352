"""Spectra of images: DFT and DCT, centring, log amplitude.

    F(u, v) = sum over pixels of f(x, y) exp(-2 pi i (u x / W + v y / H))        (Eq. 1)

unnormalised, as `torch.fft`; *orthonormal* means divided by sqrt(H W), so that energy stays the same (Parseval).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def spectrum(image: Tensor, *, orthonormal: bool = False) -> Tensor:
    """Return the DFT of real images, shape (..., H, W), complex, zero frequency at [0, 0]."""
    return torch.fft.fft2(image, norm="ortho" if orthonormal else None)


def centred(values: Tensor) -> Tensor:
    """Return a map over frequencies, shape (..., H, W), with zero frequency at [H // 2, W // 2]."""
    return torch.fft.fftshift(values, dim=(-2, -1))


def log_amplitude(image: Tensor) -> Tensor:
    """Return ln(1 + |F|) of images, shape (..., H, W), centred: the map that papers show.

    >>> log_amplitude(torch.ones(2, 2)).exp()
    tensor([[1., 1.],
            [1., 5.]])
    """
    return centred(spectrum(image).abs().log1p())


def dct(values: Tensor, *, axes: int = 2) -> Tensor:
    """Return the orthonormal DCT-II over the last `axes` axes; differentiable, as matrix products.

    >>> torch.allclose(dct(torch.ones(2, 2)), torch.tensor([[2.0, 0.0], [0.0, 0.0]]), atol=1e-6)
    True
    """
    with torch.autocast(values.device.type, enabled=False):
        for axis in range(-axes, 0):
            basis = _cosines(values.shape[axis]).to(values)
            values = torch.tensordot(values, basis, dims=([axis], [1])).movedim(-1, axis)
    return values


def _cosines(size: int) -> Tensor:
    """Return the matrix of the orthonormal DCT-II: row k is the cosine of k half periods."""
    k = torch.arange(size, dtype=torch.float64)[:, None]
    basis = torch.cos(math.pi / size * k * (torch.arange(size, dtype=torch.float64) + 0.5))
    return basis * torch.where(k > 0, 2 / size, 1 / size).sqrt()
