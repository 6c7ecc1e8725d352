"""Variational autoencoder (Kingma and Welling, 2014) of convolutions (appendix B.1).

    encoder  4x4 convolutions of stride 2, each with batch norm and leaky ReLU 0.2, down to 4x4 places;
             channels 64, 128, 256, 512, 512, ...; then a linear layer to mean and logarithm of the variance
    latent   z = mean + deviation * noise, 256 numbers
    decoder  the same backwards, with transposed convolutions; tanh at the end

    KL(N(mean, deviation^2) | N(0, 1)) = sum over z of (mean^2 + deviation^2 - 1 - ln deviation^2) / 2        in nat

Without noise z is the mean, so that a rebuilt image is always the same.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ffltool.models import Generative, Rebuilt

LATENT = 256
_FIRST, _MOST = 64, 512  # channels
_PLACES = 4  # along each side, where convolutions end
_SLOPE = 0.2


class VAE(Generative):
    """The variational autoencoder for images (N, 3, `size`, `size`), `size` a power of two from 8 on."""

    latent = LATENT

    def __init__(self, size: int) -> None:
        super().__init__()
        halvings = (size // _PLACES).bit_length() - 1
        channels = [3, *(min(_FIRST << level, _MOST) for level in range(halvings))]
        self.places = channels[-1], _PLACES, _PLACES
        inner = channels[-1] * _PLACES * _PLACES

        down = (_halving(*both) for both in pairwise(channels))
        self.encoder = nn.Sequential(*down, nn.Flatten())
        self.moments = nn.Linear(inner, 2 * LATENT)

        channels.reverse()
        up = [_doubling(*both) for both in pairwise(channels[:-1])]
        self.widen = nn.Linear(LATENT, inner)
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(channels[-2], 3, 4, 2, 1), nn.Tanh())

    def forward(self, images: Tensor, noise: torch.Generator | None = None) -> Rebuilt:
        """Rebuild images, (N, 3, S, S) in -1..1; without noise from the mean of what the encoder makes of them."""
        mean, log_variance = self.moments(self.encoder(images)).float().chunk(2, dim=1)
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1) / 2
        latent = mean
        if noise is not None:
            drawn = torch.randn(mean.shape, generator=noise, device=mean.device)
            latent = mean + (log_variance / 2).exp() * drawn
        return Rebuilt(self.generate(latent), divergence)

    def generate(self, latent: Tensor) -> Tensor:
        """Return images in -1..1 of latent numbers, shape (N, 256), of which standard normal ones are likely."""
        images: Tensor = self.decoder(self.widen(latent).unflatten(1, self.places))
        return images


def _halving(channels: int, wider: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, wider, 4, 2, 1), nn.BatchNorm2d(wider), nn.LeakyReLU(_SLOPE))


def _doubling(channels: int, narrower: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(channels, narrower, 4, 2, 1), nn.BatchNorm2d(narrower), nn.LeakyReLU(_SLOPE)
    )
