import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import mse_loss

from ffltool import train
from ffltool.datasets import Batches, seed_of, to_unit
from ffltool.errors import InputError, ShapeError
from ffltool.loss import focal_frequency_loss
from ffltool.metrics.psnr import psnr
from ffltool.models import look_up
from ffltool.objective import Objective
from ffltool.train import Plan, Step, Training

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pixels():
    """Return 20 smooth random images of 16x16, uint8."""
    coarse = torch.rand(20, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    return (255 * torch.nn.functional.interpolate(coarse, size=16, mode="bilinear")).to(torch.uint8)


def plan(model="ae", **changes):
    ffl_weight = changes.pop("ffl_weight", 1.0)
    settings = {"size": 16, "batch_size": 6, "steps": 8, "seed": 4, "objective": Objective(ffl_weight=ffl_weight)}
    return Plan(model=model, **settings | changes)


def trained(pixels, plan):
    training = Training(plan)
    return training, [step for steps in training.run(pixels) for step in steps]


def equal(one, other):
    weights = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("model", ["ae", "vae"])
def test_the_loss_falls(pixels, model):
    _, steps = trained(pixels, plan(model, steps=60))
    first, last = (sum(step.loss for step in part) / 10 for part in (steps[:10], steps[-10:]))
    assert last < first / 2


def test_steps_and_epochs_are_counted(pixels):
    _, steps = trained(pixels, plan(steps=None, epochs=2))  # 20 images are 3 batches of 6
    assert [(step.step, step.epoch) for step in steps] == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]


def test_the_loss_is_the_weighted_sum_of_its_terms(pixels):
    objective = Objective(ffl_weight=3, kl_weight=0.5, spreg_weight=2)
    _, steps = trained(pixels, plan("vae", steps=2, objective=objective))
    for step in steps:
        expected = step.pixel + 3 * step.ffl + 0.5 * step.kl + 2 * step.spreg
        assert step.loss == pytest.approx(expected, rel=1e-6)  # summed in float32


def by_hand(pixels, plan, loss):
    """Return the weights that a plain loop over the same batches comes to."""
    network = look_up("ae").build(plan.size, seed=seed_of(plan.seed, "weights"))
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.lr)
    batches = Batches(pixels, plan.batch_size, seed=plan.seed, device=torch.device("cpu"))
    for step in range(1, plan.steps + 1):
        images = batches.batch(step)
        value = loss(network(images).images, images)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return network.state_dict()


def test_an_ffl_weight_of_0_is_no_ffl_to_the_bit(pixels):
    training, steps = trained(pixels, plan(ffl_weight=0))
    expected = by_hand(pixels, training.plan, mse_loss)
    assert all(torch.equal(value, expected[name]) for name, value in training.network.state_dict().items())
    assert all(step.ffl is None and step.loss == step.pixel for step in steps)


def test_ffl_is_added_with_its_weight(pixels):
    training, _ = trained(pixels, plan(ffl_weight=10))
    expected = by_hand(
        pixels, training.plan, lambda fake, real: mse_loss(fake, real) + 10 * focal_frequency_loss(fake, real)
    )
    assert all(torch.equal(value, expected[name]) for name, value in training.network.state_dict().items())


@pytest.mark.parametrize("model", ["ae", "vae"])
def test_the_same_seed_gives_the_same_weights_and_another_one_others(pixels, model):
    one, same, other = (trained(pixels, plan(model, seed=seed))[0] for seed in (1, 1, 2))
    assert equal(one, same)
    assert not equal(one, other)


def test_objectives_begin_with_the_same_weights_and_see_the_same_images(pixels):
    (_, one), (_, other) = (trained(pixels, plan(ffl_weight=weight, steps=1)) for weight in (0, 1))
    assert one[0].pixel == other[0].pixel


@pytest.mark.parametrize("stop", [1, 3, 5])
@pytest.mark.parametrize("model", ["ae", "vae"])
def test_a_run_that_goes_on_comes_to_the_same_bits_as_one_that_never_stopped(pixels, model, stop):
    whole, expected = trained(pixels, plan(model))
    half, before = trained(pixels, plan(model, steps=stop))
    other = Training(plan(model))
    other.go_on_from(half.state())
    torch.manual_seed(99)  # which has no say
    after = [step for steps in other.run(pixels) for step in steps]
    assert equal(whole, other)
    assert before + after == expected
    moments = whole.state()["moments"], other.state()["moments"]
    for number, values in moments[0].items():
        assert all(torch.equal(value, moments[1][number][name]) for name, value in values.items())


def test_looking_at_the_network_on_the_way_changes_nothing(pixels):
    training, seen = Training(plan("vae")), []
    for _ in training.run(pixels):
        seen.append(training.rebuilt(pixels[:2]))
        list(training.generated(2))
    assert equal(training, trained(pixels, plan("vae"))[0])
    assert not torch.equal(seen[0], seen[-1])


def test_sixteen_images_are_learned_by_heart(shared_images):
    training, _ = trained(shared_images, Plan(model="ae", size=32, batch_size=16, steps=700))
    decibels = psnr(to_unit(shared_images), training.rebuilt(shared_images), peak=2.0)
    assert decibels.mean() >= 30


@pytest.fixture(scope="module")
def shared_images():
    """Return the 16 real sample images at 32x32."""
    from pathlib import Path

    from ffltool.datasets import load

    return load(Path(__file__).parents[1] / "sample_data" / "real", size=32).pixels


def test_rebuilt_images_do_not_depend_on_what_is_beside_them(pixels):
    training, _ = trained(pixels, plan("vae", steps=3))
    whole, alone = training.rebuilt(pixels), torch.cat([training.rebuilt(image[None]) for image in pixels])
    torch.testing.assert_close(whole, alone, rtol=0, atol=1e-5)  # convolutions of other batches round otherwise
    assert whole.shape == pixels.shape


def test_generated_images_are_the_same_at_each_call(pixels):
    training, _ = trained(pixels, plan("vae", steps=2))
    batches = list(training.generated(7))
    assert [images.shape for images in batches] == [(6, 3, 16, 16), (1, 3, 16, 16)]
    assert all(torch.equal(*both) for both in zip(batches, training.generated(7), strict=True))
    with pytest.raises(InputError, match="ae rebuilds images but generates none from noise"):
        next(Training(plan()).generated(1))


def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(pixels):
    training = Training(plan(ffl_weight=0))
    news = training.run(pixels)
    next(news)
    with torch.no_grad():
        training.network.decoder.bias[0] = math.nan
    with pytest.raises(InputError, match="the loss is nan at step 2; a smaller --lr or --pixel-weight may help"):
        next(news)


def test_a_weight_far_too_large_ends_the_run_and_is_named(pixels):
    said = "the loss is inf at step 1; a smaller --lr, --pixel-weight, --ffl-weight or --kl-weight may help"
    with pytest.raises(InputError, match=said):
        trained(pixels, plan("vae", ffl_weight=1e39))


def test_weights_that_are_not_finite_make_no_state(pixels):
    training, _ = trained(pixels, plan(steps=1))
    with torch.no_grad():
        training.network.decoder.bias[0] = math.inf
    with pytest.raises(InputError, match="the network's weights are not finite after step 1; a smaller --lr, --pixel"):
        training.state()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (plan("vae"), "trained with model vae, not ae"),
        (plan(seed=5), "trained with seed 5, not 4"),
        (plan(ffl_weight=2), "trained with ffl_weight 2, not 1.0"),
        (plan(batch_size=4), "trained with batch_size 4, not 6"),
    ],
)
def test_the_state_of_another_plan_is_refused(other, said):
    with pytest.raises(InputError, match=f"the checkpoint was {said}"):
        Training(plan()).go_on_from(Training(other).state())


def test_too_few_images_for_a_batch_are_an_error(pixels):
    with pytest.raises(InputError, match="5 images are too few for a batch of 6; --batch-size takes fewer"):
        next(Training(plan()).run(pixels[:5]))


def test_a_batch_that_processes_cannot_share_is_an_error(pixels, monkeypatch):
    monkeypatch.setattr(train.ranks, "world", lambda: 4)
    with pytest.raises(InputError, match="a batch of 6 images does not divide among 4 processes"):
        next(Training(plan()).run(pixels))


def test_half_precision_trains_the_network_and_keeps_losses_and_weights_whole(pixels):
    training, steps = trained(pixels, plan("vae", amp=True, steps=30))
    assert steps[-1].loss < steps[0].loss
    assert {value.dtype for value in training.network.parameters()} == {torch.float32}
    assert not equal(training, trained(pixels, plan("vae", steps=30))[0])


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"lr": 0.0}, InputError, "lr must be above 0 and finite, got 0.0"),
        ({"lr": math.inf}, InputError, "lr must be above 0 and finite, got inf"),
        ({"lr": 1e38}, InputError, r"lr must be 1e\+06 at most, got 1e\+38"),
        ({"beta1": 1.0}, InputError, "beta1 must be at least 0 and below 1, got 1.0"),
        ({"size": 4}, InputError, "ae takes images of 8 to 256 pixels, not 4"),
        ({"objective": Objective(patch_factor=3)}, ShapeError, "does not divide the side 16; another --patch-factor"),
        ({"objective": Objective(gan_weight=2)}, InputError, "ae has no critic; a gan_weight is for pix2pix"),
        ({"objective": Objective(transform="dct", component="phase")}, InputError, "transform 'dct' has none"),
    ],
)
def test_a_plan_that_cannot_be_is_an_error(changes, error, said):
    with pytest.raises(error, match=said):
        plan(**changes)


def test_a_weight_of_0_of_what_a_model_has_not_is_no_error():
    assert plan(objective=Objective(kl_weight=0, gan_weight=0)).objective.kl_weight == 0


def test_what_must_stay_is_all_but_the_length():
    one, other = plan(steps=3).essence, replace(plan(), steps=None, epochs=9).essence
    assert one == other


def test_steps_are_rows_of_the_log():
    assert Step._fields == ("step", "epoch", "loss", "pixel", "ffl", "kl", "spreg", "gan", "critic")
