"""Focal frequency loss (Jiang, Dai, Wu, Loy; ICCV 2021).

    w(u, v) = |F_pred(u, v) - F_target(u, v)|^alpha, divided by its largest value        (Eq. 9)
    FFL     = mean over (u, v) of w(u, v) |F_pred(u, v) - F_target(u, v)|^2              (Eq. 10)

with F the orthonormal DFT of one channel of one image (or of a patch of it). To the gradient w is a constant.
At the edges: equal images have loss 0 and gradient 0, NaN in gives NaN out, and ``alpha=0`` is the mean squared error,
by Parseval's theorem.

float16 and bfloat16 are computed in float32 and returned in their type, under autocast too: where both inputs are
float16 so is the loss, which a large gradient scale overflows; pass ``pred.float()`` then. ``torch.compile`` makes one
graph of it, and nothing waits for the device. Double backward works with the weights held fixed, ``torch.func.grad``
too; ``torch.func.vmap`` over it, and forward mode over the gradient, raise torch's error.
"""

from __future__ import annotations

import math
from numbers import Integral

import torch
from torch import Tensor, nn

from ffltool.distances import COMPONENTS, TRANSFORMS, Focus, computed_in, distances, mirrored, zero_frequency
from ffltool.errors import InputError, ShapeError
from ffltool.radial import frequency_radius
from ffltool.spectrum import power_of

REDUCTIONS = ("mean", "sum", "none")
_PROBABILITIES = 1.2e-38, 1 - 1e-6  # outside these a logarithm would be infinite in float32


def focal_frequency_loss(
    pred: Tensor,
    target: Tensor,
    matrix: Tensor | None = None,
    *,
    alpha: float = 1.0,
    patch_factor: int = 1,
    ave_spectrum: bool = False,
    log_matrix: bool = False,
    batch_matrix: bool = False,
    transform: str = "dft",
    component: str = "complex",
    reduction: str = "mean",
    exclude_dc: bool = False,
    pad: bool = False,
) -> Tensor:
    """Return the focal frequency loss of `pred` against `target`.

    Parameters
    ----------
    pred, target : tensors of one shape, (C, H, W), (N, C, H, W) or (N, C, D, H, W), in any range: the loss grows with
        its square. The transform is over all axes after C. Half precision is computed in float32.
    matrix : weights in [0, 1] in place of Eq. 9, zero frequency first (not centred), of a shape that broadcasts to
        (N, C, H, W), or (N, patches, C, h, w) for patches.
    alpha : exponent of the weight; 0 weighs all frequencies alike, more looks at the worst ones only.
    patch_factor : cut every axis into this many parts; each patch has a spectrum and weights of its own.
    ave_spectrum : compare the mean spectra of the batch, not those of each image.
    log_matrix : weigh by the logarithm, ln(|difference|^alpha + 1).
    batch_matrix : divide the weight by the largest of the batch, not of each channel of each image.
    transform : "dft"; "dct" (orthonormal DCT-II); or "none", which weighs the pixels themselves.
    component : what of the DFT is compared: "complex" values, "amplitude", or "phase" on the full circle, in radians.
    reduction : "mean"; "sum" over all frequencies; or "none" for the mean of each image, shape (N,); () for one
        without N, (1,) with ``ave_spectrum``.
    exclude_dc : leave out the zero frequency, from the weight's largest value too.
    pad : append zeros where `patch_factor` does not divide a side, instead of raising.

    Returns
    -------
    tensor without dimensions (but for reduction "none"), of the input's type.

    Raises
    ------
    ShapeError : for shapes that differ, have another rank, do not broadcast, or cannot be cut into patches.
    InputError : for integers, and options out of their range.

    Examples
    --------
    A difference at a single frequency has weight 1 there, and the loss is the mean squared error:

    >>> target = torch.zeros(1, 1, 8, 8)
    >>> pred = target + 0.5
    >>> focal_frequency_loss(pred, target)
    tensor(0.2500)
    """
    _check(pred, target, transform=transform, component=component, reduction=reduction, exclude_dc=exclude_dc)
    focus = Focus(alpha, log_matrix, batch_matrix, exclude_dc)
    dtype, single = torch.promote_types(pred.dtype, target.dtype), pred.ndim == 3
    if single:
        pred, target = pred[None], target[None]
    if ave_spectrum:
        kind = computed_in(pred, target)
        pred, target = (images.to(kind).mean(0, keepdim=True) for images in (pred, target))

    pred, target = (_patches(images, patch_factor, pad=pad) for images in (pred, target))
    if matrix is not None:
        matrix = _given(matrix, pred, patches=patch_factor > 1, averaged=ave_spectrum, exclude_dc=exclude_dc)
        matrix = mirrored(matrix) if transform == "dft" else matrix
    planes = pred.flatten(0, 2), target.flatten(0, 2)
    sums = distances(*planes, focus, matrix=matrix, transform=transform, component=component)

    if reduction == "sum":
        return sums.sum().to(dtype)
    per_image = reduction == "none" and not single
    mean = sums.reshape(pred.shape[:3]).mean((1, 2)) if per_image else sums.mean()
    return (mean / math.prod(pred.shape[3:])).to(dtype)


def _check(pred: Tensor, target: Tensor, *, transform: str, component: str, reduction: str, exclude_dc: bool) -> None:
    if pred.shape != target.shape:
        raise ShapeError(f"pred {tuple(pred.shape)} and target {tuple(target.shape)} must have one shape")
    if not 3 <= pred.ndim <= 5 or not pred.numel():
        raise ShapeError(f"(C, H, W), (N, C, H, W) or (N, C, D, H, W) is wanted, got {tuple(pred.shape)}")
    for name, images in (("pred", pred), ("target", target)):
        if not images.is_floating_point():
            raise InputError(f"{name} must be of a floating-point type, got {images.dtype}; scale 8-bit images to 0..1")
    for name, value, known in (
        ("transform", transform, TRANSFORMS),
        ("component", component, COMPONENTS),
        ("reduction", reduction, REDUCTIONS),
    ):
        if value not in known:
            raise InputError(f"{name} cannot be {value!r}; known are {', '.join(known)}")
    if component != "complex" and transform != "dft":
        raise InputError(f"component {component!r} is one of the DFT; transform {transform!r} has none")
    if exclude_dc and transform == "none":
        raise InputError("exclude_dc needs a transform: pixels have no zero frequency")


def _patches(images: Tensor, factor: int, *, pad: bool) -> Tensor:
    """Cut images, shape (N, C, ...sizes), into `factor` parts along each axis: (N, patches, C, ...smaller sizes)."""
    if factor == 1:
        return images[:, None]
    if not isinstance(factor, Integral) or factor < 1:
        raise InputError(f"patch_factor must be a whole number from 1 on, got {factor}")
    sizes = images.shape[2:]
    short = [-size % factor for size in sizes]
    if any(short) and not pad:
        size = next(size for size, lack in zip(sizes, short, strict=True) if lack)
        raise ShapeError(f"patch_factor {factor} does not divide the side {size}; pad=True appends zeros")
    # the parts of axis i are axes 2 + 2 i (which part) and 3 + 2 i (where in it)
    images = nn.functional.pad(images, [side for lack in reversed(short) for side in (0, lack)])
    for axis in range(len(sizes)):
        images = images.unflatten(2 + 2 * axis, (factor, -1))
    parts = range(2, images.ndim, 2)
    return images.permute(0, *parts, 1, *(part + 1 for part in parts)).flatten(1, len(sizes))


def _given(matrix: Tensor, images: Tensor, *, patches: bool, averaged: bool, exclude_dc: bool) -> Tensor:
    """Return given weights as one plane for each of those of `images`, shape (N, patches, C, ...sizes)."""
    given = matrix.detach().to(images.device, computed_in(images))
    if given.ndim == images.ndim - 1 and not patches:
        given = given[:, None]  # (N, C, ...sizes)
    if averaged and given.ndim == images.ndim:
        given = given.mean(0)
    try:
        given = given.expand(images.shape).flatten(0, 2)
    except RuntimeError as error:
        wanted = tuple(images.shape if patches else images[:, 0].shape)
        raise ShapeError(f"matrix {tuple(matrix.shape)} does not broadcast to {wanted}") from error
    if exclude_dc:
        given = given.clone()
        given[zero_frequency(given)].fill_(0)
    return given


def spectral_regularization(pred: Tensor, target: Tensor) -> Tensor:
    """Return the spectral regularisation loss of Durall, Keuper, Keuper (CVPR 2020), differentiable.

    The binary cross entropy between radial profiles: the power at each radius up to the Nyquist frequency, averaged
    over rings one frequency wide, over channels and, for `target`, over the batch, divided by that of the zero
    frequency and cut so that its logarithms stay finite.

    Parameters
    ----------
    pred, target : tensors, shape (N, C, H, W), brighter on average than they vary, such as 0..1; their N may differ.

    Returns
    -------
    tensor without dimensions; its smallest value, for equal profiles, is their entropy and not 0. A black image has
    no profile: its value is finite, its gradient is not.

    Raises
    ------
    ShapeError : for other shapes or integers, or if more than N differs.
    """
    for images in (pred, target):
        shaped = images.ndim == 4 and images.numel() and images.shape[1:] == pred.shape[1:]
        if not shaped or not images.is_floating_point():
            raise ShapeError(
                f"pred {tuple(pred.shape)} and target {tuple(target.shape)} must be floating-point batches (N, C, H, W)"
            )
    dtype = torch.promote_types(pred.dtype, target.dtype)
    profile, expected = (_normalised_profile(images.to(computed_in(pred, target))) for images in (pred, target))
    expected, inner = expected.mean(0, keepdim=True), profile.clamp(*_PROBABILITIES)
    entropy: Tensor = -(torch.xlogy(expected, inner) + torch.special.xlog1py(1 - expected, -inner))
    return (entropy[:, 1:].sum(1) / profile.shape[1]).mean().to(dtype)  # at zero frequency both are 1: no entropy


def _normalised_profile(images: Tensor) -> Tensor:
    power = power_of(torch.fft.fft2(images)).mean(1).flatten(1)
    longest = max(images.shape[-2:])
    ring = (frequency_radius(*images.shape[-2:]) * longest).round().long().flatten()
    counts = ring.bincount()
    sums = power.new_zeros(len(power), len(counts)).index_add(1, ring.to(power.device), power)
    profile = (sums / counts.to(power))[:, : longest // 2 + 1]
    return (profile / profile[:, :1].clamp_min(_PROBABILITIES[0])).clamp_max(1)


class FocalFrequencyLoss(nn.Module):
    """Focal frequency loss as a module: the arguments and the call of the package ``focal-frequency-loss``.

    Parameters
    ----------
    loss_weight : factor of the result; the others are those of `focal_frequency_loss`.

    Examples
    --------
    >>> loss = FocalFrequencyLoss(loss_weight=10.0)
    >>> loss(torch.ones(1, 3, 16, 16), torch.zeros(1, 3, 16, 16))
    tensor(10.)
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        alpha: float = 1.0,
        patch_factor: int = 1,
        ave_spectrum: bool = False,
        log_matrix: bool = False,
        batch_matrix: bool = False,
        *,
        transform: str = "dft",
        component: str = "complex",
        reduction: str = "mean",
        exclude_dc: bool = False,
        pad: bool = False,
    ) -> None:
        super().__init__()
        self.loss_weight, self.alpha, self.patch_factor = loss_weight, alpha, patch_factor
        self.ave_spectrum, self.log_matrix, self.batch_matrix = ave_spectrum, log_matrix, batch_matrix
        self.transform, self.component, self.reduction = transform, component, reduction
        self.exclude_dc, self.pad = exclude_dc, pad

    def forward(self, pred: Tensor, target: Tensor, matrix: Tensor | None = None) -> Tensor:
        """Return the loss of `pred` against `target`, both (C, H, W), (N, C, H, W) or (N, C, D, H, W)."""
        loss = focal_frequency_loss(
            pred,
            target,
            matrix,
            alpha=self.alpha,
            patch_factor=self.patch_factor,
            ave_spectrum=self.ave_spectrum,
            log_matrix=self.log_matrix,
            batch_matrix=self.batch_matrix,
            transform=self.transform,
            component=self.component,
            reduction=self.reduction,
            exclude_dc=self.exclude_dc,
            pad=self.pad,
        )
        return self.loss_weight * loss
