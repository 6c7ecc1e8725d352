"""The Inception network of 2015 that FID, KID and the Inception score look through, and how images are laid before it.

Its checkpoint was made from the graph that the authors of FID took (TensorFlow, 2015-12-05), which differs from the
Inception-v3 of other packages: average pools leave the border out of their count, and the last block pools by maximum.

Each convolution has its batch normalisation folded in: W' = W g / sqrt(variance + 1e-3) and b' = b - mean g /
sqrt(variance + 1e-3). A convolution of one pixel and an average change places, for fewer channels are then averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, max_pool2d

from ffltool import networks, weights
from ffltool.errors import InputError, ShapeError

SIDE = 299  # of the images that the network looks at
# name of a layer -> its width; the number of channels before it is averaged over positions, or of classes
LAYERS = {"64": 64, "192": 192, "768": 768, "2048": 2048, "logits_unbiased": 1008, "logits": 1008}
_EPSILON = 1e-3  # of the batch normalisations
# the convolutions that lose the border, and their strides; all others keep the size
_STRIDES = {
    "Conv2d_1a_3x3": 2,
    "Conv2d_2a_3x3": 1,
    "Conv2d_4a_3x3": 1,
    "Mixed_6a.branch3x3": 2,
    "Mixed_6a.branch3x3dbl_3": 2,
    "Mixed_7a.branch3x3_2": 2,
    "Mixed_7a.branch7x7x3_4": 2,
}
# behind which part of the network a layer of features is
_BEHIND = {"2b_3x3": "64", "4a_3x3": "192", "6e": "768", "7c": "2048"}


def load(*, own: Path | None = None, download: bool = False) -> Inception:
    """Return the network; `own` and `download` are those of `weights.load`."""
    return Inception(weights.load("inception", own=own, download=download).tensors)


def prepared(images: Tensor, *, preset: str = "pytorch-fid") -> Tensor:
    """Return what the network is shown of images.

    Parameters
    ----------
    images : tensor, shape (N, 1 or 3, H, W), values in 0..255.
    preset : "pytorch-fid", bilinear without antialias, 2x - 1 of 0..1; "torch-fidelity", bilinear as TensorFlow 1 did
        it, (x - 128) / 128; or "clean", bicubic with antialias as Pillow does it, then the same.

    Returns
    -------
    tensor, shape (N, 3, 299, 299), float32, in [-1, 1]; of grey images all three channels are the same.

    Raises
    ------
    InputError : for another preset.
    ShapeError : for another shape.
    """
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; known are {', '.join(PRESETS)}")
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ShapeError(f"images must have shape (N, 1 or 3, H, W), got {tuple(images.shape)}")
    return PRESETS[preset](images.float()).expand(-1, 3, -1, -1)


def _bilinear(images: Tensor) -> Tensor:
    return 2 * interpolate(images / 255, (SIDE, SIDE), mode="bilinear") - 1


def _bilinear_of_2015(images: Tensor) -> Tensor:
    """Interpolate from the top left corner on, without half a pixel's offset."""
    for axis in (-2, -1):
        length = images.shape[axis]
        place = torch.arange(SIDE, device=images.device) * (length / SIDE)
        low = place.long()
        share = torch.unflatten(place - low, 0, (SIDE, 1) if axis == -2 else (1, SIDE))
        high = (low + 1).clamp_max(length - 1)
        images = torch.lerp(images.index_select(axis, low), images.index_select(axis, high), share)
    return (images - 128) / 128


def _bicubic(images: Tensor) -> Tensor:
    # in float64, as Pillow weighs
    resized = interpolate(images.double(), (SIDE, SIDE), mode="bicubic", antialias=True)
    return (resized.clamp(0, 255).float() - 128) / 128


PRESETS: dict[str, Callable[[Tensor], Tensor]] = {
    "pytorch-fid": _bilinear,
    "torch-fidelity": _bilinear_of_2015,
    "clean": _bicubic,
}


class Inception(nn.Module):
    """The network, of which nothing is trained.

    Parameters
    ----------
    tensors : its weights by name, as in `networks.SHAPES`; others are left alone.
    """

    classes: Tensor
    bias: Tensor

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        parts: dict[str, nn.Module] = {name: _Unit(tensors, f"Conv2d_{name}") for name in networks.STEM}
        parts |= {name: _Block(tensors, name) for name in networks.BLOCKS}
        self.parts = nn.ModuleDict(parts)
        self.register_buffer("classes", tensors["fc.weight"])
        self.register_buffer("bias", tensors["fc.bias"])

    def forward(self, images: Tensor, *, layers: Sequence[str] = ("2048",)) -> dict[str, Tensor]:
        """Return the features of images in the layers asked for.

        Parameters
        ----------
        images : tensor, shape (N, 3, 299, 299), in [-1, 1], see `prepared`.
        layers : keys of `LAYERS`; the network goes no further than the last of them.

        Returns
        -------
        layer -> tensor, shape (N, width), float32. Features are averaged over positions and >= 0; logits are of 1008
        classes, "logits_unbiased" without the bias, as the Inception score takes them.

        Raises
        ------
        InputError : for a layer that there is not.
        """
        if unknown := [layer for layer in layers if layer not in LAYERS]:
            raise InputError(f"Inception has no layer {unknown[0]!r}; known are {', '.join(LAYERS)}")
        found: dict[str, Tensor] = {}
        wanted = {layer if layer in _BEHIND.values() else "2048" for layer in layers}
        maps = images.to(next(self.parts.buffers()).dtype).contiguous(memory_format=torch.channels_last)
        for name, part in self.parts.items():
            maps = part(maps)
            if name in ("2b_3x3", "4a_3x3"):
                maps = max_pool2d(maps, 3, 2)
            if (layer := _BEHIND.get(name)) in wanted:
                found[layer] = maps.mean((2, 3), dtype=torch.float32)
            if wanted <= found.keys():
                break
        if "2048" in found:
            found["logits_unbiased"] = found["2048"] @ self.classes.T
            found["logits"] = found["logits_unbiased"] + self.bias
        return {layer: found[layer] for layer in layers}

    def halve(self) -> Inception:
        """Convolve in float16 from now on; means and logits stay float32. For devices that are quicker with it."""
        self.parts.half()
        return self


class _Unit(nn.Module):
    """A convolution with its batch normalisation, and a ReLU."""

    __call__: Callable[..., Tensor]
    weight: Tensor
    bias: Tensor

    def __init__(self, tensors: dict[str, Tensor], name: str) -> None:
        super().__init__()
        kernels, *rest = (
            tensors[f"{name}.{part}"].double()
            for part in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
        )
        gain, bias, mean, variance = rest
        factor = gain / (variance + _EPSILON).sqrt()
        folded = (kernels * factor[:, None, None, None]).float()
        self.register_buffer("weight", folded.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", (bias - mean * factor).float())
        self.stride = _STRIDES.get(name, 1)
        self.padding = (0, 0) if name in _STRIDES else tuple(side // 2 for side in kernels.shape[2:])

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps, shape (N, channels, H, W), behind the ReLU."""
        return self.linear(maps).relu_()

    def linear(self, maps: Tensor) -> Tensor:
        """Return what goes into the ReLU."""
        return conv2d(maps, self.weight, self.bias, self.stride, self.padding)


class _Block(nn.Module):
    """Branches side by side, and one that pools, put together."""

    def __init__(self, tensors: dict[str, Tensor], name: str) -> None:
        super().__init__()
        self.by_maximum = name == "7c"
        # plain lists, which keep the type of what is in them; torch finds the units in `units`
        self.branches = {
            branch: [
                [_Unit(tensors, each) for each in names] for names in networks.in_a_row(f"Mixed_{name}.{branch}", row)
            ]
            for branch, row in networks.BLOCKS[name][1].items()
        }
        self.units = nn.ModuleList(unit for steps in self.branches.values() for step in steps for unit in step)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps of all branches, shape (N, channels, H, W), one behind the other."""
        outputs = []
        for branch, steps in self.branches.items():
            if branch == "branch_pool":
                outputs.append(self._pooled(maps, steps[0][0]))
                continue
            inside = [maps]
            for step in steps:
                inside = [unit(inside[0]) for unit in step]
            outputs += inside
        if "branch_pool" not in self.branches:
            outputs.append(max_pool2d(maps, 3, 2))
        return torch.cat(outputs, dim=1)

    def _pooled(self, maps: Tensor, unit: _Unit) -> Tensor:
        if self.by_maximum:
            return unit(max_pool2d(maps, 3, 1, 1))
        return avg_pool2d(unit.linear(maps), 3, 1, 1, count_include_pad=False).relu_()
