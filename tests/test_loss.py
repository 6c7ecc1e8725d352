import inspect
import math
import re
from itertools import product

import numpy as np
import pytest
import scipy.fft
import torch
from focal_frequency_loss import FocalFrequencyLoss as Package

from ffltool.errors import InputError, ShapeError
from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss, spectral_regularization

# rounding of float32 and float64, relative to the value or to the norm of the gradient
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}

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
each_spectrum = kinds("dft", "dct", "amplitude", "phase")
each_precision = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)

# torch warns of its own forward-mode code
ignore_torch_jit = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")


pytestmark = pytest.mark.usefixtures("one_thread")


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


def slow_distance(pred, target, *, transform="dft", component="complex"):
    """How far each coefficient of one plane (or volume) is from that of another."""
    if transform == "dct":
        return torch.as_tensor(scipy.fft.dctn((pred - target).detach().numpy(), norm="ortho")).abs()
    if transform == "none":
        return (pred - target).abs()
    one, other = (torch.fft.fftn(plane, norm="ortho") for plane in (pred, target))
    if component == "amplitude":
        return (one.abs() - other.abs()).abs()
    if component == "phase":
        return (one.angle() - other.angle() + math.pi) % (2 * math.pi) - math.pi  # wrapped into -pi .. pi
    return (one - other).abs()


def slow_weight(distance, *, alpha=1.0, exclude_dc=False):
    """Eq. 9."""
    weight = distance.detach().abs() ** alpha
    if exclude_dc:
        weight.flatten()[0] = 0
    return weight / weight.max()


def slow_loss(pred, target, *, alpha=1.0, exclude_dc=False, **kind):
    """Eq. 10 for each image, one channel after the other."""
    means = []
    for image, wanted in zip(pred, target, strict=True):
        distances = [slow_distance(plane, other, **kind) for plane, other in zip(image, wanted, strict=True)]
        weights = [slow_weight(distance, alpha=alpha, exclude_dc=exclude_dc) for distance in distances]
        means.append(torch.stack([(w * d**2).mean() for w, d in zip(weights, distances, strict=True)]).mean())
    return torch.stack(means)


def mean_slow_loss(pred, target, **kind):
    return slow_loss(pred, target, **kind).mean()


def slow_patches(batch, factor):
    """The parts of images or volumes, row by row, cut out one at a time."""
    sizes = batch.shape[2:]
    steps = [range(0, size, size // factor) for size in sizes]
    parts = [size // factor for size in sizes]
    return [
        batch[(..., *(slice(start, start + part) for start, part in zip(corner, parts, strict=True)))]
        for corner in product(*steps)
    ]


# the package focal-frequency-loss 0.3.0


@each_precision
@pytest.mark.parametrize("flags", list(product([False, True], repeat=3)), ids=str)
@pytest.mark.parametrize("patch_factor", [1, 2, 4])
@pytest.mark.parametrize("alpha", [0, 0.1, 0.5, 1, 2])
def test_equals_the_package_in_value_and_gradients(alpha, patch_factor, flags, dtype):
    pair = images(2, 3, 12, 20, dtype=dtype)
    ours, package = (Loss(1.0, alpha, patch_factor, *flags) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("ave_spectrum", [False, True])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (1, 1, 1, 6), (2, 1, 7, 1), (1, 1, 7, 5), (1, 3, 9, 16), (3, 2, 16, 9), (4, 1, 2, 2)]
)
def test_equals_the_package_for_odd_and_non_square_sizes(shape, ave_spectrum, dtype):
    pair = images(*shape, dtype=dtype)
    ours, package = (Loss(ave_spectrum=ave_spectrum) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("batch_matrix", [False, True])
def test_equals_the_package_for_images_of_a_usual_size(batch_matrix, dtype):
    pair = images(2, 3, 256, 240, dtype=dtype)
    ours, package = (Loss(batch_matrix=batch_matrix) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((8, 10), {}),
        ((3, 8, 10), {}),
        ((2, 1, 3, 8, 10), {}),
        ((1, 1, 3, 8, 10), {}),
        ((2, 1, 1, 1, 1), {}),
        ((8, 10), {"alpha": 2.0, "log_matrix": True, "batch_matrix": True}),
        ((3, 8, 10), {"ave_spectrum": True}),
        ((4, 5), {"patch_factor": 2}),
        ((3, 4, 5), {"patch_factor": 2}),
        ((2, 1, 3, 4, 5), {"patch_factor": 2}),
        ((2, 4, 3, 4, 5), {"patch_factor": 2}),
        ((1, 4, 3, 4, 5), {"patch_factor": 2, "ave_spectrum": True}),
    ],
    ids=str,
)
def test_equals_the_package_with_a_given_matrix(shape, options, dtype):
    pair, (matrix, _) = images(2, 3, 8, 10, dtype=dtype), images(*shape, dtype=dtype, seed=2)
    ours, package = (Loss(**options) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair, matrix=matrix), graded(package, *pair, matrix=matrix), TOLERANCE[dtype])


@each_precision
def test_equals_the_package_with_a_loss_weight(dtype):
    pair = images(2, 3, 8, 10, dtype=dtype)
    assert_all_near(graded(FocalFrequencyLoss(2.5), *pair), graded(Package(2.5), *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("scale", [255, 1e-4])
@pytest.mark.parametrize("log_matrix", [False, True])
def test_equals_the_package_in_any_range_of_values(log_matrix, scale, dtype):
    pair = [scale * batch for batch in images(2, 3, 8, 10, dtype=dtype)]
    ours, package = (Loss(log_matrix=log_matrix) for Loss in (FocalFrequencyLoss, Package))
    # the package in double precision: in single precision its ln(x + 1) of a small x keeps three digits
    expected = graded(package, *(batch.double() for batch in pair))
    assert_all_near(graded(ours, *pair), [result.to(dtype) for result in expected], TOLERANCE[dtype])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alpha": 0.5},
        {"alpha": 2.0},
        {"log_matrix": True},
        {"batch_matrix": True},
        {"ave_spectrum": True},
        {"patch_factor": 2},
    ],
    ids=str,
)
def test_a_gradient_penalty_has_the_gradient_of_the_package(options):
    def penalty(loss):
        def penalty(*pair):
            gradients = torch.autograd.grad(loss(*pair), pair, create_graph=True)
            return gradients[0].square().sum() + gradients[1].pow(3).sum()

        return graded(penalty, *images(2, 3, 8, 10))

    assert_all_near(penalty(FocalFrequencyLoss(**options)), penalty(Package(**options)))


# the definition, for what the package does not have


@each_kind
@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (1, 1, 7, 9), (2, 1, 5, 8), (1, 2, 1, 6)])
def test_equals_the_slow_definition(shape, alpha, kind):
    pred, target = images(*shape)
    actual = focal_frequency_loss(pred, target, alpha=alpha, reduction="none", **kind)
    assert_near(actual, slow_loss(pred, target, alpha=alpha, **kind))


@kinds("dft", "pixels", "amplitude", "phase")  # scipy's DCT has no gradient
@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (1, 1, 7, 9), (2, 1, 5, 8)])
def test_has_the_gradients_of_the_slow_definition(shape, kind):
    pair = images(*shape)
    actual = graded(focal_frequency_loss, *pair, **kind)
    assert_all_near(actual, graded(mean_slow_loss, *pair, **kind))


@kinds("dft", "dct", "pixels")
@pytest.mark.parametrize("patch_factor", [1, 2])
def test_alpha_0_is_the_mean_squared_error(patch_factor, kind):
    pair = images(2, 3, 6, 10)
    actual = graded(focal_frequency_loss, *pair, alpha=0, patch_factor=patch_factor, **kind)
    assert_all_near(actual, graded(torch.nn.functional.mse_loss, *pair))


@each_kind
@pytest.mark.parametrize("shape", [(2, 3, 8, 12), (1, 1, 6, 10), (2, 2, 4, 6, 8)])
def test_patches_are_images_of_their_own(shape, kind):
    pred, target = images(*shape)
    parts = zip(slow_patches(pred, 2), slow_patches(target, 2), strict=True)
    expected = torch.stack([focal_frequency_loss(*part, reduction="none", **kind) for part in parts]).mean(0)
    assert_near(focal_frequency_loss(pred, target, patch_factor=2, reduction="none", **kind), expected)


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 4, 6, 8), (1, 1, 2, 6, 10)])
def test_volumes_equal_the_slow_definition(shape, patch_factor, kind):
    pred, target = images(*shape)
    parts = zip(slow_patches(pred, patch_factor), slow_patches(target, patch_factor), strict=True)
    expected = torch.stack([slow_loss(*part, **kind) for part in parts]).mean(0)
    assert_near(focal_frequency_loss(pred, target, patch_factor=patch_factor, reduction="none", **kind), expected)


@kinds("dft", "pixels", "amplitude", "phase")
@pytest.mark.parametrize("shape", [(2, 1, 3, 5, 7), (1, 2, 4, 3, 6)])
def test_volumes_have_the_gradients_of_the_slow_definition(shape, kind):
    pair = images(*shape)
    actual = graded(focal_frequency_loss, *pair, **kind)
    assert_all_near(actual, graded(mean_slow_loss, *pair, **kind))


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
def test_one_image_without_a_batch_is_a_batch_of_one(patch_factor, kind):
    pair, options = images(3, 8, 6), {"patch_factor": patch_factor, **kind}
    actual = graded(focal_frequency_loss, *pair, **options)
    value, *gradients = graded(focal_frequency_loss, *(image[None] for image in pair), **options)
    assert_all_near(actual, (value, *(gradient[0] for gradient in gradients)), 0)


# answers known by hand


def two_waves():
    """Waves of 1 and 2 periods with amplitudes 1 and 1/2, each of them two coefficients: of 4 and of 2, on 8 x 8."""
    x = torch.arange(8, dtype=torch.float64) / 8
    return torch.cos(2 * math.pi * x).expand(8, 8), (torch.cos(4 * math.pi * x)[:, None] / 2).expand(8, 8)


@pytest.mark.parametrize(
    ("options", "second_weight"),
    [
        ({"alpha": 0}, 1),
        ({}, 1 / 2),
        ({"alpha": 2.0}, 1 / 4),
        ({"log_matrix": True}, math.log(2 + 1) / math.log(4 + 1)),
        ({"log_matrix": True, "alpha": 2.0}, math.log(4 + 1) / math.log(16 + 1)),
    ],
    ids=str,
)
def test_value_and_gradient_known_by_hand_for_two_waves(options, second_weight):
    first, second = two_waves()
    target = torch.full((1, 1, 8, 8), 0.3, dtype=torch.float64)
    pred = target + first + second
    value, gradient, _ = graded(focal_frequency_loss, pred, target, **options)
    assert value.item() == pytest.approx((2 * 4**2 + second_weight * 2 * 2**2) / 64, rel=1e-13)
    assert_near(gradient, (2 / 64 * (first + second_weight * second))[None, None], 1e-13)


def test_value_known_by_hand_where_the_worst_frequency_of_the_batch_has_weight_1():
    first, second = two_waves()
    pred = torch.stack([first, second])[:, None]
    alone, together = (
        focal_frequency_loss(pred, 0 * pred, batch_matrix=batch_matrix, reduction="none").tolist()
        for batch_matrix in (False, True)
    )
    assert alone == pytest.approx([2 * 4**2 / 64, 2 * 2**2 / 64], rel=1e-13)
    assert together == pytest.approx([2 * 4**2 / 64, 2 * 2**2 / 64 / 2], rel=1e-13)


def test_a_shift_has_a_phase_known_by_hand_and_no_amplitude():
    dot = torch.zeros(1, 1, 4, 8, dtype=torch.float64)
    dot[..., 0, 0] = 1
    shifted = dot.roll(4, -1)  # by half the width: the odd columns of the spectrum are turned by pi
    assert focal_frequency_loss(dot, shifted, component="phase").item() == pytest.approx(math.pi**2 / 2, rel=1e-13)
    assert focal_frequency_loss(dot, shifted, component="amplitude") < 1e-30


def test_contrast_has_an_amplitude_known_by_hand_and_no_phase():
    dot = torch.zeros(1, 1, 4, 8, dtype=torch.float64)
    dot[..., 0, 0] = 1  # every amplitude is 1 / sqrt(32)
    assert focal_frequency_loss(3 * dot, dot, component="amplitude").item() == pytest.approx(2**2 / 32, rel=1e-13)
    assert focal_frequency_loss(3 * dot, dot, component="phase") == 0


# equal images


@each_kind
@pytest.mark.parametrize("alpha", [0, 0.1, 0.5, 1, 2])
@pytest.mark.parametrize("level", [0, 1])
def test_equal_images_have_loss_0_and_gradient_0(level, alpha, kind):
    image = level * images(2, 3, 6, 7)[0]
    for result in graded(focal_frequency_loss, image, image.clone(), alpha=alpha, **kind):
        assert torch.equal(result, torch.zeros_like(result))


@pytest.mark.parametrize(
    "options",
    [
        {"log_matrix": True},
        {"batch_matrix": True},
        {"ave_spectrum": True},
        {"exclude_dc": True},
        {"patch_factor": 2},
        {"log_matrix": True, "alpha": 0},
    ],
    ids=str,
)
def test_equal_images_have_loss_0_and_gradient_0_with_every_option(options):
    image = images(2, 3, 6, 8, dtype=torch.float32)[0]
    for result in graded(focal_frequency_loss, image, image.clone(), **options):
        assert torch.equal(result, torch.zeros_like(result))


def test_an_equal_image_in_a_batch_does_not_spoil_the_others():
    pred, target = images(2, 1, 6, 8)
    pred[0] = target[0]
    value, gradient, _ = graded(focal_frequency_loss, pred, target, reduction="none")
    assert value[0] == 0
    assert value[1] == pytest.approx(slow_loss(pred[1:], target[1:]).item())
    assert torch.equal(gradient[0], torch.zeros_like(gradient[0]))
    assert gradient[1].isfinite().all()


# differentiation

HELD_FIXED = {
    **{kind: (options, (4, 5)) for kind, options in KINDS.items()},
    "patches": ({"patch_factor": 2, "pad": True}, (2, 4, 1, 2, 3)),
    "mean of the batch": ({"ave_spectrum": True}, (4, 5)),
    "no DC": ({"exclude_dc": True}, (2, 1, 4, 5)),
    "no DC of the DCT": ({"exclude_dc": True, "transform": "dct"}, (2, 1, 4, 5)),
    "each image": ({"reduction": "none"}, (1, 4, 5)),
}


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize(("options", "shape"), HELD_FIXED.values(), ids=HELD_FIXED)
def test_gradients_are_right_with_weights_held_fixed(options, shape, check):
    matrix, _ = images(*shape, seed=2)
    pred, target = images(2, 1, 4, 5)
    leaves = pred.requires_grad_(), target.requires_grad_()
    assert check(lambda *pair: focal_frequency_loss(*pair, matrix, **options), leaves)


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
def test_gradients_of_volumes_are_right_with_weights_held_fixed(check):
    matrix, _ = images(2, 1, 3, 2, 4, seed=2)
    pred, target = images(2, 1, 3, 2, 4)
    leaves = pred.requires_grad_(), target.requires_grad_()
    assert check(lambda *pair: focal_frequency_loss(*pair, matrix), leaves)


@pytest.mark.parametrize("alpha", [0.5, 1, 2])
@pytest.mark.parametrize("options", [*KINDS.values(), *WITHOUT_DC], ids=str)
def test_weights_are_constants_to_the_gradient(options, alpha):
    pred, target = images(2, 3, 6, 5)
    kind = {name: value for name, value in options.items() if name != "exclude_dc"}
    weights = [
        slow_weight(slow_distance(plane, other, **kind), alpha=alpha, exclude_dc="exclude_dc" in options)
        for plane, other in zip(pred.flatten(0, 1), target.flatten(0, 1), strict=True)
    ]
    matrix = torch.stack(weights).unflatten(0, (2, 3))
    actual = graded(focal_frequency_loss, pred, target, alpha=alpha, **options)
    assert_all_near(actual, graded(focal_frequency_loss, pred, target, matrix=matrix, **kind))


@each_kind
def test_a_given_matrix_gets_no_gradient(kind):
    pred, target = images(2, 3, 6, 5)
    matrix = images(6, 5, seed=2)[0].requires_grad_()
    focal_frequency_loss(pred.requires_grad_(), target, matrix, **kind).backward()
    assert pred.grad.isfinite().all()
    assert matrix.grad is None


@each_kind
def test_values_are_the_same_without_a_gradient(kind):
    pred, target = images(2, 3, 6, 5)
    plain = focal_frequency_loss(pred, target, **kind)
    value, *_ = graded(focal_frequency_loss, pred, target, **kind)
    with torch.no_grad():
        ungraded = focal_frequency_loss(pred.requires_grad_(), target, **kind)
    assert not plain.requires_grad
    assert not ungraded.requires_grad
    assert plain == value == ungraded


@each_kind
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_a_second_backward_gives_the_same_gradient(dtype, create_graph, kind):
    pred, target = images(2, 3, 6, 5, dtype=dtype)
    loss = focal_frequency_loss(pred.requires_grad_(), target, **kind)
    first, second = (
        torch.autograd.grad(loss, pred, retain_graph=True, create_graph=graph)[0] for graph in (False, create_graph)
    )
    assert_near(second.detach(), first, 1e-14)


@each_kind
@pytest.mark.parametrize("which", [0, 1])
def test_one_of_the_two_may_need_no_gradient(which, kind):
    pair = images(2, 3, 6, 5)
    both = graded(focal_frequency_loss, *pair, **kind)[1:]
    leaf = pair[which].detach().requires_grad_()
    one = torch.autograd.grad(focal_frequency_loss(*(leaf, pair[1]) if which == 0 else (pair[0], leaf), **kind), leaf)
    assert torch.equal(one[0], both[which])


# zero frequency


@each_spectrum
@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"batch_matrix": True}, {"log_matrix": True}], ids=str)
def test_without_dc_a_constant_changes_nothing(options, kind):
    pred, target = images(2, 3, 6, 8)
    options = {"exclude_dc": True, **options, **kind}
    actual = graded(focal_frequency_loss, pred + 100, target, **options)
    # 1e-9: to add 100 costs two of sixteen digits, and a small amplitude's phase feels it most
    assert_all_near(actual, graded(focal_frequency_loss, pred, target, **options), 1e-9)
    assert actual[0] > 0


@kinds("dft", "dct")
@pytest.mark.parametrize("alpha", [0, 1])
def test_without_dc_the_loss_is_that_of_the_difference_without_its_mean(alpha, kind):
    pred, target = images(2, 3, 6, 7)
    free = pred - target
    free = free - free.mean((-2, -1), keepdim=True)
    actual = focal_frequency_loss(pred + 100, target, alpha=alpha, exclude_dc=True, **kind)
    assert_near(actual, focal_frequency_loss(free, torch.zeros_like(free), alpha=alpha, **kind))


@each_spectrum
@pytest.mark.parametrize("shape", [(2, 3, 6, 7), (1, 2, 4, 5, 6)])
def test_without_dc_equals_the_slow_definition(shape, kind):
    pred, target = images(*shape)
    actual = focal_frequency_loss(pred + 1, target, exclude_dc=True, reduction="none", **kind)
    assert_near(actual, slow_loss(pred + 1, target, exclude_dc=True, **kind))


@each_spectrum
def test_without_dc_a_given_matrix_loses_its_zero_frequency(kind):
    pair, (matrix, _) = images(2, 3, 6, 7), images(6, 7, seed=2)
    actual = focal_frequency_loss(*pair, matrix, exclude_dc=True, **kind)
    matrix[0, 0] = 0
    assert_near(actual, focal_frequency_loss(*pair, matrix, **kind))


# reductions


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("shape", [(4, 3, 6, 8), (2, 1, 2, 4, 6)])
def test_reductions_agree(shape, patch_factor, kind):
    pair, options = images(*shape), {"patch_factor": patch_factor, **kind}
    mean, total, each = (
        focal_frequency_loss(*pair, reduction=reduction, **options) for reduction in ("mean", "sum", "none")
    )
    assert each.shape == shape[:1]
    alone = [focal_frequency_loss(*(batch[[n]] for batch in pair), **options) for n in range(len(each))]
    assert_near(each, torch.stack(alone))
    assert_near(mean, each.mean())
    assert_near(total, mean * pair[0].numel())


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 1), ("sum", 3 * 6 * 8), ("none", 1)])
def test_one_image_without_a_batch_has_a_loss_without_dimensions(reduction, factor):
    pair = images(3, 6, 8)
    expected = factor * slow_loss(*(image[None] for image in pair)).squeeze()
    assert_near(focal_frequency_loss(*pair, reduction=reduction), expected)


def test_the_mean_of_a_batch_is_one_image():
    pair = images(4, 3, 6, 8)
    means = [batch.mean(0, keepdim=True) for batch in pair]
    for reduction in ("mean", "sum", "none"):
        actual = focal_frequency_loss(*pair, ave_spectrum=True, reduction=reduction)
        assert_near(actual, focal_frequency_loss(*means, reduction=reduction))


# patches that do not fit


@pytest.mark.parametrize(
    ("shape", "factor", "size"),
    [((1, 1, 8, 10), 4, 10), ((1, 1, 10, 8), 4, 10), ((3, 7, 8), 2, 7), ((1, 1, 4, 4, 6), 4, 6), ((1, 1, 2, 2), 3, 2)],
)
def test_a_side_that_cannot_be_cut_is_an_error_with_both_numbers(shape, factor, size):
    pair = images(*shape)
    with pytest.raises(ShapeError, match=f"^patch_factor {factor} does not divide the side {size}; pad=True appends"):
        focal_frequency_loss(*pair, patch_factor=factor)


@each_kind
@pytest.mark.parametrize(
    ("shape", "padding"),
    [
        ((2, 3, 7, 9), (0, 3, 0, 1)),
        ((3, 7, 9), (0, 3, 0, 1)),
        ((1, 1, 8, 10), (0, 2, 0, 0)),
        ((1, 1, 3, 2), (0, 2, 0, 1)),
        ((1, 2, 3, 5, 8), (0, 0, 0, 3, 0, 1)),
        ((1, 1, 4, 8), (0, 0, 0, 0)),
    ],
)
def test_padding_equals_zeros_appended_by_hand(shape, padding, kind):
    pair, options = images(*shape), {"patch_factor": 4, **kind}

    def by_hand(*pair):
        return focal_frequency_loss(*(torch.nn.functional.pad(batch, padding) for batch in pair), **options)

    actual = graded(focal_frequency_loss, *pair, pad=True, **options)
    assert_all_near(actual, graded(by_hand, *pair), 0)


# types of numbers


@each_kind
@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"ave_spectrum": True}, {"reduction": "sum"}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_single_precision(dtype, options, kind):
    pair = images(2, 3, 6, 8, dtype=dtype)
    actual = graded(focal_frequency_loss, *pair, **options, **kind)
    single = graded(focal_frequency_loss, *(batch.float() for batch in pair), **options, **kind)
    assert_all_near(actual, [result.to(dtype) for result in single], 0)


@kinds("dft", "dct")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
def test_autocast_changes_nothing(dtype, kind):
    pair, (matrix, _) = images(2, 3, 6, 8, dtype=dtype), images(6, 8, seed=2)

    def with_autocast(*pair, **options):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return focal_frequency_loss(*pair, **options)

    for options in ({}, {"matrix": matrix}, {"patch_factor": 2}):
        options = {**options, **kind}
        assert_all_near(graded(with_autocast, *pair, **options), graded(focal_frequency_loss, *pair, **options), 0)


@each_kind
@pytest.mark.parametrize(
    ("dtypes", "promoted"),
    [
        ((torch.bfloat16, torch.float32), torch.float32),
        ((torch.float32, torch.float16), torch.float32),
        ((torch.float16, torch.bfloat16), torch.float32),
        ((torch.float32, torch.float64), torch.float64),
        ((torch.bfloat16, torch.float64), torch.float64),
    ],
    ids=str,
)
def test_mixed_types_give_the_larger_one_and_gradients_of_their_own(dtypes, promoted, kind):
    pair = [batch.to(dtype) for batch, dtype in zip(images(2, 3, 6, 8), dtypes, strict=True)]
    actual = graded(focal_frequency_loss, *pair, **kind)
    same = graded(focal_frequency_loss, *(batch.to(promoted) for batch in pair), **kind)
    expected = [result.to(dtype) for result, dtype in zip(same, (promoted, *dtypes), strict=True)]
    assert_all_near(actual, expected, 0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.float64], ids=str)
def test_a_matrix_may_have_another_type(dtype):
    pair = images(2, 3, 6, 8, dtype=torch.float32)
    matrix = torch.arange(48).reshape(6, 8).remainder(2).to(dtype)
    assert_near(focal_frequency_loss(*pair, matrix), focal_frequency_loss(*pair, matrix.float()), 0)


# what training does with a loss

STEPS = {
    **KINDS,
    "patches by logarithm": {"patch_factor": 2, "log_matrix": True},
    "batch without DC": {"batch_matrix": True, "exclude_dc": True, "alpha": 2.0},
    "sum of the mean": {"ave_spectrum": True, "reduction": "sum", "alpha": 0.5},
}


@pytest.mark.parametrize("options", [*STEPS.values(), {"matrix": images(6, 8)[0]}], ids=[*STEPS, "matrix"])
def test_compiles_into_one_graph(options):
    torch.compiler.reset()
    pair = images(2, 3, 6, 8, dtype=torch.float32)
    compiled = torch.compile(focal_frequency_loss, fullgraph=True, backend="aot_eager")  # inductor warns of complex
    assert_all_near(graded(compiled, *pair, **options), graded(focal_frequency_loss, *pair, **options), 1e-6)


@pytest.mark.parametrize("options", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("given", [False, True], ids=["online", "matrix"])
def test_never_asks_for_a_value_so_a_gpu_need_not_wait(given, options):
    pred, target = (torch.empty(2, 3, 6, 8, device="meta", requires_grad=True) for _ in range(2))
    matrix = torch.empty(3, 4) if "patch_factor" in options else torch.empty(6, 8)
    loss = focal_frequency_loss(pred, target, matrix.to("meta") if given else None, **options)
    loss.backward()  # there are no values on the meta device: to read one, or to branch on it, is an error
    assert (loss.shape, loss.dtype, loss.device.type) == ((), torch.float32, "meta")
    assert pred.grad.shape == target.grad.shape == pred.shape


@pytest.mark.parametrize("options", [*KINDS.values(), *WITHOUT_DC], ids=str)
@pytest.mark.parametrize("alpha", [0, 1, 2])
@pytest.mark.parametrize("which", [0, 1])
def test_nan_in_gives_nan_out_for_its_image_alone(which, alpha, options):
    pair = images(3, 2, 6, 7)
    pair[which][1, 0, 2, 3] = math.nan
    assert focal_frequency_loss(*pair, alpha=alpha, **options).isnan()
    each = focal_frequency_loss(*pair, alpha=alpha, reduction="none", **options)
    assert each.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize(
    "options", [{"batch_matrix": True}, {"ave_spectrum": True}, {"log_matrix": True}, {"patch_factor": 2}], ids=str
)
def test_nan_in_gives_nan_out_with_every_option(options):
    pred, target = images(2, 3, 6, 8)
    pred[0, 0, 0, 0] = math.nan
    value, gradient, _ = graded(focal_frequency_loss, pred, target, **options)
    assert value.isnan()
    assert gradient.isnan().any()
    assert focal_frequency_loss(pred, target, torch.ones(1, 1), **options).isnan()


@each_kind
def test_functional_gradient_equals_backward(kind):
    pred, target = images(2, 3, 6, 8)
    _, expected, _ = graded(focal_frequency_loss, pred, target, **kind)
    actual = torch.func.grad(lambda pred: focal_frequency_loss(pred, target, **kind))(pred)
    assert_near(actual, expected)


@ignore_torch_jit
@each_kind
def test_forward_mode_agrees_with_the_gradient(kind):
    pred, target = images(2, 3, 6, 8)
    (direction, _) = images(2, 3, 6, 8, seed=3)
    _, gradient, _ = graded(focal_frequency_loss, pred, target, **kind)
    _, slope = torch.func.jvp(lambda pred: focal_frequency_loss(pred, target, **kind), (pred,), (direction,))
    assert_near(slope, (gradient * direction).sum())


def test_gradients_of_each_image_by_vmap_are_an_error_and_not_wrong():
    with pytest.raises(RuntimeError, match="vmap"):
        torch.func.vmap(torch.func.grad(focal_frequency_loss))(*images(2, 3, 6, 8))


LAYOUTS = {
    "channels last": lambda batch: batch.to(memory_format=torch.channels_last),
    "every other column": lambda batch: batch.repeat_interleave(2, -1)[..., ::2],
    "part of a larger image": lambda batch: torch.nn.functional.pad(batch, (1, 2, 3, 4))[..., 3:-4, 1:-2],
    "transposed": lambda batch: batch.mT.contiguous().mT,
    "batch of views": lambda batch: batch.movedim(0, -1).contiguous().movedim(-1, 0),
}


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_order_in_memory_does_not_matter(layout, patch_factor, kind):
    pair = images(2, 3, 6, 8)
    strange = [layout(batch) for batch in pair]
    assert not any(batch.is_contiguous() for batch in strange)
    for given in (strange, (strange[0], pair[1])):
        actual, expected = (
            graded(focal_frequency_loss, *pair, patch_factor=patch_factor, **kind) for pair in (given, pair)
        )
        assert_all_near(actual, expected, 1e-13)


def test_one_image_may_stand_for_a_whole_batch():
    pred, target = images(4, 3, 6, 8)
    target = target[:1].expand_as(pred)
    assert_near(focal_frequency_loss(pred, target), focal_frequency_loss(pred, target.contiguous()), 1e-13)


@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"alpha": 0.5, "exclude_dc": True}], ids=str)
@pytest.mark.parametrize("matrix", [None, "one for each image"])
@pytest.mark.parametrize("block", [1, 4 * 6 * 8 + 5, 2**40], ids=["a plane at a time", "with a rest", "all at once"])
def test_blocks_do_not_change_the_result(monkeypatch, block, matrix, options):
    pair = images(2, 3, 6, 8)
    if matrix is not None:
        matrix, _ = images(2, 4, 3, 3, 4, seed=2) if "patch_factor" in options else images(2, 3, 6, 8, seed=2)
    expected = graded(focal_frequency_loss, *pair, matrix=matrix, **options)
    monkeypatch.setattr("ffltool.distances._BLOCK", block)
    assert_all_near(graded(focal_frequency_loss, *pair, matrix=matrix, **options), expected, 1e-14)


def test_the_largest_weight_of_a_batch_is_taken_over_all_blocks(monkeypatch):
    monkeypatch.setattr("ffltool.distances._BLOCK", 1)
    pair = images(3, 2, 6, 8)
    ours, package = (Loss(batch_matrix=True) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair))


@each_kind
@pytest.mark.parametrize("options", [{}, {"log_matrix": True, "alpha": 2.0}, {"patch_factor": 2}], ids=str)
def test_what_is_given_stays_as_it_was(options, kind):
    pair = images(2, 3, 6, 8)
    matrix, _ = images(3, 4, seed=2) if "patch_factor" in options else images(2, 3, 6, 8, seed=2)
    copies = [tensor.clone() for tensor in (*pair, matrix)]
    exclude_dc = kind != KINDS["pixels"]
    for given in (None, matrix):
        graded(focal_frequency_loss, *pair, matrix=given, **options, **kind)
        focal_frequency_loss(*pair, given, exclude_dc=exclude_dc, **options, **kind)
    assert all(torch.equal(*both) for both in zip((*pair, matrix), copies, strict=True))


@pytest.mark.parametrize(("optimiser", "rate"), [(torch.optim.Adam, 0.03), (torch.optim.SGD, 30.0)])
def test_training_lowers_the_loss_a_thousandfold(optimiser, rate):
    image, target = images(1, 3, 16, 16, dtype=torch.float32)
    loss, steps = FocalFrequencyLoss(), optimiser([image.requires_grad_()], lr=rate)
    start = loss(image, target).item()
    for _ in range(200):
        steps.zero_grad()
        loss(image, target).backward()
        steps.step()
    assert loss(image, target) < start / 1000


# errors


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((1, 3, 8, 8), (1, 3, 8, 6)), r"pred \(1, 3, 8, 8\) and target \(1, 3, 8, 6\) must have one shape"),
        (((1, 3, 8, 8), (2, 3, 8, 8)), "must have one shape"),
        (((3, 8, 8), (1, 3, 8, 8)), "must have one shape"),
        (((8, 8),) * 2, r"\(C, H, W\), \(N, C, H, W\) or \(N, C, D, H, W\) is wanted, got \(8, 8\)"),
        (((),) * 2, r"is wanted, got \(\)"),
        (((1, 1, 2, 2, 2, 2),) * 2, r"is wanted, got \(1, 1, 2, 2, 2, 2\)"),
        (((0, 3, 8, 8),) * 2, r"is wanted, got \(0, 3, 8, 8\)"),
        (((1, 3, 8, 0),) * 2, r"is wanted, got \(1, 3, 8, 0\)"),
    ],
)
def test_wrong_shapes_are_an_error(shapes, message):
    with pytest.raises(ShapeError, match=message):
        focal_frequency_loss(*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64], ids=str)
@pytest.mark.parametrize("name", ["pred", "target"])
def test_integers_and_complex_numbers_are_an_error(name, dtype):
    pair = {"pred": torch.zeros(1, 3, 8, 8), "target": torch.zeros(1, 3, 8, 8)}
    pair[name] = pair[name].to(dtype)
    message = f"^{name} must be of a floating-point type, got {dtype}; scale 8-bit images to 0..1$"
    with pytest.raises(InputError, match=message):
        focal_frequency_loss(**pair)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -0.5}, "alpha must be 0 or more, got -0.5"),
        ({"alpha": math.nan}, "alpha must be 0 or more, got nan"),
        ({"alpha": math.inf}, "alpha must be 0 or more, got inf"),
        ({"patch_factor": 0}, "patch_factor must be a whole number from 1 on, got 0"),
        ({"patch_factor": -2}, "patch_factor must be a whole number from 1 on, got -2"),
        ({"patch_factor": 1.5}, "patch_factor must be a whole number from 1 on, got 1.5"),
        ({"transform": "fft"}, "transform cannot be 'fft'; known are dft, dct, none"),
        ({"component": "real"}, "component cannot be 'real'; known are complex, amplitude, phase"),
        ({"reduction": "max"}, "reduction cannot be 'max'; known are mean, sum, none"),
        (
            {"component": "phase", "transform": "dct"},
            "component 'phase' is one of the DFT; transform 'dct' has none",
        ),
        (
            {"component": "amplitude", "transform": "none"},
            "component 'amplitude' is one of the DFT; transform 'none' has none",
        ),
        ({"exclude_dc": True, "transform": "none"}, "exclude_dc needs a transform: pixels have no zero frequency"),
    ],
    ids=str,
)
def test_options_out_of_their_range_are_an_error(options, message):
    pair = images(1, 3, 8, 8)
    for loss in (FocalFrequencyLoss(**options), lambda *pair: focal_frequency_loss(*pair, **options)):
        with pytest.raises(InputError, match=f"^{message}$"):
            loss(*pair)


@each_kind
@pytest.mark.parametrize(
    ("shape", "patch_factor", "wanted"),
    [
        ((8, 9), 1, (2, 3, 8, 10)),
        ((8, 6), 1, (2, 3, 8, 10)),  # half a spectrum
        ((4, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((2, 4, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((1, 2, 1, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((8, 10), 2, (2, 4, 3, 4, 5)),
        ((2, 3, 3, 4, 5), 2, (2, 4, 3, 4, 5)),
    ],
)
def test_a_matrix_that_does_not_broadcast_is_an_error(shape, patch_factor, wanted, kind):
    message = re.escape(f"matrix {shape} does not broadcast to {wanted}")
    with pytest.raises(ShapeError, match=f"^{message}$"):
        focal_frequency_loss(*images(2, 3, 8, 10), torch.ones(shape), patch_factor=patch_factor, **kind)


def test_a_matrix_may_have_the_shape_of_the_images():
    pair, (matrix, _) = images(2, 3, 8, 10), images(2, 3, 8, 10, seed=2)
    assert_near(focal_frequency_loss(*pair, matrix), focal_frequency_loss(*pair, matrix[:, None]), 0)
    image, volume = [batch[0] for batch in pair], [batch[:, :, None] for batch in pair]
    assert_near(
        focal_frequency_loss(*image, matrix[0]), focal_frequency_loss(*(batch[:1] for batch in pair), matrix[:1])
    )
    assert_near(focal_frequency_loss(*volume, matrix[:, :, None]), focal_frequency_loss(*pair, matrix))


# the module


def test_the_module_takes_the_arguments_of_the_package_in_its_order():
    ours, package = (list(inspect.signature(Loss).parameters.values()) for Loss in (FocalFrequencyLoss, Package))
    places = [(argument.name, argument.default, argument.kind) for argument in package]
    assert [(argument.name, argument.default, argument.kind) for argument in ours[: len(package)]] == places
    assert {argument.kind for argument in ours[len(package) :]} == {inspect.Parameter.KEYWORD_ONLY}

    pair, arguments = images(2, 3, 6, 8), (1.0, 2.0, 2, True, True, True)
    assert_all_near(graded(FocalFrequencyLoss(*arguments), *pair), graded(Package(*arguments), *pair))


OPTIONS = {
    "alpha": 2.0,
    "patch_factor": 2,
    "ave_spectrum": True,
    "log_matrix": True,
    "batch_matrix": True,
    "transform": "dct",
    "component": "amplitude",
    "reduction": "none",
    "exclude_dc": True,
}


@pytest.mark.parametrize(("name", "value"), OPTIONS.items())
def test_every_option_of_the_module_reaches_the_function(name, value):
    pair = images(2, 3, 6, 8)
    actual = FocalFrequencyLoss(10.0, **{name: value})(*pair)
    assert torch.equal(actual, 10.0 * focal_frequency_loss(*pair, **{name: value}))
    assert not torch.equal(actual, FocalFrequencyLoss(10.0)(*pair))


def test_padding_and_a_matrix_reach_the_function_from_the_module():
    pair, (matrix, _) = images(2, 3, 6, 7), images(2, 2, seed=2)
    expected = focal_frequency_loss(*pair, matrix, patch_factor=4, pad=True)
    assert torch.equal(FocalFrequencyLoss(patch_factor=4, pad=True)(*pair, matrix=matrix), expected)
    assert torch.equal(FocalFrequencyLoss(patch_factor=4, pad=True)(*pair, matrix), expected)


def test_the_module_has_the_options_and_defaults_of_the_function():
    module, function = (
        {argument.name: argument.default for argument in inspect.signature(thing).parameters.values()}
        for thing in (FocalFrequencyLoss, focal_frequency_loss)
    )
    del module["loss_weight"]
    assert module == {name: default for name, default in function.items() if name not in ("pred", "target", "matrix")}
    assert module.keys() == {*OPTIONS, "pad"}


def test_the_module_has_nothing_to_learn_or_to_save():
    assert not list(FocalFrequencyLoss().parameters())
    assert not FocalFrequencyLoss().state_dict()


# spectral regularisation


def slow_profile(image):
    """The power of one image (C, H, W) at each radius from 0 to Nyquist, frequency by frequency, over that at 0."""
    _, height, width = image.shape
    longest = max(height, width)
    power = (np.abs(np.fft.fft2(image)) ** 2).mean(0)
    rings = [[] for _ in range(longest)]
    for row, v in enumerate(np.fft.fftfreq(height)):
        for column, u in enumerate(np.fft.fftfreq(width)):
            rings[round(math.hypot(u, v) * longest)].append(power[row, column])
    profile = np.array([np.mean(ring) for ring in rings[: longest // 2 + 1]])
    return np.minimum(profile / profile[0], 1)


def slow_regularization(pred, target):
    wanted = np.mean([slow_profile(image) for image in target.numpy()], axis=0)
    entropies = []
    for image in pred.numpy():
        entropies.append(0.0)  # at zero frequency both profiles are 1
        for p, t in zip(slow_profile(image)[1:], wanted[1:], strict=True):
            p = min(max(p, 1.2e-38), 1 - 1e-6)
            entropies.append(-(t * math.log(p) + (1 - t) * math.log1p(-p)))
    return np.mean(entropies)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (8, 12), (12, 5), (1, 6), (9, 9)])
@pytest.mark.parametrize(("count", "others", "channels"), [(1, 1, 1), (2, 3, 3)])
def test_spectral_regularization_equals_the_slow_definition(count, others, channels, size):
    pred, target = images(count, channels, *size)[0], images(others, channels, *size, seed=2)[0]
    assert spectral_regularization(pred, target).item() == pytest.approx(slow_regularization(pred, target), rel=1e-10)


def test_spectral_regularization_cuts_powers_above_that_of_the_zero_frequency():
    wave = torch.cos(2 * math.pi * torch.arange(8, dtype=torch.float64) / 8)
    pred, target = images(1, 1, 8, 8)
    pred = pred + 4 * wave
    assert slow_profile(pred[0].numpy())[1] == 1
    value, gradient, _ = graded(spectral_regularization, pred, target)
    assert value.item() == pytest.approx(slow_regularization(pred, target), rel=1e-10)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (3, 5)])
def test_gradient_of_spectral_regularization_is_right(size):
    pred, target = images(2, 2, *size)[0].requires_grad_(), images(1, 2, *size, seed=2)[0].requires_grad_()
    assert torch.autograd.gradcheck(spectral_regularization, (pred, target))


def test_spectral_regularization_is_smallest_for_equal_profiles():
    target = images(1, 3, 8, 10)[0]
    value, gradient, _ = graded(spectral_regularization, target, target.clone())
    profile = slow_profile(target[0].numpy())[1:]
    entropy = -(profile * np.log(profile) + (1 - profile) * np.log(1 - profile))
    assert value.item() == pytest.approx(entropy.sum() / (len(profile) + 1), rel=1e-10)
    assert gradient.abs().max() < 1e-12
    for seed in range(2, 7):
        other = target + 0.1 * images(1, 3, 8, 10, seed=seed)[0]
        assert spectral_regularization(other, target) > value


def test_spectral_regularization_looks_at_the_profile_alone():
    pred, target = images(2, 3, 8, 10)
    expected = spectral_regularization(pred, target)
    for moved in (pred.roll((3, 5), (-2, -1)), pred.flip(-1), 2 * pred):
        assert_near(spectral_regularization(moved, target), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_spectral_regularization_keeps_the_type(dtype):
    pair = images(2, 3, 8, 10, dtype=dtype)
    actual = graded(spectral_regularization, *pair)
    single = graded(spectral_regularization, *(batch.float() for batch in pair))
    assert_all_near(actual, [result.to(dtype) for result in single], 0)


@pytest.mark.parametrize(
    ("pred", "target", "shapes"),
    [
        (torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), r"pred \(3, 8, 8\) and target \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(3, 8, 8), r"pred \(1, 3, 8, 8\) and target \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), r"pred \(1, 3, 8, 8\) and target \(1, 1, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9), r"pred \(1, 3, 8, 8\) and target \(1, 3, 8, 9\)"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, 1, 2, 2), "must be floating-point batches"),
        (torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.complex64), "must be floating-point batches"),
    ],
    ids=["no batch", "one without a batch", "other channels", "other size", "integers", "complex"],
)
def test_spectral_regularization_of_anything_but_two_batches_is_an_error(pred, target, shapes):
    with pytest.raises(ShapeError, match=shapes):
        spectral_regularization(pred, target)


def test_spectral_regularization_of_black_images_has_a_value_and_nan_stays_nan():
    black, image = torch.zeros(1, 1, 8, 8), images(1, 1, 8, 8)[0].float()
    for pred, target in ((black, image), (image, black), (black, black)):
        assert spectral_regularization(pred, target).isfinite()
    assert spectral_regularization(image * torch.nan, image).isnan()
    assert spectral_regularization(image, image * torch.nan).isnan()
    assert spectral_regularization(image.bfloat16(), image.double()).dtype == torch.float64


def test_large_exponents_neither_underflow_nor_overflow():
    for scale, alpha in ((1e-4, 10.0), (255.0, 20.0)):
        pred, target = images(2, 3, 16, 16)
        expected = focal_frequency_loss(pred * scale, target * scale, alpha=alpha)
        found = focal_frequency_loss((pred * scale).float(), (target * scale).float(), alpha=alpha)
        assert found.item() == pytest.approx(expected.item(), rel=1e-4)  # alpha times float32's resolution, and a bit


def test_weights_per_image_are_averaged_where_spectra_are():
    pred, target = images(2, 3, 8, 8)
    matrix = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    expected = Package(ave_spectrum=True)(pred, target, matrix)
    torch.testing.assert_close(focal_frequency_loss(pred, target, matrix, ave_spectrum=True), expected)


@pytest.mark.filterwarnings("ignore:Guards may run slower:RuntimeWarning")  # on Python 3.13.0
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_loss_can_run_backward_twice(backend):
    torch.compiler.reset()
    pred, target = (image.float() for image in images(2, 3, 8, 8))
    pred.requires_grad_()
    loss = torch.compile(FocalFrequencyLoss(), backend=backend)(pred, target)
    loss.backward(retain_graph=True)
    once = pred.grad.clone()
    loss.backward()
    torch.testing.assert_close(pred.grad, 2 * once)


def test_inputs_may_change_between_forward_and_backward():
    leaf, target = images(2, 3, 8, 8)
    leaf.requires_grad_()
    expected = torch.autograd.grad(focal_frequency_loss(1.5 * leaf, target), leaf)[0]
    pred = 1.5 * leaf
    loss = focal_frequency_loss(pred, target)
    with torch.no_grad():
        pred.clamp_(0, 0.1)
        target.zero_()
    torch.testing.assert_close(torch.autograd.grad(loss, leaf, retain_graph=True)[0], expected)
    with pytest.raises(RuntimeError, match="changed in place"):
        torch.autograd.grad(loss, leaf)


def test_a_target_may_come_from_inference_mode():
    pred, target = images(2, 3, 8, 8)
    pred.requires_grad_()
    with torch.inference_mode():
        frozen = target.clone()
    gradients = [torch.autograd.grad(focal_frequency_loss(pred, each), pred)[0] for each in (frozen, target)]
    torch.testing.assert_close(*gradients)


def test_any_whole_number_cuts_patches():
    pred, target = images(2, 3, 8, 8)
    assert focal_frequency_loss(pred, target, patch_factor=np.int64(2)) == focal_frequency_loss(
        pred, target, patch_factor=2
    )


class Nothing(torch.autograd.Function):
    """Hands on what it gets, and no gradient."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, _):
        return None


def test_no_gradient_from_behind_is_none_to_the_images():
    pred = torch.rand(1, 1, 4, 4, requires_grad=True)
    loss = Nothing.apply(focal_frequency_loss(pred, torch.zeros_like(pred), reduction="none"))
    assert torch.autograd.grad(loss.sum(), pred, allow_unused=True) == (None,)
