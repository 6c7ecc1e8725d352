"""Training of pairs, with a critic: at its smallest size, and with a thirty-second of the channels."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from ffltool import train
from ffltool.datasets import Batches, given, load, seed_of, to_unit, wanted
from ffltool.errors import InputError
from ffltool.images import read
from ffltool.loss import focal_frequency_loss
from ffltool.models import look_up
from ffltool.objective import Objective
from ffltool.run_folder import Reuse
from ffltool.runs import Judging, Keeping, carry_out
from ffltool.train import Plan, Training

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")
JUDGING = Judging(metrics=("psnr", "lfd"))
CODE = "import torch; torch.set_num_threads(1); from ffltool.models import pix2pix; pix2pix.WIDTH = 2\n"
MAIN = f"{CODE}import sys; from ffltool.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of four images whose right half is the negative of the left one."""
    folder = tmp_path_factory.mktemp("pairs")
    coarse = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    smooth = (255 * torch.nn.functional.interpolate(coarse, size=256, mode="bilinear")).to(torch.uint8)
    for number, image in enumerate(smooth):
        both = torch.cat([image, 255 - image], dim=-1)
        Image.fromarray(both.movedim(0, -1).numpy()).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def pairs(folder):
    return load(folder, size=256, direction="AtoB")


def plan(**changes):
    weights = {"ffl_weight": changes.pop("ffl_weight", 1.0), "gan_weight": changes.pop("gan_weight", 1.0)}
    objective = Objective(loss="l1", pixel_weight=100, **weights)
    own = {"size": 256, "batch_size": 2, "steps": 3, "lr": 2e-3, "beta1": 0.5, "direction": "AtoB", "seed": 4}
    return Plan(model="pix2pix", objective=objective, **own | changes)


def trained(pairs, plan):
    training = Training(plan)
    return training, [step for steps in training.run(pairs.pixels) for step in steps]


def equal(one, other):
    """Tell whether two states are, to the bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def checkpoint(run):
    return torch.load(run / "checkpoint.pt", weights_only=True)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 300}, "pix2pix takes images of a power of two 256 to 1024 pixels, not 300"),
        ({"direction": None}, "pix2pix wants a direction, AtoB or BtoA, not None"),
        ({"direction": "up"}, "pix2pix wants a direction, AtoB or BtoA, not 'up'"),
        ({"model": "ae", "size": 64}, "ae rebuilds whole images; a direction is for models of pairs"),
        ({"decay": 1.5}, "decay must be a share from 0 to 1, got 1.5"),
        ({"objective": {"pixel_weight": 0}}, "pixel_weight must be above 0, got 0"),
        ({"objective": {"gan_weight": -1}}, "gan_weight must be 0 or more, got -1"),
        ({"objective": {"kl_weight": 1}}, "pix2pix has no divergence; a kl_weight is for vae"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_is_an_error(changes, said):
    settings = {"model": "pix2pix", "size": 256, "direction": "AtoB"} | changes
    with pytest.raises(InputError, match=said):
        Plan(**settings | {"objective": Objective(**settings.get("objective", {}))})


def test_images_that_are_no_pairs_and_pairs_that_should_be_none_are_errors(pairs):
    with pytest.raises(InputError, match="pix2pix takes images of 6 channels, not 3"):
        next(Training(plan()).run(given(pairs.pixels)))
    with pytest.raises(InputError, match="ae takes images of 3 channels, not 6"):
        next(Training(Plan(model="ae", size=8)).run(pairs.pixels))


def test_the_halves_of_an_image_are_given_and_wanted(tmp_path, save, rng):
    pixels = rng.integers(0, 256, (16, 40, 3), dtype=np.uint8)
    save(tmp_path / "a.png", pixels=pixels)
    planes = torch.from_numpy(np.moveaxis(pixels, -1, 0).copy())
    left, right = planes[..., 2:18], planes[..., 22:38]  # of halves 20 wide the centre
    for direction, sides in (("AtoB", (left, right)), ("BtoA", (right, left))):
        images = load(tmp_path, size=16, direction=direction).pixels
        assert torch.equal(given(images)[0], sides[0])
        assert torch.equal(wanted(images)[0], sides[1])
    whole = load(tmp_path, size=16).pixels
    assert torch.equal(given(whole), wanted(whole))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((16, 33), r"odd\.png is 33 pixels wide, which does not split into two halves"),
        ((16, 30), r"odd\.png is 16x15 in each half, smaller than --size 16"),
    ],
)
def test_an_image_without_two_sides_of_the_size_is_an_error_that_names_it(tmp_path, save, size, said):
    save(tmp_path / "odd.png", size=size)
    with pytest.raises(InputError, match=said):
        load(tmp_path, size=16, direction="AtoB")


def test_a_run_leaves_its_files(tmp_path, pairs):
    carry_out(plan(steps=2), pairs, tmp_path / "run", test=pairs, judging=JUDGING)
    names = [f"{name}.png" for name in pairs.names]
    assert files(tmp_path / "run") == sorted(
        [
            *("checkpoint.pt", "config.json", "log.csv", "report.json", "samples/epoch_0001.png"),
            *(f"recon/{side}/{name}" for side in ("real", "fake") for name in names),
        ]
    )
    training = Training(plan(steps=2))
    training.go_on_from(checkpoint(tmp_path / "run"))
    made = ((training.rebuilt(pairs.pixels) + 1) * 127.5).round().byte()
    for name, pair, fake in zip(names, pairs.pixels, made, strict=True):
        assert np.array_equal(read(tmp_path / "run" / "recon" / "real" / name).planes(), pair[3:].numpy())
        assert np.array_equal(read(tmp_path / "run" / "recon" / "fake" / name).planes(), fake.numpy())
    grid = read(tmp_path / "run" / "samples" / "epoch_0001.png").planes()
    assert grid.shape == (3, 3 * 256 + 2 * 2, 4 * 256 + 3 * 2)  # given, wanted, made; all four
    rows = [grid[:, top : top + 256, :256] for top in (0, 258, 516)]
    for row, expected in zip(rows, (*pairs.pixels[0].split(3), made[0]), strict=True):
        assert np.array_equal(row, expected.numpy())
    head, first, *_ = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert head == "step,epoch,loss,pixel,ffl,kl,spreg,gan,critic"
    assert [bool(cell) for cell in first.split(",")] == [True, True, True, True, True, False, False, True, True]


class StoppedError(Exception):
    """What stops a run in a test."""


def stopping(news, total, batch):
    yield next(iter(news))
    raise StoppedError


def test_a_run_that_was_stopped_and_goes_on_comes_to_the_same_files(tmp_path, pairs):
    carry_out(plan(decay=0.5), pairs, tmp_path / "whole", test=pairs, judging=JUDGING)
    often = Keeping(checkpoint_seconds=0, samples_every=1)
    with pytest.raises(StoppedError):
        carry_out(plan(decay=0.5), pairs, tmp_path / "half", keeping=often, progress=stopping)
    assert checkpoint(tmp_path / "half")["step"] == 1
    carry_out(plan(decay=0.5), pairs, tmp_path / "half", test=pairs, judging=JUDGING, reuse=Reuse(resume=True))
    assert equal(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "half"))
    assert files(tmp_path / "whole") == files(tmp_path / "half")
    for name in files(tmp_path / "whole"):
        if name.endswith((".png", "log.csv")):
            assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "half" / name).read_bytes(), name


def test_a_process_that_was_killed_goes_on_to_the_same_weights(tmp_path, folder, pairs, killed_at):
    command = ["train", "pix2pix", folder, "--decay", 0, "--checkpoint-seconds", 0, "--device", "cpu"]
    arguments = [*command, "--steps", 100000, "--samples-every", 9999, "-o", tmp_path / "run"]
    killed_at(tmp_path / "run" / "checkpoint.pt", MAIN, arguments)
    step = checkpoint(tmp_path / "run")["step"]
    length = plan(seed=0, steps=step + 1, lr=2e-4, batch_size=1)
    for name in ("run", "whole"):
        carry_out(length, pairs, tmp_path / name, reuse=Reuse(resume=True))
    assert equal(checkpoint(tmp_path / "run"), checkpoint(tmp_path / "whole"))
    assert len({(tmp_path / name / "log.csv").read_text() for name in ("run", "whole")}) == 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"decay": 0.5, "steps": 1}, {"decay": 0.5}, "trained with steps 1, not 3"),
        ({"steps": 1}, {"direction": "BtoA"}, "trained with direction AtoB, not BtoA"),
        ({"steps": 1}, {"gan_weight": 0.0}, r"trained with gan_weight 1.0, not 0.0"),
    ],
    ids=str,
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, pairs, before, after, said):
    carry_out(plan(**before), pairs, tmp_path / "run")
    with pytest.raises(InputError, match=said):
        carry_out(plan(**after), pairs, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_checkpoint_without_its_critic_is_refused(tmp_path, pairs):
    carry_out(plan(steps=1), pairs, tmp_path / "run")
    state = checkpoint(tmp_path / "run")
    del state["critic"]
    torch.save(state, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(InputError, match="the checkpoint does not hold the weights and moments of this model"):
        carry_out(plan(), pairs, tmp_path / "run", reuse=Reuse(resume=True))


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path, pairs, monkeypatch):
    def spoilt(real, fake):
        return critic_loss(real, fake) * (float("nan") if (tmp_path / "run" / "checkpoint.pt").exists() else 1)

    critic_loss = train.critic_loss
    monkeypatch.setattr(train, "critic_loss", spoilt)
    with pytest.raises(InputError, match="the loss is nan at step 2; a smaller --lr, --pixel-weight, --ffl"):
        carry_out(plan(), pairs, tmp_path / "run", keeping=Keeping(checkpoint_seconds=0))
    state = checkpoint(tmp_path / "run")
    assert state["step"] == 1
    assert all(value.isfinite().all() for value in state["critic"]["weights"].values())


def test_the_commands_defaults_are_those_of_pix2pixs_authors(run, tmp_path, folder):
    status, out, err = run("train", "pix2pix", folder, "-o", tmp_path / "run", "--steps", 1, "--device", "cpu")
    assert (status, err) == (0, "")
    assert out.startswith("pix2pix, 256x256: step 1 of epoch 1, loss ")
    assert "critic 0." in out
    found = json.loads((tmp_path / "run" / "config.json").read_text())["plan"]
    objective = found.pop("objective")
    assert found == {
        **{"model": "pix2pix", "size": 256, "batch_size": 1, "epochs": 200, "steps": 1, "seed": 0, "amp": False},
        **{"lr": 2e-4, "decay": 0.5, "beta1": 0.5, "beta2": 0.999, "direction": "AtoB"},
    }
    assert (objective["loss"], objective["pixel_weight"], objective["gan_weight"]) == ("l1", 100, 1)


def test_an_experiment_makes_the_same_tables_and_figures(run, tmp_path, folder):
    command = ["experiment", "pix2pix", folder, "-o", tmp_path / "out", "--test", folder, "--steps", 1]
    status, out, err = run(*command, "--device", "cpu", "-m", "psnr,lsd", "--direction", "BtoA")
    assert (status, err) == (0, "")
    assert out.startswith("pix2pix, 256x256: 4 images, 1 step of 1\njudged on 4 other images; seed 0")
    names = {"table.csv", "trials.csv", "table.md", "table.tex", "experiment.json", "runs"}
    names |= {"reconstructions.png", "spectra.png", "losses.png", "ablation.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", 300], "pix2pix takes images of a power of two 256 to 1024 pixels, not 300"),
        (["--size", 512], "0.png is 256x256 in each half, smaller than --size 512"),
        (["--pixel-weight", 0], "pixel_weight must be above 0, got 0"),
        (["--sample", 2], "pix2pix generates no images from noise, so that there are none to sample"),
    ],
    ids=str,
)
def test_what_a_user_can_mend_is_one_line(run, tmp_path, folder, options, said):
    status, out, err = run("train", "pix2pix", folder, "-o", tmp_path / "run", "--device", "cpu", *options)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not (tmp_path / "run").exists()


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
