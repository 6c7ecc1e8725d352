"""One image rebuilt from noise by optimising its pixels under an objective (Fig. 3 of the paper).

What an objective knows of an image is what it brings back: amplitude alone or phase alone does not, both together do.
What is minimised is the objective's mean over all values times half their number. Adam does not mind the factor, but
without it the squares of its gradients become denormal numbers near the end, which slow the processor down; and with
it the unit of plain gradient descent's step is natural: 1 rebuilds the image in one step under ``pixel``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ffltool.distances import Focus
from ffltool.errors import InputError, ShapeError
from ffltool.loss import focal_frequency_loss
from ffltool.metrics.lfd import lfd
from ffltool.metrics.psnr import psnr

SMALLEST = 8  # pixels of a side
_FRAMES = 40  # images of an animation
_LARGEST = torch.finfo(torch.float32).max

ImageObjective = Callable[[Tensor, Tensor], Tensor]

# objectives to which a channel and its negative are the same
_SIGNLESS = ("amplitude", "ffl-amplitude", "phase-eq6")

# name -> the optimiser, and its step where none is given
OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], float]] = {
    "adam": (torch.optim.Adam, 0.05),
    "sgd": (torch.optim.SGD, 1.0),
}


@dataclass(frozen=True)
class Descent:
    """How pixels are optimised.

    ``steps`` and ``seconds`` say where to stop, whichever comes first; ``optimizer`` is a name in `OPTIMIZERS`, ``lr``
    its step (None for the usual one); ``alpha`` is the exponent of the focal weight.
    """

    steps: int = 300
    seconds: float | None = None
    optimizer: str = "adam"
    lr: float | None = None
    alpha: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("steps", self.steps), ("seconds", self.seconds), ("lr", self.lr)):
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} must be above 0 and finite, got {value}")
        if self.lr is not None and self.lr > _LARGEST:
            raise InputError(f"lr must be below {_LARGEST:.2g}, got {self.lr}")
        Focus(self.alpha)
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"optimizer cannot be {self.optimizer!r}; known are {', '.join(OPTIMIZERS)}")

    def over(self, pixels: Tensor) -> torch.optim.Optimizer:
        """Return the optimiser of these pixels."""
        kind, usual = OPTIMIZERS[self.optimizer]
        return kind([pixels], lr=usual if self.lr is None else self.lr)


class DescentStep(NamedTuple):
    """How far the image is after `number` steps; ``psnr`` and ``lfd`` are of its pixels cut to 0..1, not rounded."""

    number: int
    seconds: float
    loss: float
    psnr: float
    lfd: float


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What an objective brought back: the image, shape (C, H, W), the steps, and a few images on the way."""

    objective: str
    image: Tensor
    steps: tuple[DescentStep, ...]
    frames: tuple[Tensor, ...]


# passes on the steps of an objective, given them, its name and the number of steps asked for
DescentProgress = Callable[[Iterator[tuple[DescentStep, Tensor]], str, int], Iterator[tuple[DescentStep, Tensor]]]


def objectives(alpha: float = 1.0) -> dict[str, ImageObjective]:
    """Return all objectives by name: functions of pred and target, shape (C, H, W), to a scalar.

    `alpha` is the exponent of the focal weight, in those whose name starts with "ffl".
    """
    focal = partial(focal_frequency_loss, alpha=alpha)
    plain = partial(focal_frequency_loss, alpha=0.0)
    return {
        "ffl": focal,  # Eq. 10
        "frequency": plain,  # Eq. 8
        "amplitude": partial(plain, component="amplitude"),
        "phase": partial(plain, component="phase"),
        "phase-eq6": _phase_eq6,
        "pixel": lambda pred, target: (pred - target).square().mean(),
        "ffl-amplitude": partial(focal, component="amplitude"),  # Table 8, without phase
        "ffl-phase": partial(focal, component="phase"),  # without amplitude
        "ffl-pixel": partial(focal, transform="none"),  # without frequency
        "ffl-dct": partial(focal, transform="dct"),  # Table 7
    }


def known_objectives(names: Iterable[str]) -> list[str]:
    """Return the names, each once; InputError for one that is not in `objectives`."""
    names, known = list(dict.fromkeys(name.strip().lower() for name in names)), objectives()
    for name in names:
        if name not in known:
            raise InputError(f"there is no objective {name!r}; known are {', '.join(known)}")
    return names


def _phase_eq6(pred: Tensor, target: Tensor) -> Tensor:
    """Return the squared distance of phases as Eq. 6 has them, arctan(b / a): a half circle, without the quadrant."""
    phases = []
    for image in (pred, target):
        spectrum = torch.fft.fft2(image, norm="ortho")
        right = torch.where(spectrum.real < 0, -spectrum, spectrum)  # the same b / a, on the half circle of arctan
        phases.append(torch.angle(right).masked_fill(spectrum == 0, 0.0))
    return (phases[0] - phases[1]).square().mean()


def noise(target: Tensor, *, seed: int) -> Tensor:
    """Return uniform noise in 0..1 of the target's shape, the same on every device."""
    return torch.rand(target.shape, generator=torch.Generator().manual_seed(seed)).to(target)


def reconstruct(
    target: Tensor, objective: str = "ffl", *, start: Tensor | None = None, descent: Descent | None = None
) -> Iterator[tuple[DescentStep, Tensor]]:
    """Rebuild an image, yielding the start (step 0) and every step after it, each with its image, shape (C, H, W).

    The images are as the optimiser has them, not cut to 0..1. Where an objective does not know a channel from its
    negative, the one that is brighter is taken.

    Parameters
    ----------
    target : tensor, shape (C, H, W), float32 or float64, values in [0, 1], H and W >= 8.
    objective : a name in `objectives`.
    start : what to begin with, of the same shape; default `noise` of seed 0.

    Raises
    ------
    ShapeError, InputError : for images of another shape or with values that are not finite, and an unknown objective;
        while it runs, InputError if the loss is no longer finite.
    """
    descent = descent or Descent()
    start = noise(target, seed=0) if start is None else start
    if target.ndim != 3 or min(target.shape[1:]) < SMALLEST:
        raise ShapeError(f"an image (C, H, W) of at least {SMALLEST}x{SMALLEST} is wanted, got {tuple(target.shape)}")
    if start.shape != target.shape:
        raise ShapeError(f"start {tuple(start.shape)} and target {tuple(target.shape)} must have one shape")
    for name, image in (("target", target), ("start", start)):
        if image.dtype not in (torch.float32, torch.float64) or not image.isfinite().all():
            raise InputError(f"{name} must hold finite values in 0..1 as float32 or float64")
    (name,) = known_objectives([objective])
    pixels = start.to(target).clone().requires_grad_()
    return _steps(pixels, target, objectives(descent.alpha)[name], descent, signless=name in _SIGNLESS)


def _steps(
    pixels: Tensor, target: Tensor, objective: ImageObjective, descent: Descent, *, signless: bool
) -> Iterator[tuple[DescentStep, Tensor]]:
    optimizer = descent.over(pixels)
    optimizer.zero_grad()  # torch loads a good part of itself here, which is no time of ours
    start = time.perf_counter()
    for number in range(descent.steps + 1):
        optimizer.zero_grad()
        with torch.enable_grad():
            loss = objective(pixels, target) * (pixels.numel() / 2)
        value, seconds = loss.item() / (pixels.numel() / 2), time.perf_counter() - start
        if not math.isfinite(value):
            raise InputError(f"the loss is {value} at step {number}; a smaller --lr may help")
        image = pixels.detach().clone()
        if signless:
            image *= torch.where(image.mean((1, 2), keepdim=True) < 0, -1, 1)
        scores = (metric(target[None], image.clamp(0, 1)[None], peak=1.0).item() for metric in (psnr, lfd))
        yield DescentStep(number, seconds, value, *scores), image
        if number == descent.steps or (descent.seconds is not None and seconds >= descent.seconds):
            return
        torch.autograd.backward(loss)
        optimizer.step()


def rebuild(
    target: Tensor,
    names: Iterable[str],
    *,
    start: Tensor,
    descent: Descent,
    animate: bool = False,
    progress: DescentProgress | None = None,
) -> list[Reconstruction]:
    """Rebuild an image under several objectives from the same start; the rest as for `reconstruct`.

    Parameters
    ----------
    animate : keep images on the way, at ever longer distances.
    progress : wraps the steps of each objective.
    """
    shown = {round((descent.steps + 1) ** (frame / (_FRAMES - 1))) - 1 for frame in range(_FRAMES)} if animate else ()
    runs = [(name, reconstruct(target, name, start=start, descent=descent)) for name in known_objectives(names)]
    rebuilt = []
    for name, run in runs:
        steps, frames = [], []
        for step, image in progress(run, name, descent.steps) if progress else run:
            steps.append(step)
            if step.number in shown:
                frames.append(image.cpu())
        if frames and step.number not in shown:  # the clock stopped it
            frames.append(image.cpu())
        rebuilt.append(Reconstruction(name, image.cpu(), tuple(steps), tuple(frames)))
    return rebuilt
