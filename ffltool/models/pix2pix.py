"""pix2pix (Isola et al., 2017): one side of a pair made of the other (appendix B.1).

    U-Net     the generator: eight 4x4 convolutions of stride 2 down to one place, channels 64, 128, 256, 512, 512, ...,
              and eight transposed ones up again; beside what comes up to a level lies what it put out on the way down
                down  leaky ReLU 0.2 (but for the first), convolution, batch norm (but for the first and the last)
                up    ReLU, transposed convolution, batch norm (but for the last), dropout 0.5 (in the first three)
              tanh at the end
    PatchGAN  the critic, which sees both sides: 4x4 convolutions to 64, 128, 256 channels of stride 2, to 512 and to 1
              of stride 1, leaky ReLU 0.2 between them, batch norm but for the first and the last; each number that it
              puts out is of 70x70 pixels, above 0 where it takes them for real

Dropout is the noise: without it what is made of an image is always the same. Batch norm goes by the batch in training,
and else by each image alone, which is the same for batches of one, as the original has them; it keeps no averages.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm

from ffltool.models import Rebuilt

WIDTH = 64  # channels of the first level
_WIDENINGS = 1, 2, 4, 8, 8, 8, 8, 8  # channels of every level in these
_DROPPED = 3  # levels on the way up
_SLOPE = 0.2


class UNet(nn.Module):
    """The generator for images (N, 3, `size`, `size`), `size` a multiple of 256."""

    def __init__(self, size: int) -> None:
        super().__init__()
        channels = [3, *(WIDTH * widening for widening in _WIDENINGS)]
        levels = list(enumerate(pairwise(channels)))
        last = len(levels) - 1
        self.down = nn.ModuleList(_halving(*both, first=level == 0, normed=0 < level < last) for level, both in levels)
        self.up = nn.ModuleList(
            _doubling(inner if level == last else 2 * inner, outer, normed=level > 0)
            for level, (outer, inner) in reversed(levels)
        )

    def forward(self, images: Tensor, noise: torch.Generator | None = None) -> Rebuilt:
        """Make the other side of images in -1..1; without noise nothing is dropped."""
        made, skips = images, []
        for halving in self.down:
            made = halving(made)
            skips.append(made)
        skips.pop()  # the lowest is what goes up
        for level, doubling in enumerate(self.up):
            made = doubling(made)
            if noise is not None and level < _DROPPED:
                made = made * torch.empty_like(made).bernoulli_(0.5, generator=noise).mul_(2)
            if skips:
                made = torch.cat([made, skips.pop()], dim=1)
        return Rebuilt(made.tanh())


class PatchGAN(nn.Module):
    """The critic of pairs of images (N, 3, S, S)."""

    def __init__(self) -> None:
        super().__init__()
        channels = [WIDTH * widening for widening in _WIDENINGS[:4]]
        layers: list[nn.Module] = [nn.Conv2d(6, channels[0], 4, 2, 1)]
        for (inputs, outputs), stride in zip(pairwise(channels), (2, 2, 1), strict=True):
            layers += [nn.LeakyReLU(_SLOPE), nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False), _Norm(outputs)]
        self.layers = nn.Sequential(*layers, nn.LeakyReLU(_SLOPE), nn.Conv2d(channels[-1], 1, 4, 1, 1))

    def forward(self, given: Tensor, images: Tensor) -> Tensor:
        """Return how real images look beside what they are made of, as logits (N, 1, P, P) of their patches."""
        logits: Tensor = self.layers(torch.cat([given, images], dim=1))
        return logits


class _Norm(nn.BatchNorm2d):
    """Batch norm by the statistics of the batch in training, else of each image."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, track_running_stats=False)

    def forward(self, values: Tensor) -> Tensor:
        if self.training:
            return super().forward(values)
        return instance_norm(values, weight=self.weight, bias=self.bias, eps=self.eps)


def _halving(inputs: int, outputs: int, *, first: bool, normed: bool) -> nn.Sequential:
    before = [] if first else [nn.LeakyReLU(_SLOPE)]
    after = [_Norm(outputs)] if normed else []
    return nn.Sequential(*before, nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), *after)


def _doubling(inputs: int, outputs: int, *, normed: bool) -> nn.Sequential:
    after = [_Norm(outputs)] if normed else []
    return nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=not normed), *after)
