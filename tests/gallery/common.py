"""Images that were rebuilt, without rebuilding any, and pixels of files."""

import numpy as np
import torch
from PIL import Image

from ffltool.reconstruct import DescentStep, Reconstruction

FACTS = {"image": {"path": "x.png"}, "settings": {"steps": 1}}


def random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def rebuilt(*names, shape=(3, 8, 9), frames=0, last=None):
    """Results of two steps, as `rebuild` returns them."""
    results = []
    for seed, name in enumerate(names):
        steps = DescentStep(0, 0.0, 0.2, 7.0, 14.0), last or DescentStep(1, 0.25, 0.1, 10.5, 13.25)
        images = tuple(random(*shape, seed=10 * seed + frame) for frame in range(frames))
        results.append(Reconstruction(name, random(*shape, seed=seed), steps, images))
    return results


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def in_8_bit(image):
    """Return an image (C, H, W) in 0..1 as it is stored: (H, W) or (H, W, 3), in 0..255."""
    levels = np.rint(255 * image.clamp(0, 1).numpy()).astype(np.uint8)
    return levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)
