"""What tests of the loss share: what is compared, images, gradients, and when results are near."""

import pytest
import torch

# what is compared, and how the loss is told
KINDS = {
    "dft": {},
    "dct": {"transform": "dct"},
    "pixels": {"transform": "none"},
    "amplitude": {"component": "amplitude"},
    "phase": {"component": "phase"},
}
WITHOUT_DC = [{"exclude_dc": True, **options} for kind, options in KINDS.items() if kind != "pixels"]


def kinds(*names):
    return pytest.mark.parametrize("kind", [KINDS[name] for name in names], ids=names)


each_kind = kinds(*KINDS)


def images(*shape, dtype=torch.float64, seed=1):
    """Random images to compare, in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, *shape, generator=generator, dtype=dtype).unbind()


def graded(loss, *tensors, **options):
    """A loss and its gradient in each of the tensors."""
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    value = loss(*leaves, **options)
    return value.detach(), *torch.autograd.grad(value.sum(), leaves)


def assert_near(actual, expected, tolerance=1e-10):
    """Equal but for rounding, measured against the norm of the whole; what is expected to be 0 must be exactly 0."""
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert torch.linalg.vector_norm(actual - expected) <= tolerance * torch.linalg.vector_norm(expected)


def assert_all_near(actual, expected, tolerance=1e-10):
    for one, other in zip(actual, expected, strict=True):
        assert_near(one, other, tolerance)
