"""A network and the Adam that trains it, with what a checkpoint keeps of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ffltool import ranks
from ffltool.errors import InputError

_MOMENTS = ("exp_avg", "exp_avg_sq")  # as torch calls them, each of the shape of its parameter


class Learner:
    """A network on a device; to be trained it is called as ``shared``, which averages gradients under torchrun."""

    def __init__(self, network: nn.Module, *, betas: tuple[float, float], device: torch.device) -> None:
        self.network = self.shared = network.to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), betas=betas, fused=device.type == "cuda")

    def share(self) -> None:
        """Share the work with the processes of the group."""
        self.shared = DistributedDataParallel(self.network) if ranks.world() > 1 else self.network

    def descend(self, loss: Tensor, *, lr: float) -> None:
        """Make a step of that length at most for each weight."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()

    @property
    def is_finite(self) -> bool:
        """Whether all weights are."""
        return all(bool(value.isfinite().all()) for value in self.network.state_dict().values())

    def state(self) -> dict[str, dict[Any, Any]]:
        """Return weights and moments, which are this learner's own and not copies."""
        return {"weights": self.network.state_dict(), "moments": self.optimizer.state_dict()["state"]}

    def take(self, state: object) -> None:
        """Take over the weights and moments of a state.

        Raises
        ------
        InputError : if it is that of no network like this one.
        """
        parts: Mapping[str, object] = state if isinstance(state, Mapping) else {}
        weights, moments = parts.get("weights"), parts.get("moments")
        expected = {
            number: dict.fromkeys(_MOMENTS, parameter) | {"step": torch.zeros(())}
            for number, parameter in enumerate(self.network.parameters())
        }
        if not (
            _alike(weights, self.network.state_dict())
            and isinstance(moments, Mapping)
            and moments.keys() == expected.keys()
            and all(_alike(moments[number], each) for number, each in expected.items())
        ):
            raise InputError("the checkpoint does not hold the weights and moments of this model")
        self.network.load_state_dict(weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _alike(found: object, expected: Mapping[str, Tensor]) -> TypeGuard[Mapping[str, Tensor]]:
    """Tell whether these are tensors of the names, shapes and types expected."""
    return (
        isinstance(found, Mapping)
        and found.keys() == expected.keys()
        and all(isinstance(each, Tensor) and _form(each) == _form(expected[name]) for name, each in found.items())
    )


def _form(tensor: Tensor) -> tuple[torch.Size, torch.dtype, torch.layout, bool]:
    return tensor.shape, tensor.dtype, tensor.layout, tensor.is_meta
