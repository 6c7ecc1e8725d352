"""The networks whose weights ffltool reads: their published files; names and shapes of tensors, in their own order.

Of AlexNet, SqueezeNet 1.1 and VGG-16 only the convolutions count, named as in torchvision's `features`; the Inception
network is that of `pt_inception-2015-12-05`, without the counters of its batch normalisations.
"""

from __future__ import annotations

from dataclasses import dataclass

Shapes = dict[str, tuple[int, ...]]
Kernel = tuple[int, int]
Unit = tuple[int, Kernel] | tuple[int, Kernel, Kernel]  # channels out, kernel, and a second one where the row forks
Branches = dict[str, list[Unit]]  # name -> units in a row


@dataclass(frozen=True, kw_only=True)
class File:
    """A published weight file; ``tensors`` is the SHA-256 over the bytes of the tensors that count, where known."""

    url: str
    size: int
    sha256: str
    tensors: str | None = None
    licence: str
    use: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


_TORCHVISION = "BSD-3-Clause (torchvision)"
FILES: dict[str, File] = {
    "alexnet": File(
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        size=244_408_911,
        sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        tensors="2b566cc3a4d6f0a7343701af22f461f1ac3dcd03a3ac28cce10968a1d3c85fdc",
        licence=_TORCHVISION,
        use="LPIPS alex",
    ),
    "squeezenet": File(
        url="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
        size=4_958_839,
        sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
        tensors="31a70309e8549af9ed7a9ac21db00c246844293b72a774f4d1a18e9edfde8605",
        licence=_TORCHVISION,
        use="LPIPS squeeze",
    ),
    "vgg16": File(
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        size=553_433_881,
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        licence=_TORCHVISION,
        use="LPIPS vgg",
    ),
    "inception": File(
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        size=95_628_359,
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        licence="Apache-2.0 (TensorFlow)",
        use="FID, KID, IS",
    ),
}

# backbone of LPIPS -> SHA-256 of the file with its linear heads, v0.1, in the package lpips
HEADS = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}

# place -> channels out, side of the kernel; the channels in are those that the one before puts out
_ALEXNET = {0: (64, 11), 3: (192, 5), 6: (384, 3), 8: (256, 3), 10: (256, 3)}
_VGG16_WIDTHS = {64: (0, 2), 128: (5, 7), 256: (10, 12, 14), 512: (17, 19, 21, 24, 26, 28)}
# place -> channels squeezed to, and out of each of the two expansions
_FIRES = {
    3: (16, 64),
    4: (16, 64),
    6: (32, 128),
    7: (32, 128),
    9: (48, 192),
    10: (48, 192),
    11: (64, 256),
    12: (64, 256),
}
_ONE, _THREE, _FIVE, _WIDE, _HIGH = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)
_FORK = (1, 3), (3, 1)


def _convolution(name: str, outputs: int, inputs: int, side: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}


def _row(convolutions: dict[int, tuple[int, int]]) -> Shapes:
    shapes: Shapes = {}
    inputs = 3
    for place, (outputs, side) in convolutions.items():
        shapes |= _convolution(str(place), outputs, inputs, side)
        inputs = outputs
    return shapes


def _squeezenet() -> Shapes:
    shapes = _convolution("0", 64, 3, 3)
    inputs = 64
    for place, (squeezed, outputs) in _FIRES.items():
        shapes |= _convolution(f"{place}.squeeze", squeezed, inputs, 1)
        shapes |= _convolution(f"{place}.expand1x1", outputs, squeezed, 1)
        shapes |= _convolution(f"{place}.expand3x3", outputs, squeezed, 3)
        inputs = 2 * outputs
    return shapes


def _inception() -> Shapes:
    shapes: Shapes = {}
    inputs = 3
    for name, (outputs, kernel) in STEM.items():
        shapes |= _unit(f"Conv2d_{name}", outputs, inputs, kernel)
        inputs = outputs
    for name, (inputs, branches) in BLOCKS.items():
        for branch, units in branches.items():
            shapes |= _branch(f"Mixed_{name}.{branch}", inputs, units)
    return shapes | {"fc.weight": (1008, 2048), "fc.bias": (1008,)}


def _unit(name: str, outputs: int, inputs: int, kernel: Kernel) -> Shapes:
    """Return a convolution without bias and its batch normalisation."""
    normalisation = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.conv.weight": (outputs, inputs, *kernel)} | {
        f"{name}.bn.{part}": (outputs,) for part in normalisation
    }


def _branch(name: str, inputs: int, units: list[Unit]) -> Shapes:
    shapes: Shapes = {}
    for names, (outputs, *kernels) in zip(in_a_row(name, units), units, strict=True):
        for each, kernel in zip(names, kernels, strict=True):
            shapes |= _unit(each, outputs, inputs, kernel)
        inputs = outputs
    return shapes


def in_a_row(branch: str, units: list[Unit]) -> list[list[str]]:
    """Return the names of a branch's convolutions one after the other; where it forks, both.

    >>> in_a_row("branch3x3", [(384, (1, 1)), (384, (1, 3), (3, 1))])
    [['branch3x3_1'], ['branch3x3_2a', 'branch3x3_2b']]
    """
    places = [f"_{number}" if len(units) > 1 else "" for number in range(1, len(units) + 1)]
    return [
        [f"{branch}{place}{letter}" for letter in ("ab" if len(kernels) > 1 else [""])]
        for place, (_, *kernels) in zip(places, units, strict=True)
    ]


def _squares(pooled: int) -> Branches:
    return {
        "branch1x1": [(64, _ONE)],
        "branch5x5": [(48, _ONE), (64, _FIVE)],
        "branch3x3dbl": [(64, _ONE), (96, _THREE), (96, _THREE)],
        "branch_pool": [(pooled, _ONE)],
    }


def _crosses(inner: int) -> Branches:
    return {
        "branch1x1": [(192, _ONE)],
        "branch7x7": [(inner, _ONE), (inner, _WIDE), (192, _HIGH)],
        "branch7x7dbl": [(inner, _ONE), (inner, _HIGH), (inner, _WIDE), (inner, _HIGH), (192, _WIDE)],
        "branch_pool": [(192, _ONE)],
    }


STEM = {
    "1a_3x3": (32, _THREE),
    "2a_3x3": (32, _THREE),
    "2b_3x3": (64, _THREE),
    "3b_1x1": (80, _ONE),
    "4a_3x3": (192, _THREE),
}
_FORKS: Branches = {
    "branch1x1": [(320, _ONE)],
    "branch3x3": [(384, _ONE), (384, *_FORK)],
    "branch3x3dbl": [(448, _ONE), (384, _THREE), (384, *_FORK)],
    "branch_pool": [(192, _ONE)],
}
# name -> channels in, and the branches whose outputs are put together
BLOCKS: dict[str, tuple[int, Branches]] = {
    "5b": (192, _squares(32)),
    "5c": (256, _squares(64)),
    "5d": (288, _squares(64)),
    "6a": (288, {"branch3x3": [(384, _THREE)], "branch3x3dbl": [(64, _ONE), (96, _THREE), (96, _THREE)]}),
    "6b": (768, _crosses(128)),
    "6c": (768, _crosses(160)),
    "6d": (768, _crosses(160)),
    "6e": (768, _crosses(192)),
    "7a": (
        768,
        {
            "branch3x3": [(192, _ONE), (320, _THREE)],
            "branch7x7x3": [(192, _ONE), (192, _WIDE), (192, _HIGH), (192, _THREE)],
        },
    ),
    "7b": (1280, _FORKS),
    "7c": (2048, _FORKS),
}

# name of the network -> name of each tensor and its shape
SHAPES: dict[str, Shapes] = {
    "alexnet": _row(_ALEXNET),
    "squeezenet": _squeezenet(),
    "vgg16": _row({place: (width, 3) for width, places in _VGG16_WIDTHS.items() for place in places}),
    "inception": _inception(),
}
