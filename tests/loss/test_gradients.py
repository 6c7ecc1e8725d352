"""Gradients of first and second order, forward mode, and what may happen between forward and backward."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import KINDS, WITHOUT_DC, assert_all_near, assert_near, each_kind, graded, images
from tests.loss.slow import slow_distance, slow_weight

pytestmark = pytest.mark.usefixtures("one_thread")

# torch warns of its own forward-mode code
ignore_torch_jit = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
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
