"""Training a baseline of the paper with or without the focal frequency loss: yields steps.

A run is a function of its plan and its images alone. What is random, the weights at the start, the order of images and
the noise of a step, is drawn anew from the plan's seed and the number of the epoch or step, so that the number of the
step, the weights and the optimiser's moments are all that a run needs to go on, to the bit on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ffltool import ranks
from ffltool.datasets import DIRECTIONS, Batches, given, seed_of, to_unit, wanted
from ffltool.errors import DivergedError, InputError
from ffltool.learner import Learner
from ffltool.models import Generative, look_up
from ffltool.objective import TERMS, Objective, critic_loss, remedy

_LOOK = {"cpu": 1}  # steps after which losses are looked at; elsewhere the host would wait for the device
_LOOK_ELSEWHERE = 50
_LONGEST = 1e6  # step of Adam; beyond the numbers of float32 torch has an error of its own


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained and how; the defaults are those of the paper authors' published script, for autoencoders.

    ``steps`` takes the place of ``epochs`` where it is given. ``decay`` is the share of all steps, the last ones, over
    which ``lr`` falls to 0. ``amp`` computes networks in bfloat16, losses never. ``direction`` is of models of pairs:
    which half of an image is given and which is wanted, see `ffltool.datasets.load`.
    """

    model: str
    size: int = 64
    batch_size: int = 128
    epochs: int = 20
    steps: int | None = None
    lr: float = 1e-3
    decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    seed: int = 0
    amp: bool = False
    direction: str | None = None
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        model = look_up(self.model)
        model.check(self.size)
        if model.pairs and self.direction not in DIRECTIONS:
            raise InputError(f"{self.model} wants a direction, {' or '.join(DIRECTIONS)}, not {self.direction!r}")
        if self.direction and not model.pairs:
            raise InputError(f"{self.model} rebuilds whole images; a direction is for models of pairs")
        for name in ("batch_size", "epochs", "steps", "lr"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} must be above 0 and finite, got {value}")
        if self.lr > _LONGEST:
            raise InputError(f"lr must be {_LONGEST:g} at most, got {self.lr}")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if not 0 <= self.decay <= 1:
            raise InputError(f"decay must be a share from 0 to 1, got {self.decay}")
        self.objective.check(model, self.size)

    def check_images(self, pixels: Tensor) -> None:
        """Raise InputError for so few images that they make no batch, or a batch that processes cannot share.

        Images are pairs of them for a model of these, and for others not.
        """
        count, sides = len(pixels), 1 + look_up(self.model).pairs
        if pixels.shape[1] != 3 * sides:
            raise InputError(f"{self.model} takes images of {3 * sides} channels, not {pixels.shape[1]}")
        if count < self.batch_size:
            few = f"{count} images are" if count > 1 else f"{count} image is"
            raise InputError(f"{few} too few for a batch of {self.batch_size}; --batch-size takes fewer")
        if self.batch_size % ranks.world():
            raise InputError(f"a batch of {self.batch_size} images does not divide among {ranks.world()} processes")

    def of_epoch(self, images: int) -> int:
        """Return the number of steps in which so many images are seen once; what makes no whole batch is left out."""
        return images // self.batch_size

    def total(self, images: int) -> int:
        """Return the number of all steps, with so many images."""
        return self.epochs * self.of_epoch(images) if self.steps is None else self.steps

    def lr_of(self, step: int, total: int) -> float:
        """Return the length of a step, the first of which is 1."""
        return self.lr * min(1.0, (total + 1 - step) / (self.decay * total)) if self.decay else self.lr

    @property
    def essence(self) -> dict[str, Any]:
        """What must not change when a run goes on: all but its length, and that too where the steps' depends on it."""
        free = () if self.decay else ("epochs", "steps")
        return {name: value for name, value in asdict(self).items() if name not in free}

    def difference(self, essence: Mapping[str, object]) -> str:
        """Say what differs first between the essence of another plan and this one's, "" if nothing does."""
        unlike = ((name, essence.get(name), now) for name, now in self.essence.items() if essence.get(name) != now)
        return next((_difference(*each) for each in unlike), "")


class Step(NamedTuple):
    """The losses of one step before their weights, None for a term that does not count; ``loss`` sums them weighted.

    That of the ``critic``, who learns by itself, is not in it.
    """

    step: int
    epoch: int
    loss: float
    pixel: float
    ffl: float | None
    kl: float | None
    spreg: float | None
    gan: float | None
    critic: float | None


class Training:
    """A network, and its critic where it has one, on its way: after ``step`` steps of a plan.

    Under torchrun each process computes its share of every batch and gradients are averaged, so that the batch, and
    but for rounding the loss, is that of one process. What is computed *over* a batch is then of a process's share:
    the statistics of batch norm, and FFL with ave_spectrum or batch_matrix.
    """

    def __init__(self, plan: Plan, device: torch.device | str = "cpu") -> None:
        self.plan, self.device, self.step = plan, torch.device(device), 0
        self.model = look_up(plan.model)
        network = self.model.build(plan.size, seed=seed_of(plan.seed, "weights"))
        self.learner, self.critic = self._learner(network), None
        if self.model.critic and plan.objective.gan_weight:
            self.critic = self._learner(self.model.build_critic(seed=seed_of(plan.seed, "critic")))

    def _learner(self, network: nn.Module) -> Learner:
        return Learner(network, betas=(self.plan.beta1, self.plan.beta2), device=self.device)

    @property
    def network(self) -> nn.Module:
        """The network that makes images."""
        return self.learner.network

    @property
    def _learners(self) -> list[Learner]:
        return [self.learner, *([self.critic] if self.critic else [])]

    def run(self, pixels: Tensor) -> Iterator[list[Step]]:
        """Train to the end of the plan, yielding the steps since the last time, of all processes together.

        Between two of these a caller may take the `state` and look at the network.

        Parameters
        ----------
        pixels : all images, uint8, shape (N, 3, S, S), or (N, 6, S, S) of pairs, the same on every process.

        Raises
        ------
        InputError : for too few images, or a loss or weights that are no longer finite, with the step.
        """
        self.plan.check_images(pixels)
        batches = Batches(pixels, self.plan.batch_size, seed=self.plan.seed, device=self.device)
        total, look = self.plan.total(len(pixels)), _LOOK.get(self.device.type, _LOOK_ELSEWHERE)
        for learner in self._learners:
            learner.share()
        losses: list[Tensor] = []
        while self.step < total:
            self.network.train()
            lr = self.plan.lr_of(self.step + 1, total)
            losses.append(self._stepped(batches.batch(self.step + 1), lr=lr))
            self.step += 1
            ends = self.step == total or self.step % batches.of_epoch == 0
            if ends or len(losses) == look:
                yield self._looked_at(losses, batches)
                losses = []

    def _stepped(self, images: Tensor, *, lr: float) -> Tensor:
        """Make one step; return its losses, that of all first and the critic's last, without waiting for them."""
        source, target = given(images), wanted(images)
        noise = torch.Generator(self.device)
        noise.manual_seed(seed_of(self.plan.seed, "noise", self.step, ranks.rank()))
        with self._precision():
            rebuilt = self.learner.shared(source, noise)
        rebuilt = rebuilt._replace(images=rebuilt.images.float())
        doubts = []
        if self.critic:
            doubts = [self._taught(self.critic, source, target, rebuilt.images.detach(), lr=lr)]
            rebuilt = rebuilt._replace(verdict=self._verdict(self.critic, source, rebuilt.images))
        terms = self.plan.objective.terms(rebuilt, target)
        weights = self._weights()
        loss = reduce(torch.add, (weights[name] * term for name, term in terms.items()))
        self.learner.descend(loss, lr=lr)
        return torch.stack([loss.detach(), *(term.detach() for term in terms.values()), *doubts])

    def _taught(self, critic: Learner, source: Tensor, real: Tensor, fake: Tensor, *, lr: float) -> Tensor:
        """Make one step of the critic; return its loss."""
        with self._precision():
            verdicts = [critic.shared(source, images) for images in (real, fake)]
        loss = critic_loss(*(verdict.float() for verdict in verdicts))
        critic.descend(loss, lr=lr)
        return loss.detach()

    def _verdict(self, critic: Learner, source: Tensor, fake: Tensor) -> Tensor:
        """Return what the critic says of images, from which it learns nothing itself."""
        critic.network.requires_grad_(False)
        with self._precision():
            verdict: Tensor = critic.network(source, fake)
        critic.network.requires_grad_(True)
        return verdict.float()

    def _precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.plan.amp else nullcontext()

    def _weights(self) -> dict[str, float]:
        return self.plan.objective.weights(diverges=self.model.generates, judged=self.critic is not None)

    def _looked_at(self, losses: list[Tensor], batches: Batches) -> list[Step]:
        values = torch.stack(losses).cpu().double()
        ranks.all_reduce(values)
        values /= ranks.world()
        first, columns = self.step - len(values) + 1, [*self._weights(), *(["critic"] if self.critic else [])]
        steps = []
        for number, (loss, *row) in enumerate(values.tolist(), start=first):
            if not math.isfinite(loss):
                raise DivergedError(f"the loss is {loss} at step {number}; {remedy(self._weights())}")
            named = dict(zip(columns, row, strict=True))
            others = (named.get(name) for name in (*TERMS[1:], "critic"))
            steps.append(Step(number, batches.epoch_of(number), loss, named["pixel"], *others))
        return steps

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on, of plain types and tensors.

        Raises
        ------
        DivergedError : if a weight is not finite, which is no state to go on from.
        """
        if not all(learner.is_finite for learner in self._learners):
            wrong = f"the network's weights are not finite after step {self.step}"
            raise DivergedError(f"{wrong}; {remedy(self._weights())}")
        state = {"plan": self.plan.essence, "step": self.step} | self.learner.state()
        return state | ({"critic": self.critic.state()} if self.critic else {})

    def go_on_from(self, state: Mapping[str, Any]) -> None:
        """Take the place of the run that left this state.

        Raises
        ------
        InputError : if that had another plan, with what differs first; its length may differ. Or if its weights and
            moments are of other networks.
        """
        if difference := self.plan.difference(state["plan"]):
            raise InputError(f"the checkpoint was trained with {difference}")
        self.learner.take(state)
        if self.critic:
            self.critic.take(state.get("critic"))
        self.step = state["step"]

    @torch.inference_mode()
    def rebuilt(self, pixels: Tensor) -> Tensor:
        """Return what the network makes of images, uint8, or of pairs, in -1..1 on the CPU, without noise."""
        self.network.eval()
        batches = torch.split(pixels, self.plan.batch_size)
        return torch.cat([self.network(to_unit(given(batch).to(self.device))).images.cpu() for batch in batches])

    @torch.inference_mode()
    def generated(self, count: int) -> Iterator[Tensor]:
        """Yield batches (N, 3, S, S) of so many images of noise alone, in -1..1 on the CPU, the same at each call.

        Raises
        ------
        InputError : for a model that cannot.
        """
        network = self.network
        if not isinstance(network, Generative):
            raise InputError(f"{self.model.name} rebuilds images but generates none from noise")
        network.eval()
        generator = torch.Generator().manual_seed(seed_of(self.plan.seed, "samples"))
        latent = torch.randn(count, network.latent, generator=generator)
        for batch in torch.split(latent, self.plan.batch_size):
            yield network.generate(batch.to(self.device)).cpu()


def _difference(name: str, was: object, now: object) -> str:
    if isinstance(was, dict) and isinstance(now, dict):
        name = next(key for key in {**now, **was} if was.get(key) != now.get(key))
        was, now = was.get(name), now.get(name)
    return f"{name} {was}, not {now}"
