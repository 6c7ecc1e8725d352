"""Metrics of pairs and of sets, the images of a folder as a batch, and pairs in two files and in one."""

import numpy as np
import torch

from ffltool.images import read

ALL = ["mse", "psnr", "ssim", "lfd"]
SETS = ["lsd", "sde", "gain"]


def batch(paths):
    return torch.stack([torch.from_numpy(read(path).planes()) for path in sorted(paths)])


def save_both_ways(folder, names, save, rng):
    """Save random pairs side by side in both/, and apart in real/ and fake/."""
    for name in names:
        image = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
        save(folder / "both" / f"{name}.png", pixels=image)
        save(folder / "real" / f"{name}.png", pixels=image[:, :12])
        save(folder / "fake" / f"{name}.png", pixels=image[:, 12:])
