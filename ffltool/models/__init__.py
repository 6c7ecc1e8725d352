"""The table of models: name -> what it is, which sizes it takes, and the module that it lives in.

A model is a module whose call takes images (N, 3, S, S) in -1..1 and a generator of noise, or None for none, and
returns a `Rebuilt`. It rebuilds these images, or, of ``pairs``, the other side of each. A critic is a module whose call
takes both sides and returns logits, above 0 where it takes the second one for real. All of them begin with the weights
of the DCGAN: normal with deviation 0.02, biases 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ffltool.errors import InputError

_DEVIATION = 0.02


class Rebuilt(NamedTuple):
    """What a model makes of a batch: images (N, 3, S, S) in -1..1, and where it has these the rest.

    ``divergence`` is the KL divergence of each, in nat; ``verdict`` what a critic says of them, as logits.
    """

    images: Tensor
    divergence: Tensor | None = None
    verdict: Tensor | None = None


class Generative(nn.Module):
    """A model that also makes images of noise alone, of ``latent`` numbers each."""

    latent: int

    def generate(self, latent: Tensor) -> Tensor:
        """Return images in -1..1 of latent numbers, shape (N, latent), of which standard normal ones are likely."""
        raise NotImplementedError


@dataclass(frozen=True)
class Model:
    """A row of the table; ``generates`` images from noise alone, see `Generative`.

    ``network`` and ``critic`` are classes in the module ``home``; ``own`` are settings of a `ffltool.train.Plan` and
    its objective that the model's authors have, where they are not those of the autoencoders.
    """

    name: str
    title: str
    home: str
    network: str
    smallest: int
    largest: int
    generates: bool = False
    doubling: bool = False  # sizes are powers of two
    pairs: bool = False
    critic: str = ""
    own: Mapping[str, object] = field(default_factory=dict)

    def check(self, size: int) -> None:
        """Raise InputError for a side that its images cannot have."""
        suits = self.smallest <= size <= self.largest and not (self.doubling and size & (size - 1))
        if not suits:
            kind = "a power of two " if self.doubling else ""
            raise InputError(f"{self.name} takes images of {kind}{self.smallest} to {self.largest} pixels, not {size}")

    def build(self, size: int, *, seed: int) -> nn.Module:
        """Return the network for images of that side, on the CPU, with weights that depend on the seed alone."""
        self.check(size)
        return self._built(self.network, size, seed=seed)

    def build_critic(self, *, seed: int) -> nn.Module:
        """Return the critic in the same way, of a model that has one."""
        return self._built(self.critic, seed=seed)

    def _built(self, name: str, *sizes: int, seed: int) -> nn.Module:
        with torch.device("meta"):
            network = getattr(import_module(f"{__name__}.{self.home}"), name)(*sizes)
        return _initialised(network.to_empty(device="cpu"), torch.Generator().manual_seed(seed))


_PIX2PIX = {
    "direction": "AtoB",
    "size": 256,
    "batch_size": 1,
    "epochs": 200,  # over the last 100 of which the step falls
    "decay": 0.5,
    "lr": 2e-4,
    "beta1": 0.5,
    "loss": "l1",
    "pixel_weight": 100.0,
}

MODELS = {
    model.name: model
    for model in (
        Model("ae", "vanilla autoencoder", "autoencoder", "VanillaAE", smallest=8, largest=256),
        Model("vae", "variational autoencoder", "vae", "VAE", smallest=8, largest=512, generates=True, doubling=True),
        Model(
            "pix2pix",
            "image-to-image translation",
            "pix2pix",
            "UNet",
            smallest=256,
            largest=1024,
            doubling=True,
            pairs=True,
            critic="PatchGAN",
            own=_PIX2PIX,
        ),
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
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()  # which are on no device before, with its running statistics
            module.weight.normal_(1, _DEVIATION, generator=generator)
    return network
