"""What a model is trained to make small, and the variants of it that an experiment compares.

    loss = pixel_weight pixel loss + ffl_weight FFL + kl_weight KL / (values of an image) + spreg_weight SpReg
           + gan_weight GAN

of images in -1..1, SpReg of images in 0..1. KL is of models that have a divergence, GAN of those that have a critic,
which puts out s(real) and s(fake) and learns beside them (Goodfellow et al., 2014):

    GAN = mean of ln(1 + exp(-s(fake)))
    critic's loss = mean of (ln(1 + exp(-s(real))) + ln(1 + exp(s(fake)))) / 2

With the mean squared error KL of weight 1 makes the evidence lower bound of a decoder whose pixels have a variance of
1/2; a weight w stands for w / 2. A weight of 0 leaves its term out, so that nothing is computed of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss, softplus

from ffltool.errors import InputError, ShapeError
from ffltool.loss import FocalFrequencyLoss, spectral_regularization
from ffltool.models import MODELS, Model, Rebuilt

PIXEL_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse_loss, "l1": l1_loss}
TERMS = ("pixel", "ffl", "kl", "spreg", "gan")
# a weight, of what it is, and the field of models that have that
_OF_MODELS = (("kl_weight", "divergence", "generates"), ("gan_weight", "critic", "critic"))


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The terms of a loss and their weights; from ``alpha`` on options of `ffltool.loss.focal_frequency_loss`."""

    loss: str = "mse"
    pixel_weight: float = 1.0
    ffl_weight: float = 1.0
    kl_weight: float = 0.01
    spreg_weight: float = 0.0
    gan_weight: float = 1.0
    alpha: float = 1.0
    patch_factor: int = 1
    ave_spectrum: bool = False
    log_matrix: bool = False
    batch_matrix: bool = False
    transform: str = "dft"
    component: str = "complex"
    exclude_dc: bool = False

    def __post_init__(self) -> None:
        if self.loss not in PIXEL_LOSSES:
            raise InputError(f"there is no pixel loss {self.loss!r}; known are {', '.join(PIXEL_LOSSES)}")
        if not 0 < self.pixel_weight < math.inf:
            raise InputError(f"pixel_weight must be above 0 and finite, got {self.pixel_weight}")
        for name in ("ffl_weight", "kl_weight", "spreg_weight", "gan_weight", "alpha"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} must be 0 or more and finite, got {getattr(self, name)}")

    def check(self, model: Model, size: int) -> None:
        """Raise InputError or ShapeError for options that do not go together, or not with a model and its size."""
        for name, term, field in _OF_MODELS:
            asked = getattr(self, name) not in (0, getattr(Objective, name))  # the default is there for every model
            if asked and not getattr(model, field):
                known = " or ".join(each.name for each in MODELS.values() if getattr(each, field))
                raise InputError(f"{model.name} has no {term}; a {name} is for {known}")
        blank = torch.zeros(1, 3, size, size)
        try:
            self.terms(Rebuilt(blank), blank)
        except ShapeError as error:  # of patches alone
            wrong = f"patch_factor {self.patch_factor} does not divide the side {size}"
            raise ShapeError(f"{wrong}; another --patch-factor, or --size, is wanted") from error

    @cached_property
    def frequency_loss(self) -> FocalFrequencyLoss:
        """FFL with these options and weight 1."""
        return FocalFrequencyLoss(
            alpha=self.alpha,
            patch_factor=self.patch_factor,
            ave_spectrum=self.ave_spectrum,
            log_matrix=self.log_matrix,
            batch_matrix=self.batch_matrix,
            transform=self.transform,
            component=self.component,
            exclude_dc=self.exclude_dc,
        )

    def weights(self, *, diverges: bool, judged: bool) -> dict[str, float]:
        """Return the weight of each term that counts, of a model that has a divergence, or is judged by a critic."""
        weights = {
            "pixel": self.pixel_weight,
            "ffl": self.ffl_weight,
            "kl": self.kl_weight if diverges else 0.0,
            "spreg": self.spreg_weight,
            "gan": self.gan_weight if judged else 0.0,
        }
        return {term: weight for term, weight in weights.items() if weight}

    def terms(self, rebuilt: Rebuilt, target: Tensor) -> dict[str, Tensor]:
        """Return the terms that count, before their weights, of images (N, 3, S, S) in -1..1."""
        made: dict[str, Callable[[], Tensor]] = {
            "pixel": lambda: PIXEL_LOSSES[self.loss](rebuilt.images, target),
            "ffl": lambda: self.frequency_loss(rebuilt.images, target),
            "spreg": lambda: spectral_regularization((rebuilt.images + 1) / 2, (target + 1) / 2),
        }
        divergence, verdict = rebuilt.divergence, rebuilt.verdict
        if divergence is not None:
            made["kl"] = lambda: divergence.mean() / target[0].numel()
        if verdict is not None:
            made["gan"] = lambda: softplus(-verdict).mean()
        counting = self.weights(diverges=divergence is not None, judged=verdict is not None)
        return {term: made[term]() for term in counting}


def remedy(terms: Iterable[str]) -> str:
    """Say what may keep a loss of these terms, and what learns by it, finite.

    >>> remedy(["pixel", "ffl"])
    'a smaller --lr, --pixel-weight or --ffl-weight may help'
    """
    *others, last = "--lr", *(f"--{term}-weight" for term in terms)
    return f"a smaller {', '.join(others)} or {last} may help"


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return what a critic makes small, of what it says of real images and of fake ones, as logits of any shape."""
    return (softplus(-real).mean() + softplus(fake).mean()) / 2


# name of a variant -> the fields that it sets; of Tables 7 and 8, then of Tables 9 and 10
_PLAIN: dict[str, dict[str, Any]] = {
    "FFL": {},
    "w/o FFL": {"ffl_weight": 0.0},
    "w/o phase": {"component": "amplitude"},
    "w/o amplitude": {"component": "phase"},
    "w/o frequency": {"transform": "none"},
    "w/o focal": {"alpha": 0.0},
    "dct": {"transform": "dct"},
    "ave-spectrum": {"ave_spectrum": True},
    "log-matrix": {"log_matrix": True},
    "batch-matrix": {"batch_matrix": True},
    "exclude-dc": {"exclude_dc": True},
    "l1": {"loss": "l1"},
    "spreg": {"ffl_weight": 0.0, "spreg_weight": 100.0},  # its gradient is then about as long as that of the pixels
}
# name -> the field whose value stands behind "=", and its type
_VALUED: dict[str, tuple[str, Callable[[str], float]]] = {
    "weight": ("ffl_weight", float),
    "alpha": ("alpha", float),
    "patch": ("patch_factor", int),
    "kl": ("kl_weight", float),
    "spreg": ("spreg_weight", float),
}
VARIANTS = (*_PLAIN, *(f"{name}=N" for name in _VALUED))


def variant(name: str, base: Objective) -> Objective:
    """Return an objective that differs from another as a name says.

    >>> variant("weight=10+alpha=0.5", Objective()) == Objective(ffl_weight=10, alpha=0.5)
    True

    Raises
    ------
    InputError : for a name that is none, listing those that are.
    """
    for part in name.split("+"):
        base = replace(base, **_changes(part.strip()))
    return base


def canonical(name: str) -> str:
    """Return the one name of a variant that can be written in several ways; one that is unknown as it is.

    >>> canonical("weight=1.0 + dct")
    'weight=1+dct'
    """
    parts = (part.strip() for part in name.split("+"))
    valued = ((part, _valued(part)) for part in parts)
    # without the "+" of an exponent, which joins variants
    return "+".join(f"{found[0]}={found[1]:.12g}".replace("e+", "e") if found else part for part, found in valued)


def _valued(part: str) -> tuple[str, float] | None:
    """Return what stands before "=" and the value behind it, if it is a variant with one."""
    key, _, text = part.partition("=")
    try:
        return key, _VALUED[key][1](text)
    except (KeyError, ValueError):
        return None


def _changes(part: str) -> dict[str, Any]:
    if part in _PLAIN:
        return _PLAIN[part]
    if found := _valued(part):
        key, value = found
        return {_VALUED[key][0]: value} | ({"ffl_weight": 0.0} if key == "spreg" else {})
    raise InputError(f"there is no variant {part!r}; known are {', '.join(VARIANTS)}, joined by +")
