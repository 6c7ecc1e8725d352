"""The networks of a run, loaded before any image is: a metric without its weights ends a run at its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor

from ffltool import checkpoints, weights
from ffltool.errors import InputError, MissingWeightsError
from ffltool.looking import Looking
from ffltool.metrics import Metric
from ffltool.metrics.inception import LAYERS, PRESETS, Inception
from ffltool.metrics.lpips import BACKBONES, Lpips

Module = TypeVar("Module", Inception, Lpips)
_INCEPTION = "inception"
CLASSES = "logits_unbiased"  # the layer that IS looks at


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(Generic[Module]):
    """A network that is loaded, and the file its weights came from; ``digest`` is over the tensors that count."""

    module: Module
    found: weights.Usable
    digest: str

    @property
    def settings(self) -> dict[str, str]:
        """What a result must say of it."""
        origin = "published" if self.found.state == "known" else "own"
        return {
            "network": self.found.name,
            "weights": self.digest,
            "weights_file": f"{self.found.path.name} ({origin})",
        }


class Networks:
    """The networks that metrics look through, on their device.

    Parameters
    ----------
    metrics : any; those whose weights are missing are not among ``metrics`` afterwards, where that is allowed, but
        ``warnings`` name them. ``lpips`` and ``inception`` are the networks that the others need.

    Raises
    ------
    InputError : for a backbone, preset or layer that there is not, or half precision on the CPU.
    WeightsError : for weights that are missing, damaged, or none of the network's.
    """

    def __init__(self, metrics: Sequence[Metric], looking: Looking) -> None:
        _check(looking)
        self.looking, self.device = looking, torch.device(looking.computing.device)
        self.warnings: tuple[str, ...] = ()
        self.lpips: Network[Lpips] | None = None
        self.inception: Network[Inception] | None = None
        missing: dict[str, MissingWeightsError] = {}
        for name in dict.fromkeys(self._name(metric) for metric in metrics if metric.learned):
            try:
                if name == _INCEPTION:
                    self.inception = self._load(name, Inception)
                else:
                    self.lpips = self._load(name, partial(Lpips, looking.backbone))
            except MissingWeightsError as error:
                if not looking.sources.skip_missing:
                    raise
                missing[name] = error
        self.metrics = [each for each in metrics if not (each.learned and self._name(each) in missing)]
        for name, reason in missing.items():
            names = ", ".join(each.name for each in metrics if each.learned and self._name(each) == name)
            if not self.metrics:
                raise reason
            self.warnings += (f"{names}: left out, for {reason}",)

    def _name(self, metric: Metric) -> str:
        return BACKBONES[self.looking.backbone].network if metric.of == "pairs" else _INCEPTION

    def _load(self, name: str, make: Callable[[dict[str, Tensor]], Module]) -> Network[Module]:
        sources = self.looking.sources
        loaded = weights.load(name, own=sources.own.get(name), download=sources.download, progress=sources.progress)
        digest = checkpoints.digest_of_tensors(loaded.tensors)
        module = make(loaded.tensors)
        if self.looking.computing.half:
            module.halve()
        return Network(module=module.to(self.device), found=loaded.found, digest=digest)

    def settings(self, metric: Metric) -> dict[str, float | str]:
        """Return what makes the score of a learned metric comparable."""
        looking = self.looking
        own: dict[str, float | str] = {}
        network = self.lpips if metric.of == "pairs" else self.inception
        assert network is not None, "a metric without its network is left out"
        if metric.of == "pairs":
            own["backbone"] = looking.backbone
        else:
            own |= {"preset": looking.preset, "layer": CLASSES if metric.name == "is" else looking.layer}
        if metric.name in ("kid", "is"):
            own["seed"] = looking.seed
        return {**network.settings, **own, "precision": looking.computing.precision}


def _check(looking: Looking) -> None:
    choices = (
        ("backbone of LPIPS", looking.backbone, BACKBONES),
        ("preset", looking.preset, PRESETS),
        ("layer of features", looking.layer, [layer for layer in LAYERS if layer.isdecimal()]),
    )
    for what, value, known in choices:
        if value not in known:
            raise InputError(f"there is no {what} {value!r}; known are {', '.join(known)}")
    if looking.computing.half and torch.device(looking.computing.device).type == "cpu":
        raise InputError("half precision is for a GPU: on the CPU it is slower, and no less wrong")
