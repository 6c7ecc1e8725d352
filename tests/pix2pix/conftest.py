"""Pairs to train on."""

import pytest
import torch
from PIL import Image

from ffltool.datasets import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of four images whose right half is the negative of the left one."""
    folder = tmp_path_factory.mktemp("pairs")
    coarse = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    smooth = (255 * torch.nn.functional.interpolate(coarse, size=256, mode="bilinear")).to(torch.uint8)
    for number, image in enumerate(smooth):
        both = torch.cat([image, 255 - image], dim=-1)
        Image.fromarray(both.movedim(0, -1).numpy()).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def pairs(folder):
    return load(folder, size=256, direction="AtoB")
