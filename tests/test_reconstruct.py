import math
import re
from itertools import count, islice

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.lfd import lfd
from ffltool.metrics.psnr import psnr
from ffltool.reconstruct import OPTIMIZERS, Descent, known_objectives, noise, objectives, rebuild, reconstruct

OBJECTIVES = list(objectives())
each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


pytestmark = pytest.mark.usefixtures("one_thread")


def smooth(height=32, width=48):
    """A smooth picture in colour, values in 0.1..0.9."""
    y, x = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    return torch.stack([0.5 + 0.4 * torch.sin(3 * x + 2 * y), 0.2 + 0.6 * x * y, 0.5 + 0.3 * torch.cos(5 * y - x)])


def random(*shape, dtype=torch.float32, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def stripes(height=12, width=16):
    """Vertical stripes: all frequencies but a few of one row are exactly 0."""
    return (0.25 + 0.5 * (torch.arange(width) // 4 % 2)).expand(1, height, width).clone()


def steps_of(target, objective="ffl", *, start=None, **descent):
    return [step for step, _ in reconstruct(target, objective, start=start, descent=Descent(**descent))]


# the first step, the last, and what is said of each


def test_step_0_is_the_start_before_anything_was_done():
    target, start = random(3, 8, 9), random(3, 8, 9, seed=2)
    step, image = next(reconstruct(target, "pixel", start=start))
    assert torch.equal(image, start)
    assert step.number == 0
    assert step.loss == pytest.approx((start - target).square().mean().item())


def test_the_start_is_noise_of_seed_0_unless_told():
    target = random(3, 8, 9)
    _, image = next(reconstruct(target))
    assert torch.equal(image, noise(target, seed=0))


def test_the_objective_is_the_focal_frequency_loss_unless_told():
    target = random(1, 8, 8)
    assert next(reconstruct(target))[0][2:] == next(reconstruct(target, "ffl"))[0][2:]


@pytest.mark.parametrize("steps", [1, 7])
def test_steps_are_numbered_from_0_to_the_number_asked_for(steps):
    assert [step.number for step in steps_of(random(1, 8, 8), steps=steps)] == list(range(steps + 1))


def test_there_are_300_steps_unless_told():
    assert Descent().steps == 300


def test_seconds_never_run_backwards():
    seconds = [step.seconds for step in steps_of(random(1, 8, 8), steps=20)]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0


def test_seconds_stop_at_the_first_step_that_is_late():
    seconds = [step.seconds for step in steps_of(random(1, 8, 8), "pixel", steps=10**9, seconds=0.05)]
    assert seconds[-1] >= 0.05
    assert all(early < 0.05 for early in seconds[:-1])


@pytest.mark.usefixtures("a_second_each_time")
def test_the_clock_starts_with_the_run_and_stops_it():
    steps = steps_of(random(1, 8, 8), "pixel", steps=100, seconds=3)
    assert [step.seconds for step in steps] == [1, 2, 3]


def test_steps_stop_before_many_seconds_do():
    assert len(steps_of(random(1, 8, 8), "pixel", steps=3, seconds=3600)) == 4


def test_images_are_not_cut_to_0_to_1_and_psnr_and_lfd_are_those_of_pixels_that_are():
    target, start = random(3, 8, 9), 3 * random(3, 8, 9, seed=2) - 1
    step, image = next(reconstruct(target, "pixel", start=start))
    assert torch.equal(image, start)
    error = np.square(start.numpy().clip(0, 1) - target.numpy(), dtype=np.float64).mean()
    assert step.psnr == pytest.approx(-10 * math.log10(error), rel=1e-5)
    assert step.lfd == pytest.approx(math.log1p(8 * 9 * 255**2 * error), rel=1e-5)


def test_psnr_and_lfd_of_every_step_are_those_of_the_metrics():
    target = random(3, 8, 9)
    for step, image in reconstruct(target, descent=Descent(steps=3)):
        pair = 255 * target[None].double(), 255 * image[None].double().clamp(0, 1)
        assert step.psnr == pytest.approx(psnr(*pair).item(), rel=1e-5)
        assert step.lfd == pytest.approx(lfd(*pair).item(), rel=1e-5)


@pytest.mark.parametrize("signs", [(-1, -1, -1), (1, -1, 1)])
@each_objective
def test_where_an_objective_does_not_know_a_channel_from_its_negative_the_brighter_is_taken(objective, signs):
    target = random(3, 8, 9)
    start = target * torch.tensor(signs)[:, None, None]
    step, image = next(reconstruct(target, objective, start=start))
    if objective in ("amplitude", "ffl-amplitude", "phase-eq6"):
        assert torch.equal(image, target)
        assert (step.loss, step.psnr) == (pytest.approx(0, abs=1e-10), math.inf)
    else:
        assert torch.equal(image, start)
        assert step.loss > 0.1


def test_a_run_does_not_mind_that_gradients_are_switched_off():
    target = random(1, 8, 8)
    expected = [step._replace(seconds=0) for step in steps_of(target, steps=3)]
    with torch.no_grad():
        assert [step._replace(seconds=0) for step in steps_of(target, steps=3)] == expected


def test_images_stay_what_they_were_while_the_run_goes_on():
    (_, first), (_, second) = islice(reconstruct(random(1, 8, 8), descent=Descent(steps=1)), 2)
    assert torch.equal(first, noise(first, seed=0))
    assert not torch.equal(first, second)


def test_target_and_start_are_left_alone():
    target, start = random(1, 8, 8), random(1, 8, 8, seed=2)
    copies = target.clone(), start.clone()
    list(reconstruct(target, start=start, descent=Descent(steps=3)))
    assert torch.equal(target, copies[0])
    assert torch.equal(start, copies[1])
    assert not target.requires_grad
    assert not start.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_is_the_targets(dtype):
    target = random(1, 8, 8, dtype=dtype)
    _, image = next(reconstruct(target, start=random(1, 8, 8)))
    assert image.dtype == dtype


# what objectives are


def test_frequency_and_pixel_go_the_same_way_by_parseval():
    target = random(3, 8, 9, dtype=torch.float64)
    ways = [steps_of(target, objective, steps=30) for objective in ("frequency", "pixel")]
    for one, other in zip(*ways, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        assert one.psnr == pytest.approx(other.psnr, rel=1e-9)


def test_phase_eq6_is_the_slow_definition():
    pred, target = random(3, 8, 9, dtype=torch.float64), random(3, 8, 9, dtype=torch.float64, seed=2)
    phases = []
    for image in (pred, target):
        spectrum = np.fft.fft2(image.numpy())
        phases.append(np.arctan(spectrum.imag / spectrum.real))
    expected = np.square(phases[0] - phases[1]).mean()
    assert objectives()["phase-eq6"](pred, target).item() == pytest.approx(expected, rel=1e-9)


def test_phase_eq6_cannot_tell_an_image_from_its_negative_and_phase_can():
    image = random(1, 8, 8, dtype=torch.float64)
    assert objectives()["phase-eq6"](-image, image).item() == pytest.approx(0, abs=1e-20)
    assert objectives()["phase"](-image, image).item() == pytest.approx(math.pi**2)


def test_a_frequency_of_minus_0_has_no_phase_under_phase_eq6():
    black = torch.zeros(1, 8, 8)
    assert torch.fft.fft2(-black).angle().max() == pytest.approx(math.pi), "which is no more than a sign of zero"
    assert objectives()["phase-eq6"](-black, black).item() == 0


def test_alpha_is_the_exponent_of_objectives_that_begin_with_ffl_alone():
    pred, target = random(1, 8, 9), random(1, 8, 9, seed=2)
    for name in OBJECTIVES:
        one, other = (objectives(alpha)[name](pred, target).item() for alpha in (1.0, 2.0))
        assert (one != other) == name.startswith("ffl"), name


def test_alpha_0_makes_of_each_focal_objective_the_plain_one():
    pred, target = random(1, 8, 9), random(1, 8, 9, seed=2)
    plain = {name: objective(pred, target).item() for name, objective in objectives(0.0).items()}
    for focal, name in {
        "ffl": "pixel",
        "ffl-amplitude": "amplitude",
        "ffl-phase": "phase",
        "ffl-pixel": "pixel",
        "ffl-dct": "pixel",
    }.items():
        assert plain[focal] == pytest.approx(plain[name], rel=1e-5), focal


def test_known_objectives_are_told_apart_from_spaces_case_and_repetition():
    assert known_objectives([" FFL", "Pixel ", "ffl"]) == ["ffl", "pixel"]


# what comes back


@pytest.mark.parametrize("objective", ["pixel", "frequency"])
def test_plain_descent_with_step_1_rebuilds_the_image_at_once(objective):
    step = steps_of(smooth(), objective, optimizer="sgd", steps=1)[-1]
    assert step.psnr > 100


def test_plain_descent_with_step_1_rebuilds_the_image_in_ten_steps_under_ffl():
    assert OPTIMIZERS["sgd"][1] == 1.0
    assert steps_of(smooth(), "ffl", optimizer="sgd", steps=10)[-1].psnr > 35


def test_lr_is_the_length_of_a_step():
    target = smooth()
    halves = steps_of(target, "pixel", optimizer="sgd", lr=0.5, steps=2)
    assert [step.loss for step in halves] == pytest.approx([halves[0].loss / 4**number for number in range(3)])


@pytest.mark.parametrize("objective", ["ffl", "frequency"])
def test_amplitude_and_phase_together_bring_the_image_back(objective):
    assert steps_of(smooth(), objective, steps=100)[-1].psnr > 35


def test_amplitude_alone_does_not_bring_the_image_back():
    first, *_, last = steps_of(smooth(), "amplitude", steps=100)
    assert last.loss < first.loss / 1000
    assert last.psnr < 20


@pytest.mark.parametrize("objective", ["phase", "phase-eq6"])
def test_phase_alone_does_not_bring_the_image_back(objective):
    first, *_, last = steps_of(smooth(), objective, steps=100)
    assert last.loss < first.loss / 5
    assert last.psnr < 20


IMAGES = {
    "grey 8x8": random(1, 8, 8),
    "colour 8x9": random(3, 8, 9),
    "constant": torch.full((1, 8, 8), 0.3),
    "black": torch.zeros(3, 9, 8),
    "stripes": stripes(),
}


@each_objective
@pytest.mark.parametrize("target", IMAGES.values(), ids=IMAGES)
def test_every_objective_runs_from_noise_and_stays_finite(target, objective):
    for step, image in reconstruct(target, objective, descent=Descent(steps=20)):
        assert all(map(math.isfinite, step))
        assert image.isfinite().all()


@each_objective
@pytest.mark.parametrize("target", IMAGES.values(), ids=IMAGES)
def test_every_objective_is_0_at_the_image_itself_and_stays_there(target, objective):
    for step, image in reconstruct(target, objective, start=target, descent=Descent(steps=3)):
        assert (step.loss, step.psnr, step.lfd) == (0, math.inf, 0)
        assert torch.equal(image, target)


@each_objective
def test_every_objective_runs_from_grey_and_stays_finite(objective):
    target = random(1, 8, 8)
    for step in steps_of(target, objective, start=torch.full_like(target, 0.5), steps=20):
        assert all(map(math.isfinite, step))


@pytest.mark.parametrize("objective", ["phase", "amplitude", "ffl", "ffl-phase"])
def test_the_loss_falls_where_the_spectrum_has_exact_zeros(objective):
    target = stripes()
    assert (torch.fft.fft2(target) == 0).sum() > target.numel() / 2
    first, *_, last = steps_of(target, objective, steps=20)
    assert last.loss < first.loss / 5


def test_squared_gradients_are_no_denormal_numbers(monkeypatch):
    squares, over = [], Descent.over

    def watched(descent, pixels):
        optimizer = over(descent, pixels)
        optimizer.register_step_pre_hook(lambda *_: squares.append(pixels.grad.square()))
        return optimizer

    monkeypatch.setattr(Descent, "over", watched)
    # at 32x48 the gradients are small enough for it to happen, without the factor, from 600 steps on
    steps_of(smooth(), "ffl", steps=1000)
    squares = torch.stack(squares)
    assert len(squares) >= 1000
    denormal = (squares > 0) & (squares < torch.finfo(squares.dtype).tiny)
    for steps in (300, 1000):
        assert denormal[:steps].double().mean() < 0.001


# noise


def test_the_same_seed_gives_the_same_and_another_seed_another():
    target = random(3, 8, 9)
    ends = []
    for seed in (5, 5, 6):
        *_, (_, image) = reconstruct(target, start=noise(target, seed=seed), descent=Descent(steps=5))
        ends.append(image)
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_is_uniform_in_0_to_1_and_like_the_target(dtype):
    target = torch.zeros(3, 64, 80, dtype=dtype)
    values = noise(target, seed=3)
    assert (values.shape, values.dtype) == (target.shape, dtype)
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() <= 1
    assert values.mean().item() == pytest.approx(0.5, abs=0.01)
    assert values.var().item() == pytest.approx(1 / 12, abs=0.005)


def test_noise_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    noise(torch.zeros(1, 8, 8), seed=7)
    assert torch.equal(torch.rand(1), expected)


# several objectives


def test_rebuild_gives_what_reconstruct_gives_under_each_name():
    target, descent = random(3, 8, 9), Descent(steps=3)
    start = noise(target, seed=1)
    results = rebuild(target, ["pixel", "FFL", "pixel"], start=start, descent=descent)
    assert [result.objective for result in results] == ["pixel", "ffl"]
    for result in results:
        *_, (step, image) = reconstruct(target, result.objective, start=start, descent=descent)
        assert torch.equal(result.image, image)
        assert len(result.steps) == 4
        assert result.steps[-1]._replace(seconds=0) == step._replace(seconds=0)
        assert result.frames == ()


@pytest.fixture
def a_second_each_time(monkeypatch):
    """A clock that says one second more whenever it is looked at."""
    monkeypatch.setattr("ffltool.reconstruct.time.perf_counter", count().__next__)


def animated(**descent):
    """Return the numbers of the steps that an animation shows, and the number of the last step."""
    images = []

    def watched(run, _name, _total):
        for step, image in run:
            images.append(image)
            yield step, image

    target = random(1, 8, 8)
    settings = {"start": noise(target, seed=0), "descent": Descent(**descent), "animate": True, "progress": watched}
    (result,) = rebuild(target, ["pixel"], **settings)
    shown = [next(n for n, image in enumerate(images) if torch.equal(image, frame)) for frame in result.frames]
    return shown, len(images) - 1


@pytest.mark.parametrize("steps", [1, 5, 11, 300])
def test_an_animation_goes_from_the_start_to_the_end_at_ever_longer_distances(steps):
    shown, last = animated(steps=steps, lr=0.005)
    assert (shown[0], shown[-1], last) == (0, steps, steps)
    assert min(steps + 1, 20) <= len(shown) <= 40
    distances = np.diff(shown)
    assert (distances >= 1).all()
    assert (np.diff(distances) >= -1).all(), "rounding alone may make one shorter"


@pytest.mark.usefixtures("a_second_each_time")
def test_an_animation_that_is_stopped_by_the_clock_ends_with_the_last_image():
    shown, last = animated(steps=10**6, seconds=8.5)
    assert last == 8
    assert shown[-1] == last


def test_progress_is_given_the_name_and_number_of_steps_of_each_objective():
    target, seen = random(1, 8, 8), []

    def progress(run, name, total):
        steps = list(run)
        seen.append((name, total, len(steps)))
        return iter(steps)

    rebuild(target, ["ffl", "pixel"], start=noise(target, seed=0), descent=Descent(steps=4), progress=progress)
    assert seen == [("ffl", 4, 5), ("pixel", 4, 5)]


def test_an_unknown_objective_is_noticed_before_the_first_one_runs():
    def progress(*_):
        raise AssertionError("something ran")

    target = random(1, 8, 8)
    with pytest.raises(InputError, match="no objective 'nonsense'"):
        rebuild(target, ["ffl", "nonsense"], start=target, descent=Descent(), progress=progress)


# errors: they come at once, not with the first step


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 20), (3, 20, 7), (8, 8), (1, 3, 8, 8)])
def test_images_that_are_too_small_or_of_another_rank_are_refused(shape):
    expected = f"an image (C, H, W) of at least 8x8 is wanted, got {shape}"
    with pytest.raises(ShapeError, match=re.escape(expected)):
        reconstruct(torch.zeros(shape))


def test_a_start_of_another_shape_is_refused():
    expected = "start (3, 8, 8) and target (1, 8, 8) must have one shape"
    with pytest.raises(ShapeError, match=re.escape(expected)):
        reconstruct(torch.zeros(1, 8, 8), start=torch.zeros(3, 8, 8))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["target", "start"])
def test_values_that_are_not_finite_are_refused(name, bad):
    images = {"target": random(1, 8, 8), "start": random(1, 8, 8)}
    images[name][0, 3, 5] = bad
    with pytest.raises(InputError, match=f"{name} must hold finite values in 0..1 as float32 or float64"):
        reconstruct(images["target"], start=images["start"])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["target", "start"])
def test_integers_and_half_precision_are_refused(name, dtype):
    images = {"target": random(1, 8, 8), "start": random(1, 8, 8)}
    images[name] = torch.zeros(1, 8, 8, dtype=dtype)
    with pytest.raises(InputError, match=f"{name} must hold finite values in 0..1 as float32 or float64"):
        reconstruct(images["target"], start=images["start"])


@pytest.mark.parametrize("name", ["steps", "seconds", "lr"])
@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, math.inf])
def test_numbers_of_a_descent_must_be_above_0(name, value):
    with pytest.raises(InputError, match=f"^{name} must be above 0, got {value}$"):
        Descent(**{name: value})


def test_a_step_beyond_single_precision_is_a_clear_error():
    with pytest.raises(InputError, match=r"^lr must be below 3.4e\+38, got 1e\+300$"):
        Descent(optimizer="sgd", lr=1e300)


def test_an_unknown_optimizer_lists_the_known_ones():
    with pytest.raises(InputError, match="optimizer cannot be 'newton'; known are adam, sgd"):
        Descent(optimizer="newton")


def test_an_unknown_objective_lists_the_known_ones():
    with pytest.raises(InputError, match=f"there is no objective 'mse'; known are {', '.join(OBJECTIVES)}"):
        reconstruct(torch.zeros(1, 8, 8), "mse")


@pytest.mark.parametrize("alpha", [-1.0, math.nan, math.inf])
def test_an_alpha_that_is_no_exponent_is_refused(alpha):
    with pytest.raises(InputError, match=f"alpha must be 0 or more, got {alpha}"):
        Descent(alpha=alpha)


@pytest.mark.parametrize(("objective", "lr"), [("pixel", 1e4), ("ffl", 1e6), ("frequency", 3.4e38)])
def test_a_descent_that_diverges_names_the_step_and_the_way_out(objective, lr):
    seen = []
    descent = Descent(optimizer="sgd", lr=lr)
    with pytest.raises(InputError) as caught:
        seen.extend(step for step, _ in reconstruct(random(1, 8, 8), objective, descent=descent))
    assert re.fullmatch(rf"the loss is (inf|nan) after {len(seen)} steps; a smaller lr may help", str(caught.value))
    assert all(math.isfinite(step.loss) for step in seen)
