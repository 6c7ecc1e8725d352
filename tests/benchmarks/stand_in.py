"""Weights of networks that are none of a trained one: what a network computes does not change its time."""

import torch

from ffltool.networks import SHAPES


def stand_in(network):
    """Return weights of a network, drawn so that features neither vanish nor grow."""
    generator, tensors = torch.Generator().manual_seed(1), {}
    for name, shape in SHAPES[network].items():
        values = torch.randn(shape, generator=generator)
        positive = name.endswith(("bn.weight", "running_var"))
        fan_in = torch.Size(shape[1:]).numel()
        tensors[name] = (
            1 + 0.1 * values.tanh() if positive else values * ((2 / fan_in) ** 0.5 if len(shape) > 1 else 0.1)
        )
    return tensors
