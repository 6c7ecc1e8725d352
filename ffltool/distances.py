"""Squared distances between spectra, each frequency weighted by its own distance (Eqs. 8-10 of the paper).

Everything here works on *planes*, shape (planes, ...sizes): channels of images, or patches of them.

With d = pred - target the distance of a plane is d^T A d, where A = F^H diag(w) F and the weight w is held fixed, and
its gradient is 2 A d: one real transform of the difference forth and one back give both, on half the frequencies, for
the others mirror them.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Protocol

import torch
from torch import Tensor

from ffltool.errors import InputError
from ffltool.spectrum import dct, power_of

TRANSFORMS = ("dft", "dct", "none")
COMPONENTS = ("complex", "amplitude", "phase")
_BLOCK = 2**18  # values whose spectrum, weight and gradient stay in a core's cache
_LARGE = 2**13  # coefficients of a plane whose columns are turned by tiles
_SMALLEST_BLOCK = 2**15  # below this many the steps cost more than the arithmetic


@dataclass(frozen=True)
class Focus:
    """How the weight follows from the difference (Eq. 9)."""

    alpha: float
    log_matrix: bool = False
    batch_matrix: bool = False
    exclude_dc: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < math.inf:
            raise InputError(f"alpha must be 0 or more and finite, got {self.alpha}")


def distances(
    pred: Tensor,
    target: Tensor,
    focus: Focus,
    *,
    matrix: Tensor | None,
    transform: str,
    component: str,
) -> Tensor:
    """Return the weighted squared distance of each plane, summed over its coefficients, shape (planes,).

    Parameters
    ----------
    pred, target : planes; half precision is computed in float32.
    matrix : weights in place of Eq. 9, of the planes' shape, or as `mirrored` returns them for the DFT.
    transform, component : as in `ffltool.loss.focal_frequency_loss`.
    """
    if transform == "dft" and component == "complex":
        differentiated = torch.is_grad_enabled() and (pred.requires_grad or target.requires_grad)
        compute = _Distances.apply if differentiated else _Distances.forward
        return compute(pred, target, matrix, focus, differentiated)[0]

    axes, dtype = _axes(pred), computed_in(pred, target)
    pred, target = pred.to(dtype), target.to(dtype)
    if transform == "dft":
        one, other = (torch.fft.rfftn(planes, dim=axes, norm="ortho") for planes in (pred, target))
        distance = one.abs() - other.abs() if component == "amplitude" else _angle(one, other)
    else:
        distance = dct(pred - target, axes=len(axes)) if transform == "dct" else pred - target
    squared = distance.square()
    weighted = squared * (weights(squared.detach(), focus) if matrix is None else matrix)
    return _sum(weighted, pred.shape[-1]) if transform == "dft" else weighted.sum(axes)


class _Context(Protocol):
    """What torch hands to a backward pass, with what is kept for it here."""

    pred: Tensor
    target: Tensor
    matrix: Tensor | None
    focus: Focus
    gradient: Tensor | None
    versions: list[int | None] | None
    needs_input_grad: tuple[bool, ...]

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs have no gradient."""

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether a gradient that there is not comes as zeros, instead of None."""


class _Distances(torch.autograd.Function):
    """Distances of the whole DFT and, in the same pass over each block of planes, their gradient times half their size.

    The gradient is handed over to the first backward pass, which scales it in place: memory that is new to a process
    costs as much as a transform. A second pass, or one that will be differentiated itself, computes it again. Only
    these need the inputs, so the context holds them by itself: saved for backward, they could not be changed before
    the first pass either.
    """

    @staticmethod
    def forward(
        pred: Tensor, target: Tensor, matrix: Tensor | None, focus: Focus, differentiated: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Return the distances, shape (planes,), and the gradient as `_block` does."""
        blocks = _blocks(pred, whole=focus.batch_matrix)
        if len(blocks) == 1:
            return _block(pred, target, matrix, focus, differentiated)
        gradient = pred.new_empty(pred.shape, dtype=computed_in(pred, target)) if differentiated else None
        sums = []
        for block in blocks:
            given = None if matrix is None else matrix[block]
            distance, part = _block(pred[block], target[block], given, focus, differentiated)
            sums.append(distance)
            if gradient is not None and part is not None:
                gradient[block] = part
        return torch.cat(sums), gradient

    @staticmethod
    def setup_context(
        ctx: _Context, inputs: tuple[Tensor, Tensor, Tensor | None, Focus, bool], output: tuple[Tensor, Tensor]
    ) -> None:
        """Keep what a backward pass needs."""
        ctx.pred, ctx.target, ctx.matrix, ctx.focus, _ = inputs
        ctx.gradient = output[1]
        ctx.versions = None if torch.compiler.is_compiling() else _versions(inputs[:3])
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: _Context, of_sums: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
        """Return the gradients of pred and target, given those of the distances, shape (planes,)."""
        if of_sums is None:
            return (None,) * 5
        pred, target, matrix, gradient = ctx.pred, ctx.target, ctx.matrix, ctx.gradient
        factors = (2 / pred[0].numel() * of_sums).reshape(-1, *[1] * len(_axes(pred)))
        if gradient is not None and torch.compiler.is_compiling():
            gradient = gradient * factors  # a compiled pass may run again on the gradient that it holds
        elif gradient is None or torch.is_grad_enabled():
            if ctx.versions != _versions((pred, target, matrix)):
                raise RuntimeError("pred or target was changed in place, and this backward pass needs it as it was")
            gradient = _gradient(pred, target, matrix, ctx.focus) * factors
        else:
            gradient, ctx.gradient = gradient.mul_(factors), None
        of_pred = gradient.to(pred.dtype) if ctx.needs_input_grad[0] else None
        of_target = -gradient.to(target.dtype) if ctx.needs_input_grad[1] else None
        return of_pred, of_target, None, None, None


# torch binds the arguments at each call, for which it would work the signature out anew;
# that a function can have one, type checkers do not know
_Distances.forward.__signature__ = inspect.signature(_Distances.forward)  # type: ignore[attr-defined]


def _block(
    pred: Tensor, target: Tensor, matrix: Tensor | None, focus: Focus, differentiated: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the distances of planes and, where it will be asked for, their gradient times half their size.

    Transforms are not scaled on the way: a spectrum is that of the unitary one times the square root of the size.
    """
    dtype, size = computed_in(pred, target), pred[0].numel()
    spectrum = _forth(pred.to(dtype) - target.to(dtype))
    squared = power_of(spectrum)
    if matrix is None:
        matrix = weights(squared.detach() / size if focus.log_matrix else squared.detach(), focus)
    sums = _sum(squared.mul_(matrix), pred.shape[-1]) / size
    if not differentiated:
        return sums, None
    spectrum.mul_(matrix)
    del squared, matrix  # the transform back needs room of its own
    return sums, _back(spectrum, pred.shape)


def _forth(planes: Tensor) -> Tensor:
    """Return half the spectrum of planes, not scaled, in the layout that is nearest."""
    spectrum: Tensor
    if _by_rows_and_columns(planes):
        spectrum = torch.fft.fft(torch.fft.rfft(planes, dim=2), dim=1)
    else:
        spectrum = torch.fft.rfftn(planes, dim=_axes(planes))
    return spectrum


def _back(spectrum: Tensor, shape: Sequence[int]) -> Tensor:
    """Return planes of that shape from half their spectrum, not scaled."""
    planes: Tensor
    if not _by_rows_and_columns(spectrum):
        planes = torch.fft.irfftn(spectrum, s=shape[1:], dim=_axes(spectrum), norm="forward")
        return planes
    columns = torch.fft.ifft(spectrum, dim=1, norm="forward")
    # columns lie behind one another, at strides of a power of two, where a transform of rows would miss the cache
    rows = columns.new_empty(columns.shape)
    if rows[0].numel() < _LARGE:
        rows.copy_(columns)
    else:
        for turned, plane in zip(rows, columns, strict=True):  # of one plane torch makes tiles, of many it does not
            turned.copy_(plane)
    planes = torch.fft.irfft(rows, n=shape[-1], dim=2, norm="forward")
    return planes


def _by_rows_and_columns(planes: Tensor) -> bool:
    """Tell whether to transform rows and columns each by themselves, which on a CPU is faster than both in one call."""
    return planes.ndim == 3 and planes.device.type == "cpu" and not torch.compiler.is_compiling()


def _versions(tensors: Sequence[Tensor | None]) -> list[int | None]:
    """Return how often each was changed in place, where torch counts it."""
    return [None if tensor is None or tensor.is_inference() else tensor._version for tensor in tensors]


def _gradient(pred: Tensor, target: Tensor, matrix: Tensor | None, focus: Focus) -> Tensor:
    """Return what `_block` does of the gradient, in steps that can be differentiated themselves."""
    axes, dtype, size = _axes(pred), computed_in(pred, target), pred[0].numel()
    spectrum = torch.fft.rfftn(pred.to(dtype) - target.to(dtype), dim=axes)
    if matrix is None:
        squared = power_of(spectrum.detach())
        matrix = weights(squared / size if focus.log_matrix else squared, focus)
    gradient: Tensor = torch.fft.irfftn(spectrum * matrix, s=pred.shape[1:], dim=axes, norm="forward")
    return gradient


def _blocks(planes: Tensor, *, whole: bool) -> list[slice]:
    """Return slices of planes that fit into a core's cache, each a third of all at most; or one slice of all."""
    if whole or planes.device.type != "cpu" or torch.compiler.is_compiling():
        return [slice(None)]
    values = min(_BLOCK, max(_SMALLEST_BLOCK, planes.numel() // 3))
    step = max(1, values // planes[0].numel())
    return [slice(start, start + step) for start in range(0, len(planes), step)]


def weights(squared: Tensor, focus: Focus) -> Tensor:
    """Return the weight (Eq. 9) of every frequency, 0 to 1, given the squared distances of planes, same shape."""
    zero, axes = zero_frequency(squared), list(range(0 if focus.batch_matrix else 1, squared.ndim))
    if focus.log_matrix:
        squared = (squared ** (focus.alpha / 2)).log1p().square()
    if focus.exclude_dc:
        squared = squared.clone()
        squared[zero].fill_(0)  # where `= 0` would make a GPU wait
    # divided before it is raised to a power, so that this neither overflows nor underflows; equal images: 0 / tiny
    weight = squared / squared.amax(axes, keepdim=True).clamp_min(torch.finfo(squared.dtype).tiny)
    if focus.log_matrix or focus.alpha == 1:
        weight.sqrt_()
    else:
        weight **= focus.alpha / 2
    if focus.exclude_dc:
        weight[zero].fill_(0)  # which alpha 0 made 1
    return weight


def mirrored(matrix: Tensor) -> Tensor:
    """Return given weights of planes on the half of the frequencies that `rfftn` computes, along the last axis.

    A frequency and its mirror image have one distance, so they share the mean of their weights.
    """
    axes = _axes(matrix)
    mirror = matrix.flip(axes).roll([1] * len(axes), axes)
    return ((matrix + mirror) / 2)[..., : matrix.shape[-1] // 2 + 1]


def _sum(values: Tensor, width: int) -> Tensor:
    """Sum each plane over all frequencies, given the half that `rfftn` computes of planes that wide.

    All columns stand for their mirror images too, but for that of frequency 0 and, in even widths, Nyquist's.
    """
    alone = values[..., :: values.shape[-1] - 1] if width % 2 == 0 else values[..., :1]
    return 2 * values.sum(_axes(values)) - alone.sum(_axes(values))


def _angle(one: Tensor, other: Tensor) -> Tensor:
    """Return the angle between spectra in -pi..pi; a zero has every phase, and is at no angle to anything."""
    product = one * other.conj()
    return torch.angle(product).masked_fill(product == 0, 0.0)


def zero_frequency(planes: Tensor) -> tuple[EllipsisType | int, ...]:
    """Return the index of the zero frequency of every plane."""
    return (..., *[0] * len(_axes(planes)))


def _axes(planes: Tensor) -> list[int]:
    return list(range(1, planes.ndim))


def computed_in(*tensors: Tensor) -> torch.dtype:
    """Return the type that these are computed in: float32, or float64 if one is."""
    return torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32
