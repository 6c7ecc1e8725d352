"""Vanilla autoencoder: an MLP of two layers, trained to return its input (appendix B.1 of the paper).

    x (3 S S values in -1..1) -> linear -> 256 -> ReLU -> linear -> tanh -> 3 S S values

256 numbers must tell all of an image, so that the pixel loss alone leaves a blur of principal components.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ffltool.models import Rebuilt

HIDDEN = 256


class VanillaAE(nn.Module):
    """The autoencoder for images (N, 3, `size`, `size`)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        values = 3 * size * size
        self.encoder = nn.Linear(values, HIDDEN)
        self.decoder = nn.Linear(HIDDEN, values)

    def forward(self, images: Tensor, noise: torch.Generator | None = None) -> Rebuilt:
        """Rebuild images, (N, 3, S, S) in -1..1; it needs no noise."""
        code = self.encoder(images.flatten(1)).relu()
        return Rebuilt(self.decoder(code).tanh().view_as(images))
