"""An image of more and more frequencies, as slices of a cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D

from ffltool.figures.canvas import TEXT, new_figure

_WIDTH, _GAP, _RISE = 1.2, 0.1, 0.45  # inches of a slice turned aside, to the next one, and from its left to its right
_STRETCH = 1.6  # width of a slice seen from the front over that from the side


def slices_of_cube(images: Sequence[np.ndarray], labels: Sequence[str]) -> Figure:
    """Draw images, shape (H, W) or (H, W, 3) in 0..1, as slices of a cube seen from the side, the first one farthest.

    `labels` say up to which frequency each of them goes, on the axis of depth.
    """
    height, width = images[0].shape[:2]
    tall = _STRETCH * _WIDTH * min(max(height / width, 0.4), 2.5)
    lefts = [number * (_WIDTH + _GAP) for number in range(len(images))]
    figure = new_figure(lefts[-1] + _WIDTH + 0.3, tall + _RISE + 0.7)
    axes = figure.subplots()
    for left, image in zip(lefts, images, strict=True):
        turned = Affine2D.from_values(_WIDTH, _RISE, 0, tall, left, 0) + axes.transData
        face = axes.imshow(image, cmap="gray", vmin=0, vmax=1, extent=(0, 1, 0, 1), interpolation="antialiased")
        face.set_transform(turned)
        axes.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], color="black", linewidth=0.6, transform=turned)
    axes.set(xlim=(-0.05, lefts[-1] + _WIDTH + 0.05), ylim=(-0.05, tall + _RISE + 0.05), aspect="equal", yticks=[])
    axes.set_xticks([left + _WIDTH / 2 for left in lefts], labels, fontsize=TEXT)
    axes.set_xlabel("frequencies up to (cycles per pixel)", fontsize=TEXT)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
