"""The loss by its definition, one plane after the other."""

import math
from itertools import product

import scipy.fft
import torch


def slow_distance(pred, target, *, transform="dft", component="complex"):
    """How far each coefficient of one plane (or volume) is from that of another."""
    if transform == "dct":
        return torch.as_tensor(scipy.fft.dctn((pred - target).detach().numpy(), norm="ortho")).abs()
    if transform == "none":
        return (pred - target).abs()
    one, other = (torch.fft.fftn(plane, norm="ortho") for plane in (pred, target))
    if component == "amplitude":
        return (one.abs() - other.abs()).abs()
    if component == "phase":
        return (one.angle() - other.angle() + math.pi) % (2 * math.pi) - math.pi  # wrapped into -pi .. pi
    return (one - other).abs()


def slow_weight(distance, *, alpha=1.0, exclude_dc=False):
    """Eq. 9."""
    weight = distance.detach().abs() ** alpha
    if exclude_dc:
        weight.flatten()[0] = 0
    return weight / weight.max()


def slow_loss(pred, target, *, alpha=1.0, exclude_dc=False, **kind):
    """Eq. 10 for each image, one channel after the other."""
    means = []
    for image, wanted in zip(pred, target, strict=True):
        distances = [slow_distance(plane, other, **kind) for plane, other in zip(image, wanted, strict=True)]
        weights = [slow_weight(distance, alpha=alpha, exclude_dc=exclude_dc) for distance in distances]
        means.append(torch.stack([(w * d**2).mean() for w, d in zip(weights, distances, strict=True)]).mean())
    return torch.stack(means)


def slow_patches(batch, factor):
    """The parts of images or volumes, row by row, cut out one at a time."""
    sizes = batch.shape[2:]
    steps = [range(0, size, size // factor) for size in sizes]
    parts = [size // factor for size in sizes]
    return [
        batch[(..., *(slice(start, start + part) for start, part in zip(corner, parts, strict=True)))]
        for corner in product(*steps)
    ]
