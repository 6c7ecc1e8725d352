"""Patterns with the pixels after which they repeat themselves, and evidence of images, or made of numbers."""

import numpy as np
import torch

from ffltool.excess import Evidence, Excess

ROWS, COLUMNS = np.arange(128)[:, None], np.arange(128)
# what is added -> the pixels after which it repeats itself, and a peak that it has
PATTERNS = {
    "checkerboard": ((ROWS + COLUMNS) % 2, 2, (0.5, 0.5)),
    "columns": (np.broadcast_to(COLUMNS % 4 == 0, (128, 128)), 4, (0.25, 0.0)),
    "grid 8": ((ROWS % 8 == 0) | (COLUMNS % 8 == 0), 8, (0.375, 0.0)),
    "grid 16": ((ROWS % 16 == 0) | (COLUMNS % 16 == 0), 16, (0.4375, 0.0)),
}


def evidence(images, *, against=None, kind="median3"):
    sums = Excess(*images.shape[1:], images=len(images), against=against, kind=kind)
    sums.update(torch.as_tensor(images)[:, None])
    return sums.compute()


def made(excess_at, *, side=128, images=60, **maps):
    """Return evidence of nothing but an excess at these places along v and u, and at their opposites."""
    nothing = torch.zeros(side, side, dtype=torch.float64)
    excess = nothing + 1
    for (v, u), value in excess_at.items():
        for sign in (1, -1):
            excess[(side // 2 + sign * v) % side, (side // 2 + sign * u) % side] = value
    given = {"excess": excess, "compared": excess, "level": nothing, "share": nothing} | maps
    return Evidence(images=images, blank=0, **given)


def artefacts(peaks):
    return [peak for peak in peaks if peak.kind == "artefact"]
