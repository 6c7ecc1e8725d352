"""Pairs to diagnose, and the slow way to everything that is said of them."""

import math

import numpy as np
import torch

from ffltool.radial import bands

BANDS = {band.name: (band.low, band.high) for band in bands(4)}


def random_pairs(rng, *sizes, colour=True):
    """Random images and noisy copies of them with less contrast."""
    pairs = []
    for size in sizes:
        real = rng.integers(0, 256, (*size, 3) if colour else size)
        fake = (0.8 * (real - 127.5) + 127.5 + rng.normal(0, 20, real.shape)).round().clip(0, 255)
        pairs.append((real.astype(np.uint8), fake.astype(np.uint8)))
    return pairs


def tensors(pairs):
    """Yield real and fake images, shape (C, H, W), float64 in 0..1; 16-bit ones on their own scale."""
    for pair in pairs:
        scaled = [torch.as_tensor(pixels / (65535 if pixels.dtype == np.uint16 else 255)) for pixels in pair]
        planes = [pixels.movedim(-1, 0) if pixels.ndim == 3 else pixels[None] for pixels in scaled]
        yield torch.broadcast_tensors(*planes)


def gradient(loss, real, fake):
    fake = fake.clone().requires_grad_()
    return torch.autograd.grad(loss(fake, real), fake)[0]


def norm_over_pairs(loss, pairs):
    """How long the gradient is in all fake images together."""
    return math.sqrt(sum(gradient(loss, real, fake).square().sum().item() for real, fake in tensors(pairs)))


def slow_parts(real, fake, *, alpha, exclude_dc=False):
    """Yield per channel and frequency: radius, weight (Eq. 9), squared distance; over the full spectrum."""
    for plane, other in zip(real.numpy(), fake.numpy(), strict=True):
        distance = np.abs(np.fft.fft2(other, norm="ortho") - np.fft.fft2(plane, norm="ortho"))
        weight = distance**alpha
        if exclude_dc:
            weight[0, 0] = 0
        radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, distance.shape), indexing="ij"))
        yield radius, weight / weight.max(), distance**2


def slow_shares(pairs, alpha):
    """Share of each band in the loss of all pairs."""
    sums = dict.fromkeys(BANDS, 0.0)
    for real, fake in tensors(pairs):
        for radius, weight, squared in slow_parts(real, fake, alpha=alpha):
            for name, (low, high) in BANDS.items():
                within = radius == 0 if name == "dc" else (radius >= low) & (radius < high) & (radius > 0)
                if name == "corner":
                    within = radius >= low
                sums[name] += (weight * squared)[within].sum() / real.numel()
    return {name: part / sum(sums.values()) for name, part in sums.items()}


def slow_cut(pairs, alpha):
    """How many times larger what is not of the zero frequency becomes when that is excluded from the weight."""
    rest = {}
    for exclude in (False, True):
        parts = [
            (weight * squared)[radius > 0].sum() / real.numel()
            for real, fake in tensors(pairs)
            for radius, weight, squared in slow_parts(real, fake, alpha=alpha, exclude_dc=exclude)
        ]
        rest[exclude] = sum(parts)
    return rest[True] / rest[False]


def mean_over_pairs(loss, pairs):
    return sum(loss(fake, real).item() for real, fake in tensors(pairs)) / len(pairs)


PAIRS = {
    "colour": random_pairs(np.random.default_rng(1), (12, 16)),
    "grey": random_pairs(np.random.default_rng(2), (7, 9), colour=False),
    "set": random_pairs(np.random.default_rng(3), (12, 16), (12, 16), (12, 16)),
    "sizes": random_pairs(np.random.default_rng(4), (12, 16), (7, 9), (1, 5), (20, 6)),
}
