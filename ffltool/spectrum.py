"""Spectra of images: DFT and DCT, centring, windows, log amplitude, decibels.

    F(u, v) = sum over pixels of f(x, y) exp(-2 pi i (u x / W + v y / H))        (Eq. 1)

unnormalised, as `torch.fft`; *orthonormal* means divided by sqrt(H W), so that energy stays the same (Parseval).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from ffltool.errors import InputError

_KAISER_BETA = 8.0

# name -> a window of that many samples
WINDOWS: dict[str, Callable[[int], Tensor]] = {
    "none": lambda size: torch.ones(size, dtype=torch.float64),
    "hann": lambda size: torch.hann_window(size, dtype=torch.float64),
    "kaiser": lambda size: torch.kaiser_window(size, periodic=False, beta=_KAISER_BETA, dtype=torch.float64),
}


def spectrum(image: Tensor, *, orthonormal: bool = False) -> Tensor:
    """Return the DFT of real images, shape (..., H, W), complex, zero frequency at [0, 0]."""
    values: Tensor = torch.fft.fft2(image, norm="ortho" if orthonormal else None)
    return values


def centred(values: Tensor) -> Tensor:
    """Return a map over frequencies, shape (..., H, W), with zero frequency at [H // 2, W // 2]."""
    shifted: Tensor = torch.fft.fftshift(values, dim=(-2, -1))
    return shifted


def whole(half: Tensor, *, width: int) -> Tensor:
    """Return the map over all frequencies, shape (..., H, W), of one that a real transform has, (..., H, W // 2 + 1).

    For maps that are the same at a frequency and its opposite, as amplitude and power of real images are.
    """
    mirrored = half[..., 1 : (width + 1) // 2].flip((-2, -1)).roll(1, dims=-2)
    return torch.cat([half, mirrored], dim=-1)


def power_of(spectrum: Tensor) -> Tensor:
    """Return |F|^2 of a complex spectrum, of any shape, without the roots of `abs`.

    >>> power_of(torch.tensor([3 + 4j, 1j]))
    tensor([25.,  1.])
    """
    parts = torch.view_as_real(spectrum).square()
    return parts[..., 0] + parts[..., 1]


def window(height: int, width: int, *, kind: str = "hann") -> Tensor:
    """Return what images are multiplied by lest their borders leak into all frequencies, shape (H, W), float64.

    "none", "hann" (periodic) or "kaiser" (beta 8), along both axes; the mean square is 1, so that noise keeps its
    power.

    Raises
    ------
    InputError : for another kind.

    Examples
    --------
    >>> window(1, 4)
    tensor([[0.0000, 0.8165, 1.6330, 0.8165]], dtype=torch.float64)
    """
    if kind not in WINDOWS:
        raise InputError(f"there is no window {kind!r}; known are {', '.join(WINDOWS)}")
    rows, columns = (WINDOWS[kind](size) for size in (height, width))
    return torch.outer(rows / rows.square().mean().sqrt(), columns / columns.square().mean().sqrt())


def decibels(power: Tensor) -> Tensor:
    """Return 10 log10 of power, or of a ratio of powers, of any shape; minus infinity where there is none.

    >>> decibels(torch.tensor([1.0, 100.0, 0.0]))
    tensor([ 0., 20., -inf])
    """
    return 10 * power.log10()


def log_amplitude(image: Tensor) -> Tensor:
    """Return ln(1 + |F|) of images, shape (..., H, W), centred: the map that papers show.

    >>> log_amplitude(torch.ones(2, 2)).exp()
    tensor([[1., 1.],
            [1., 5.]])
    """
    return centred(spectrum(image).abs().log1p())


def dct(values: Tensor, *, axes: int = 2) -> Tensor:
    """Return the orthonormal DCT-II over the last `axes` axes, same shape; differentiable, as matrix products.

    >>> torch.allclose(dct(torch.ones(2, 2)), torch.tensor([[2.0, 0.0], [0.0, 0.0]]), atol=1e-6)
    True
    """
    kind = values.device.type
    # torch 2.4 cannot compile the question
    known = torch.compiler.is_compiling() or torch.amp.is_autocast_available(kind)
    with torch.autocast(kind, enabled=False) if known else nullcontext():  # it would take half precision
        for axis in range(-axes, 0):
            basis = _cosines(values.shape[axis], values)
            values = torch.tensordot(values, basis, dims=([axis], [1])).movedim(-1, axis)
    return values


def _cosines(size: int, like: Tensor) -> Tensor:
    """Return the matrix of the orthonormal DCT-II: row k is the cosine of k half periods."""
    steps = torch.arange(size, device=like.device)
    quarters = steps[:, None] * (2 * steps + 1) % (4 * size)  # angles in units of pi / 2 / size, in one turn
    basis = (quarters.to(like.dtype) * (math.pi / 2 / size)).cos() * math.sqrt(2 / size)
    basis[0] = math.sqrt(1 / size)
    return basis


def swapped(amplitude_of: Tensor, phase_of: Tensor) -> Tensor:
    """Return images, shape (..., H, W), with the amplitude of one and the phase of the other."""
    return _image_of(spectrum(amplitude_of).abs(), spectrum(phase_of).angle())


def _image_of(amplitude: Tensor, phase: Tensor) -> Tensor:
    image: Tensor = torch.fft.ifft2(torch.polar(amplitude, phase)).real
    return image


def phase_only(image: Tensor) -> Tensor:
    """Return images, shape (..., H, W), with the phase of these and one amplitude for all frequencies.

    That is the root mean square of their amplitudes without the zero frequency, which stays as it is: mean and
    deviation are those of the images.
    """
    values = spectrum(image)
    power = power_of(values)
    zero = power[..., 0, 0].sqrt()
    power[..., 0, 0] = 0
    flat = (power.sum((-2, -1), keepdim=True) / max(image.shape[-2] * image.shape[-1] - 1, 1)).sqrt()
    amplitude = flat.repeat(*[1] * (power.ndim - 2), *power.shape[-2:])
    amplitude[..., 0, 0] = zero
    return _image_of(amplitude, values.angle())


def amplitude_only(image: Tensor) -> Tensor:
    """Return images, shape (..., H, W), with the amplitude of these and no phase, their bright origin in the middle."""
    return centred(torch.fft.ifft2(spectrum(image).abs()).real)
