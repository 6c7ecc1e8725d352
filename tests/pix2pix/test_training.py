"""Training of pairs, with a critic: at its smallest size, and with a thirty-second of the channels."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from ffltool.datasets import Batches, given, seed_of, to_unit
from ffltool.loss import focal_frequency_loss
from ffltool.models import look_up
from ffltool.objective import Objective
from ffltool.train import Training
from tests.pix2pix.common import CODE, equal, plan

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")


def trained(pairs, plan):
    training = Training(plan)
    return training, [step for steps in training.run(pairs.pixels) for step in steps]


def test_the_loss_falls(pairs):
    _, steps = trained(pairs, plan(steps=20))
    first, last = (sum(step.loss for step in part) / 5 for part in (steps[:5], steps[-5:]))
    assert last < 0.9 * first


def test_the_loss_is_the_weighted_sum_of_its_terms_without_the_critics(pairs):
    _, steps = trained(pairs, plan(ffl_weight=3, gan_weight=2, steps=2))
    for step in steps:
        assert step.loss == pytest.approx(100 * step.pixel + 3 * step.ffl + 2 * step.gan, rel=1e-6)  # in float32
        assert step.critic == pytest.approx(math.log(2), abs=0.1)  # of one that cannot tell
        assert step.kl is step.spreg is None


def by_hand(pairs, plan, *, ffl=0.0, gan=1.0):
    """Return the state dicts that a plain loop of pix2pix comes to, of generator and critic."""
    model = look_up("pix2pix")
    generator = model.build(256, seed=seed_of(plan.seed, "weights"))
    critic = model.build_critic(seed=seed_of(plan.seed, "critic"))
    adams = [torch.optim.Adam(each.parameters(), lr=plan.lr, betas=(0.5, 0.999)) for each in (generator, critic)]
    batches = Batches(pairs.pixels, plan.batch_size, seed=plan.seed, device=torch.device("cpu"))
    bce = binary_cross_entropy_with_logits
    for step in range(1, plan.steps + 1):
        source, real = batches.batch(step).chunk(2, dim=1)
        noise = torch.Generator().manual_seed(seed_of(plan.seed, "noise", step - 1, 0))
        fake = generator(source, noise).images
        verdicts = critic(source, real), critic(source, fake.detach())
        loss = sum(bce(each, torch.full_like(each, good)) for each, good in zip(verdicts, (1, 0), strict=True)) / 2
        adams[1].zero_grad()
        loss.backward()
        adams[1].step()
        loss = 100 * l1_loss(fake, real)
        if ffl:
            loss = loss + ffl * focal_frequency_loss(fake, real)
        if gan:
            verdict = critic(source, fake)
            loss = loss + gan * bce(verdict, torch.ones_like(verdict))
        adams[0].zero_grad()
        loss.backward()
        adams[0].step()
    return generator.state_dict(), critic.state_dict()


@pytest.mark.parametrize("ffl", [0.0, 10.0])
def test_a_step_is_that_of_a_plain_loop_with_ffl_added_to_the_generators_loss(pairs, ffl):
    training, _ = trained(pairs, plan(ffl_weight=ffl, steps=2))
    expected = by_hand(pairs, training.plan, ffl=ffl)
    for learner, weights in zip((training.learner, training.critic), expected, strict=True):
        for name, value in learner.network.state_dict().items():
            # the same numbers by other formulas; Adam divides a gradient by its own size, and a step has 2e-3
            torch.testing.assert_close(value, weights[name], rtol=0, atol=1e-4)


def test_an_ffl_weight_of_0_is_no_ffl_to_the_bit(pairs, monkeypatch):
    training, steps = trained(pairs, plan(ffl_weight=0))
    monkeypatch.setattr(Objective, "frequency_loss", None)
    other, _ = trained(pairs, plan(ffl_weight=0))
    assert equal(training.state(), other.state())
    assert all(step.ffl is None for step in steps)


def test_a_gan_weight_of_0_is_no_critic(pairs):
    training, steps = trained(pairs, plan(gan_weight=0, ffl_weight=0, steps=2))
    expected, _ = by_hand(pairs, training.plan, gan=0)
    assert equal(dict(training.network.state_dict()), dict(expected))
    assert training.critic is None
    assert "critic" not in training.state()
    assert all(step.gan is step.critic is None for step in steps)


def test_the_generators_step_leaves_the_critic_alone(pairs):
    training = Training(plan())
    next(training.run(pairs.pixels))
    images = to_unit(pairs.pixels[:1])
    training._verdict(training.critic, given(images), training.network(given(images)).images).sum().backward()
    before = [each.grad.clone() for each in training.critic.network.parameters()]
    assert all(each.requires_grad for each in training.critic.network.parameters())
    assert all(map(torch.equal, before, (each.grad for each in training.critic.network.parameters())))
    assert all(each.grad.any() for each in training.network.parameters())


@pytest.mark.parametrize("decay", [0.0, 0.8])
def test_a_run_that_goes_on_comes_to_the_same_bits_as_one_that_never_stopped(pairs, decay):
    whole, expected = trained(pairs, plan(decay=decay))
    half = Training(plan(decay=decay))
    before = next(half.run(pairs.pixels))
    other = Training(plan(decay=decay))
    other.go_on_from(half.state())
    torch.manual_seed(99)  # which has no say
    after = [step for steps in other.run(pairs.pixels) for step in steps]
    assert before + after == expected
    assert equal(whole.state(), other.state())


def test_the_same_seed_gives_the_same_weights_and_another_one_others(pairs):
    one, same, other = (trained(pairs, plan(seed=seed, steps=1))[0].state() for seed in (1, 1, 2))
    assert equal(one, same)
    for part in ("weights", "moments"):
        assert not equal(one[part], other[part])
        assert not equal(one["critic"][part], other["critic"][part])


def test_rebuilt_images_do_not_depend_on_what_is_beside_them(pairs):
    training, _ = trained(pairs, plan(steps=1))
    whole, alone = (training.rebuilt(pairs.pixels), torch.cat([training.rebuilt(each[None]) for each in pairs.pixels]))
    torch.testing.assert_close(whole, alone, rtol=0, atol=1e-5)  # convolutions of other batches round otherwise
    turned = torch.cat([given(pairs.pixels), given(pairs.pixels)], dim=1)
    assert torch.equal(training.rebuilt(turned), whole), "of the side that is wanted nothing is seen"


def test_the_step_is_the_same_and_then_falls_to_0_in_a_line():
    ten = plan(lr=0.5, decay=0.5)
    assert [ten.lr_of(step, 10) for step in range(1, 11)] == pytest.approx([0.5] * 6 + [0.4, 0.3, 0.2, 0.1])
    assert [plan(lr=0.5).lr_of(step, 10) for step in (1, 10)] == [0.5, 0.5]


def test_the_steps_length_reaches_both_networks(pairs):
    training, _ = trained(pairs, plan(decay=1.0))
    for learner in (training.learner, training.critic):
        assert learner.optimizer.param_groups[0]["lr"] == pytest.approx(2e-3 / 3)


def test_half_precision_trains_both_networks_and_keeps_weights_whole(pairs):
    training, steps = trained(pairs, plan(amp=True, steps=1))
    assert all(math.isfinite(value) for value in (steps[0].loss, steps[0].critic))
    for learner in (training.learner, training.critic):
        assert {value.dtype for value in learner.network.parameters()} == {torch.float32}


TWO = f"""{CODE}
import sys
from pathlib import Path
from ffltool import ranks
from ffltool.datasets import load
from ffltool.train import Plan, Training

training = Training(Plan(model="pix2pix", size=256, batch_size=2, steps=2, direction="AtoB"))
with ranks.group():
    for _ in training.run(load(Path(sys.argv[1]), size=256, direction="AtoB").pixels):
        pass
    for learner in (training.learner, training.critic):
        for value in learner.network.state_dict().values():
            both = value.clone()
            ranks.all_reduce(both)
            assert torch.equal(both, 2 * value)
"""


def test_two_processes_train_one_generator_and_one_critic(tmp_path, folder, torchrun):
    (tmp_path / "two.py").write_text(TWO)
    result = torchrun(tmp_path / "two.py", folder)
    assert result.returncode == 0, result.stderr
