"""Learned perceptual image patch similarity (Zhang, Isola, Efros, Shechtman, Wang; CVPR 2018), version 0.1.

    LPIPS = sum over layers of mean over positions of sum over channels of w (u_real - u_fake)^2        lower is better

with u the features of a layer, at each position divided by their length, and w >= 0 that layer's trained weights. The
features are those behind the ReLUs of a classifier of photographs (AlexNet, VGG-16 or SqueezeNet 1.1).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ffltool import checkpoints, weights
from ffltool.errors import InputError, ShapeError
from ffltool.metrics.mse import floating_pair

_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of red, green and blue in -1..1
_TINY = 1e-10  # added to lengths, as the authors do


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A classifier's convolutions: ``compared`` are the places of the layers whose outputs count.

    ``first`` is stride and padding of the first convolution, ``least`` the shortest side that it can look at.
    """

    network: str
    compared: tuple[int, ...]
    first: tuple[int, int]
    pool: tuple[int, int, bool]  # side, stride, whether a window may reach over the edge
    least: int


BACKBONES = {
    "alex": Backbone(network="alexnet", compared=(1, 4, 7, 9, 11), first=(4, 2), pool=(3, 2, False), least=31),
    "vgg": Backbone(network="vgg16", compared=(3, 8, 15, 22, 29), first=(1, 1), pool=(2, 2, False), least=16),
    "squeeze": Backbone(
        network="squeezenet", compared=(1, 4, 7, 9, 10, 11, 12), first=(2, 0), pool=(3, 2, True), least=17
    ),
}


def lpips(real: Tensor, fake: Tensor, *, backbone: str = "alex") -> Tensor:
    """Return the LPIPS of each image, with the weights that are on this machine.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), C 1 or 3, values in 0..255; computed in float32.
    backbone : "alex", "vgg" or "squeeze", for images of at least 31, 16 or 17 pixels a side.

    Returns
    -------
    tensor, shape (N,), float32; 0 where the images are equal. It can be differentiated.

    Raises
    ------
    ShapeError : if the shapes differ, are not (N, 1 or 3, H, W), or a side is too short for the backbone.
    WeightsError : if there are no weights on this machine.
    """
    return _kept(backbone).to(real.device)(real, fake)


@functools.cache
def _kept(backbone: str) -> Lpips:
    return load(backbone)


def load(backbone: str = "alex", *, own: Path | None = None, download: bool = False) -> Lpips:
    """Return the network of that name; `own` and `download` are those of `weights.load`.

    Raises
    ------
    InputError : for a backbone that there is not.
    WeightsError : for weights that are missing or damaged.
    """
    if backbone not in BACKBONES:
        raise InputError(f"there is no backbone {backbone!r} of LPIPS; known are {', '.join(BACKBONES)}")
    found = weights.load(BACKBONES[backbone].network, own=own, download=download)
    return Lpips(backbone, found.tensors)


class Lpips(nn.Module):
    """LPIPS with one backbone, of which nothing is trained.

    Parameters
    ----------
    backbone : a key of `BACKBONES`.
    tensors : the weights of its convolutions by name, as in `networks.SHAPES`.
    """

    __call__: Callable[..., Tensor]
    factor: Tensor
    offset: Tensor

    def __init__(self, backbone: str, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self.backbone = backbone
        settings = BACKBONES[backbone]
        self.features = _sequence(settings, tensors).to(memory_format=torch.channels_last)
        for number, head in enumerate(checkpoints.heads(backbone)):
            self.register_buffer(f"head{number}", head)
        scale, shift = (torch.tensor(each)[:, None, None] for each in (_SCALE, _SHIFT))
        self.register_buffer("factor", 1 / (127.5 * scale))
        self.register_buffer("offset", (-1 - shift) / scale)

    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the LPIPS of each image, shape (N,), of batches as `lpips` takes them."""
        return self.layers(real, fake).sum(1)

    def layers(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what each layer adds to the LPIPS of each image, shape (N, layers)."""
        real, fake = floating_pair(real, fake)
        self.check(*real.shape[1:])
        images = torch.cat([real, fake]).to(self.factor.dtype)
        maps = torch.addcmul(self.offset, images, self.factor).contiguous(memory_format=torch.channels_last)
        maps = maps.to(next(self.features.parameters()).dtype)
        values: list[Tensor] = []
        for place, layer in enumerate(self.features):
            maps = layer(maps)
            if place in BACKBONES[self.backbone].compared:
                values.append(_distance(maps, getattr(self, f"head{len(values)}")))
        return torch.stack(values, dim=1)

    def halve(self) -> Lpips:
        """Convolve in float16 from now on; distances stay float32. For devices that are quicker with it."""
        self.features.half()
        return self

    def check(self, channels: int, height: int, width: int) -> None:
        """Raise a ShapeError for images that the backbone cannot look at."""
        least = BACKBONES[self.backbone].least
        if channels not in (1, 3):
            raise ShapeError(f"LPIPS needs images of 1 or 3 channels, got {channels}")
        if min(height, width) < least:
            wanted = f"images of at least {least}x{least} pixels"
            raise ShapeError(f"LPIPS {self.backbone} needs {wanted}, got {height}x{width}")


def _distance(maps: Tensor, head: Tensor) -> Tensor:
    """Return the distance of the two halves of a batch in one layer, shape (N,)."""
    maps = maps.to(head.dtype)
    inverse = 1 / (torch.linalg.vector_norm(maps, dim=1, keepdim=True) + _TINY)
    (real, fake), (inverse_r, inverse_f) = maps.chunk(2), inverse.chunk(2)
    differences = (real * inverse_r).sub_(fake * inverse_f)  # both rounded: equal images are 0
    return nn.functional.conv2d(differences.square_(), head).mean((1, 2, 3))


class _Fire(nn.Module):
    """Squeeze to few channels, then expand by two convolutions side by side."""

    def __init__(self, tensors: dict[str, Tensor], name: str) -> None:
        super().__init__()
        parts = (f"{name}.{part}" for part in ("squeeze", "expand1x1", "expand3x3"))
        self.squeeze, self.small, self.large = (_convolution(tensors, part) for part in parts)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps, shape (N, channels, H, W), of as many channels as both expansions have."""
        squeezed = self.squeeze(maps).relu_()
        return torch.cat([self.small(squeezed), self.large(squeezed)], dim=1).relu_()


def _sequence(backbone: Backbone, tensors: dict[str, Tensor]) -> nn.Sequential:
    """Return the layers up to the last that counts: a ReLU behind each convolution, and pools at all other places."""
    layers: list[nn.Module] = []
    for place in range(max(backbone.compared) + 1):
        if f"{place}.squeeze.weight" in tensors:
            layers.append(_Fire(tensors, str(place)))
        elif f"{place}.weight" in tensors:
            stride, padding = backbone.first if place == 0 else (1, None)
            layers.append(_convolution(tensors, str(place), stride=stride, padding=padding))
        elif layers and isinstance(layers[-1], nn.Conv2d):
            layers.append(nn.ReLU(inplace=True))
        else:
            side, stride, over_the_edge = backbone.pool
            layers.append(nn.MaxPool2d(side, stride, ceil_mode=over_the_edge))
    return nn.Sequential(*layers)


def _convolution(tensors: dict[str, Tensor], name: str, *, stride: int = 1, padding: int | None = None) -> nn.Conv2d:
    """Return a convolution with its weights; unless it says otherwise the padding keeps the size."""
    weight, bias = (tensors[f"{name}.{part}"] for part in ("weight", "bias"))
    outputs, inputs, side, _ = weight.shape
    with torch.device("meta"):  # the weights are not drawn at random first
        layer = nn.Conv2d(inputs, outputs, side, stride, side // 2 if padding is None else padding)
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer.requires_grad_(False)
