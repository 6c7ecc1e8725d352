"""The networks of a run, loaded before any image is: a metric without its weights ends a run at its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ffltool import checkpoints, weights
from ffltool.errors import InputError, MissingWeightsError
from ffltool.looking import Looking
from ffltool.metrics import Metric
from ffltool.metrics.inception import LAYERS, PRESETS, Inception
from ffltool.metrics.lpips import BACKBONES, Lpips

CLASSES = "logits_unbiased"  # the layer that IS looks at


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A network that is loaded, and the file its weights came from; ``digest`` is over the tensors that count."""

    module: nn.Module
    found: weights.Found
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
        ``warnings`` name them.

    Raises
    ------
    InputError : for a backbone, preset or layer that there is not, or half precision on the CPU.
    WeightsError : for weights that are missing, damaged, or none of the network's.
    """

    def __init__(self, metrics: Sequence[Metric], looking: Looking) -> None:
        _check(looking)
        self.looking, self.device = looking, torch.device(looking.computing.device)
        self.warnings: tuple[str, ...] = ()
        self._loaded: dict[str, Network] = {}
        missing = {}
        for name in dict.fromkeys(self._name(metric) for metric in metrics if metric.learned):
            try:
                self._loaded[name] = self._load(name)
            except MissingWeightsError as error:
                if not looking.sources.skip_missing:
                    raise
                missing[name] = error
        self.metrics = [each for each in metrics if not (each.learned and self._name(each) in missing)]
        for name, error in missing.items():
            names = ", ".join(each.name for each in metrics if each.learned and self._name(each) == name)
            if not self.metrics:
                raise error
            self.warnings += (f"{names}: left out, for {error}",)

    def _name(self, metric: Metric) -> str:
        return BACKBONES[self.looking.backbone].network if metric.of == "pairs" else "inception"

    def _load(self, name: str) -> Network:
        sources = self.looking.sources
        loaded = weights.load(name, own=sources.own.get(name), download=sources.download, progress=sources.progress)
        digest = checkpoints.digest_of_tensors(loaded.tensors)
        module = Inception(loaded.tensors) if name == "inception" else Lpips(self.looking.backbone, loaded.tensors)
        module = (module.halve() if self.looking.computing.half else module).to(self.device)
        return Network(module=module, found=loaded.found, digest=digest)

    def of(self, metric: Metric) -> Network:
        """Return the network of a learned metric."""
        return self._loaded[self._name(metric)]

    def settings(self, metric: Metric) -> dict[str, float | str]:
        """Return what makes the score of a learned metric comparable."""
        looking, own = self.looking, {}
        if metric.of == "pairs":
            own = {"backbone": looking.backbone}
        else:
            layer = CLASSES if metric.name == "is" else looking.layer
            own = {"preset": looking.preset, "layer": layer}
        if metric.name in ("kid", "is"):
            own["seed"] = looking.seed
        return self.of(metric).settings | own | {"precision": looking.computing.precision}


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
