"""The table of models: name -> what it is, which sizes it takes, and the module that it lives in.

A model is a module whose call takes images (N, 3, S, S) in -1..1 and a generator of noise, or None for none, and
returns a `Rebuilt`. All of them begin with the weights of the DCGAN: normal with deviation 0.02, biases 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ffltool.errors import InputError

_DEVIATION = 0.02


class Rebuilt(NamedTuple):
    """What a model makes of a batch: images (N, 3, S, S) in -1..1, and the KL divergence of each, in nat, or None."""

    images: Tensor
    divergence: Tensor | None = None


@dataclass(frozen=True)
class Model:
    """A row of the table; ``generates`` images from noise alone, with a method ``generate(noise)``."""

    name: str
    title: str
    home: str
    network: str
    smallest: int
    largest: int
    generates: bool = False
    doubling: bool = False  # sizes are powers of two

    def check(self, size: int) -> None:
        """Raise InputError for a side that its images cannot have."""
        suits = self.smallest <= size <= self.largest and not (self.doubling and size & (size - 1))
        if not suits:
            kind = "a power of two " if self.doubling else ""
            raise InputError(f"{self.name} takes images of {kind}{self.smallest} to {self.largest} pixels, not {size}")

    def build(self, size: int, *, seed: int) -> nn.Module:
        """Return the network for images of that side, on the CPU, with weights that depend on the seed alone."""
        self.check(size)
        with torch.device("meta"):
            network = getattr(import_module(f"{__name__}.{self.home}"), self.network)(size)
        return _initialised(network.to_empty(device="cpu"), torch.Generator().manual_seed(seed))


MODELS = {
    model.name: model
    for model in (
        Model("ae", "vanilla autoencoder", "autoencoder", "VanillaAE", smallest=8, largest=256),
        Model("vae", "variational autoencoder", "vae", "VAE", smallest=8, largest=512, generates=True, doubling=True),
    )
}


def look_up(name: str) -> Model:
    """Return the row of that name, or raise InputError with the names there are."""
    if name not in MODELS:
        raise InputError(f"there is no model {name!r}; known are {', '.join(MODELS)}")
    return MODELS[name]


@torch.no_grad()
def _initialised(network: nn.Module, generator: torch.Generator) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            module.weight.normal_(0, _DEVIATION, generator=generator)
            module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()  # which are on no device before, with its running statistics
            module.weight.normal_(1, _DEVIATION, generator=generator)
    return network
