"""Filters of all kinds, sizes to try them on, and the definition."""

import pytest
import torch

from ffltool.bandlimit import FILTERS, SHAPES, Filter

SIZES = [(16, 16), (7, 9), (12, 5), (1, 20), (20, 1), (1, 1)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)
ALL = [
    Filter("point-stop"),
    *(Filter(name, (0.1, 0.3)[:count], shape) for name, count in FILTERS.items() if count for shape in SHAPES),
]
each_filter = pytest.mark.parametrize("chosen", ALL, ids=lambda chosen: f"{chosen.name} {chosen.shape}")


def random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
