"""Metrics of pairs and of sets, and the images of a folder as a batch."""

import torch

from ffltool.images import read

ALL = ["mse", "psnr", "ssim", "lfd"]
SETS = ["lsd", "sde", "gain"]


def batch(paths):
    return torch.stack([torch.from_numpy(read(path).planes()) for path in sorted(paths)])
