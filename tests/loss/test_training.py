"""What training does with a loss: compile it, run it on a GPU, go down it, and meet NaN."""

import math

import pytest
import torch

from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from tests.loss.common import KINDS, WITHOUT_DC, assert_all_near, graded, images

pytestmark = pytest.mark.usefixtures("one_thread")

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
