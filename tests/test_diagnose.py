import json
import math
import random
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.diagnose import ALPHAS, as_json, diagnose
from ffltool.errors import InputError
from ffltool.images import Reading
from ffltool.loss import focal_frequency_loss
from ffltool.pairing import Pair, Pairing
from ffltool.radial import bands

BANDS = {band.name: (band.low, band.high) for band in bands(4)}

EXPONENTS = [0.0, 0.5, 1.0, 2.0, 3.0]
each_alpha = pytest.mark.parametrize("alpha", EXPONENTS)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def pairing(tmp_path, save):
    """Return a function that saves pairs of arrays (or sizes, for random pixels) and pairs the files."""

    def pairing(*pairs, **settings):
        names = []
        for number, pair in enumerate(pairs):
            names.append(f"{number}.png")
            for side, pixels in zip(("real", "fake"), pair, strict=True):
                kind = {"pixels": pixels} if isinstance(pixels, np.ndarray) else {"size": pixels}
                mode = {"mode": Image.fromarray(pixels).mode} if isinstance(pixels, np.ndarray) else {}
                save(tmp_path / side / names[-1], **kind, **mode, **settings)
        return Pairing(tmp_path / "real", tmp_path / "fake", tuple(Pair(name, name) for name in names))

    return pairing


def random_pairs(rng, *sizes, colour=True):
    """Random images and noisy copies of them with less contrast."""
    pairs = []
    for size in sizes:
        real = rng.integers(0, 256, (*size, 3) if colour else size)
        fake = (0.8 * (real - 127.5) + 127.5 + rng.normal(0, 20, real.shape)).round().clip(0, 255)
        pairs.append((real.astype(np.uint8), fake.astype(np.uint8)))
    return pairs


def tensors(pairs):
    """Yield real and fake images, shape (C, H, W), float64 in 0..1; 16-bit ones on their own scale."""
    for pair in pairs:
        scaled = [torch.as_tensor(pixels / (65535 if pixels.dtype == np.uint16 else 255)) for pixels in pair]
        planes = [pixels.movedim(-1, 0) if pixels.ndim == 3 else pixels[None] for pixels in scaled]
        yield torch.broadcast_tensors(*planes)


def gradient(loss, real, fake):
    fake = fake.clone().requires_grad_()
    return torch.autograd.grad(loss(fake, real), fake)[0]


def norm_over_pairs(loss, pairs):
    """How long the gradient is in all fake images together."""
    return math.sqrt(sum(gradient(loss, real, fake).square().sum().item() for real, fake in tensors(pairs)))


def slow_parts(real, fake, *, alpha, exclude_dc=False):
    """Yield per channel and frequency: radius, weight (Eq. 9), squared distance; over the full spectrum."""
    for plane, other in zip(real.numpy(), fake.numpy(), strict=True):
        distance = np.abs(np.fft.fft2(other, norm="ortho") - np.fft.fft2(plane, norm="ortho"))
        weight = distance**alpha
        if exclude_dc:
            weight[0, 0] = 0
        radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, distance.shape), indexing="ij"))
        yield radius, weight / weight.max(), distance**2


def slow_shares(pairs, alpha):
    """Share of each band in the loss of all pairs."""
    sums = dict.fromkeys(BANDS, 0.0)
    for real, fake in tensors(pairs):
        for radius, weight, squared in slow_parts(real, fake, alpha=alpha):
            for name, (low, high) in BANDS.items():
                within = radius == 0 if name == "dc" else (radius >= low) & (radius < high) & (radius > 0)
                if name == "corner":
                    within = radius >= low
                sums[name] += (weight * squared)[within].sum() / real.numel()
    return {name: part / sum(sums.values()) for name, part in sums.items()}


def slow_cut(pairs, alpha):
    """How many times larger what is not of the zero frequency becomes when that is excluded from the weight."""
    rest = {}
    for exclude in (False, True):
        parts = [
            (weight * squared)[radius > 0].sum() / real.numel()
            for real, fake in tensors(pairs)
            for radius, weight, squared in slow_parts(real, fake, alpha=alpha, exclude_dc=exclude)
        ]
        rest[exclude] = sum(parts)
    return rest[True] / rest[False]


def mean_over_pairs(loss, pairs):
    return sum(loss(fake, real).item() for real, fake in tensors(pairs)) / len(pairs)


PAIRS = {
    "colour": random_pairs(np.random.default_rng(1), (12, 16)),
    "grey": random_pairs(np.random.default_rng(2), (7, 9), colour=False),
    "set": random_pairs(np.random.default_rng(3), (12, 16), (12, 16), (12, 16)),
    "sizes": random_pairs(np.random.default_rng(4), (12, 16), (7, 9), (1, 5), (20, 6)),
}
each_set = pytest.mark.parametrize("pairs", PAIRS.values(), ids=PAIRS)


def effect_of(diagnosis, alpha):
    return next(effect for effect in diagnosis.effects if effect.alpha == alpha)


# against torch's gradients and sums over the whole spectrum


@each_set
def test_mse_and_l1_are_means_over_pairs(pairing, pairs):
    found = diagnose(pairing(*pairs))
    assert found.mse == pytest.approx(mean_over_pairs(torch.nn.functional.mse_loss, pairs), rel=1e-12)
    assert found.l1 == pytest.approx(mean_over_pairs(torch.nn.functional.l1_loss, pairs), rel=1e-12)


@each_alpha
@each_set
def test_ffl_is_the_mean_of_the_function_over_pairs(pairing, pairs, alpha):
    effect = diagnose(pairing(*pairs), alpha=alpha).effects[0]
    for value, options in ((effect.ffl, {}), (effect.without_dc, {"exclude_dc": True})):
        expected = mean_over_pairs(partial(focal_frequency_loss, alpha=alpha, **options), pairs)
        assert value == pytest.approx(expected, rel=1e-10)


@each_alpha
@each_set
def test_weights_make_the_gradients_equally_long_by_autograd(pairing, pairs, alpha):
    effect = diagnose(pairing(*pairs), alpha=alpha).effects[0]
    focal = norm_over_pairs(partial(focal_frequency_loss, alpha=alpha), pairs)
    for weight, other in ((effect.weight_for_mse, "mse_loss"), (effect.weight_for_l1, "l1_loss")):
        expected = norm_over_pairs(getattr(torch.nn.functional, other), pairs) / focal
        assert weight == pytest.approx(expected, rel=1e-10)


def test_gradients_of_a_set_are_those_of_the_mean_over_a_batch(pairing):
    pairs = PAIRS["set"]
    real, fake = (torch.stack(images) for images in zip(*tensors(pairs), strict=True))
    effect = diagnose(pairing(*pairs)).effects[0]
    mse, l1 = torch.nn.functional.mse_loss, torch.nn.functional.l1_loss
    focal, *others = (gradient(loss, real, fake).norm().item() for loss in (focal_frequency_loss, mse, l1))
    assert [effect.weight_for_mse, effect.weight_for_l1] == pytest.approx([other / focal for other in others])


def test_pixels_that_are_equal_have_no_gradient_of_l1(pairing):
    ((real, fake),) = PAIRS["colour"]
    fake = np.where(np.arange(16)[:, None] % 2, real, fake)
    effect = diagnose(pairing((real, fake))).effects[0]
    expected = norm_over_pairs(torch.nn.functional.l1_loss, [(real, fake)])
    assert effect.weight_for_l1 == pytest.approx(expected / norm_over_pairs(focal_frequency_loss, [(real, fake)]))


@each_alpha
@each_set
def test_shares_are_slow_sums_over_the_full_spectrum(pairing, pairs, alpha):
    found = diagnose(pairing(*pairs), alpha=alpha)
    assert [band.name for band in found.bands] == list(BANDS)
    assert [(band.low, band.high) for band in found.bands] == list(BANDS.values())
    for exponent, shares in (
        (alpha, [band.ffl_share for band in found.bands]),
        (0, [b.mse_share for b in found.bands]),
    ):
        assert shares == pytest.approx(list(slow_shares(pairs, exponent).values()), rel=1e-9, abs=1e-15)
        assert sum(shares) == pytest.approx(1, rel=1e-12)


@each_set
def test_dc_and_high_shares_are_those_of_the_bands(pairing, pairs):
    found = diagnose(pairing(*pairs))
    for effect in found.effects:
        shares = slow_shares(pairs, effect.alpha)
        assert effect.dc_share == pytest.approx(shares["dc"], rel=1e-9)
        high = sum(shares[name] for name in ("0.25-0.375", "0.375-0.5", "corner"))
        assert effect.high_share == pytest.approx(high, rel=1e-9)


@each_set
def test_what_the_zero_frequency_cuts_is_the_rest_without_it_over_the_rest_with_it(pairing, pairs):
    for effect in diagnose(pairing(*pairs), alpha=3.0).effects:
        assert effect.dc_cuts == pytest.approx(slow_cut(pairs, effect.alpha), rel=1e-9)


@each_alpha
def test_the_weight_matrix_is_the_centred_mean_over_pairs_and_channels(pairing, alpha):
    pairs = PAIRS["set"]
    found = diagnose(pairing(*pairs), alpha=alpha, one_size=True)
    every = [weight for real, fake in tensors(pairs) for _, weight, _ in slow_parts(real, fake, alpha=alpha)]
    assert len(every) == 9
    np.testing.assert_allclose(found.weight.numpy(), np.fft.fftshift(np.mean(every, 0)), rtol=1e-10)
    assert found.effects[0].mean_weight == pytest.approx(np.mean(every), rel=1e-10)


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_a_brightness_offset_weighs_the_centre_alone(pairing, size):
    real = np.full(size, 100, np.uint8)
    found = diagnose(pairing((real, real + 3)))
    height, width = size
    expected = torch.zeros(size, dtype=torch.float64)
    expected[height // 2, width // 2] = 1
    torch.testing.assert_close(found.weight, expected, rtol=0, atol=1e-10)
    assert found.effects[0].mean_weight == pytest.approx(1 / height / width)


@each_set
def test_alpha_0_is_the_mean_squared_error_with_weight_1(pairing, pairs):
    found = diagnose(pairing(*pairs), alpha=0.0)
    effect = found.effects[0]
    assert effect.ffl == pytest.approx(found.mse, rel=1e-12)
    assert effect.mean_weight == 1
    assert effect.weight_for_mse == pytest.approx(1, rel=1e-12)
    assert effect.dc_cuts == pytest.approx(1, rel=1e-12)
    assert [band.ffl_share for band in found.bands] == pytest.approx([band.mse_share for band in found.bands])
    if found.weight is not None:
        assert (found.weight == 1).all()


# what is compared


def test_the_exponent_asked_for_comes_first_and_each_once(pairing):
    pairs = pairing(*PAIRS["colour"])
    assert ALPHAS == (0, 0.5, 1, 2)
    assert [effect.alpha for effect in diagnose(pairs).effects] == [1, 0, 0.5, 2]
    assert [effect.alpha for effect in diagnose(pairs, alpha=3).effects] == [3, 0, 0.5, 1, 2]
    assert diagnose(pairs).effects[0] == effect_of(diagnose(pairs, alpha=3), 1)


def test_nothing_depends_on_the_order_of_pairs(pairing):
    pairs = pairing(*PAIRS["sizes"])
    shuffled = random.Random(0).sample(pairs.pairs, len(pairs.pairs))
    one, other = (json.loads(as_json(diagnose(Pairing(pairs.real, pairs.fake, p)))) for p in (pairs.pairs, shuffled))
    assert list(pairs.pairs) != shuffled
    for first, second in zip(one["effects"], other["effects"], strict=True):
        assert first == pytest.approx(second, rel=1e-12)
    for first, second in zip(one["bands"], other["bands"], strict=True):
        assert list(first.values())[1:] == pytest.approx(list(second.values())[1:], rel=1e-12)
    assert one["sizes"] == other["sizes"]


def test_a_pair_twice_is_like_once_but_for_its_number(pairing):
    pairs = PAIRS["colour"]
    once, twice = diagnose(pairing(*pairs)), diagnose(pairing(*pairs, *pairs))
    assert (once.pairs, twice.pairs) == (1, 2)
    assert twice.mse == pytest.approx(once.mse)
    for one, other in zip(once.effects, twice.effects, strict=True):
        assert vars(one) == pytest.approx(vars(other))
    torch.testing.assert_close(once.weight, twice.weight)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_workers_change_nothing(pairing, workers):
    pairs = pairing(*PAIRS["sizes"])
    assert as_json(diagnose(pairs, workers=workers)) == as_json(diagnose(pairs))


def test_sizes_are_each_named_once_as_height_and_width(pairing):
    found = diagnose(pairing(*PAIRS["sizes"], *PAIRS["sizes"]))
    assert found.sizes == ((1, 5), (7, 9), (12, 16), (20, 6))
    assert found.pairs == 8


def test_images_of_several_sizes_have_no_weight_matrix_and_a_warning(pairing):
    found = diagnose(pairing(*PAIRS["sizes"]))
    assert found.weight is None
    assert found.warnings == ("the images have 4 sizes; weights of a loss depend on the size",)


def test_grey_meets_colour_as_three_equal_channels(pairing):
    ((colour, _),), ((grey, _),) = PAIRS["colour"], random_pairs(np.random.default_rng(5), (12, 16), colour=False)
    three = np.repeat(grey[..., None], 3, -1)
    mixed, equal = diagnose(pairing((colour, grey))), diagnose(pairing((colour, three)))
    assert as_json(mixed) == as_json(equal)
    assert mixed.mse == pytest.approx(np.square((colour - three.astype(float)) / 255).mean())


def test_a_set_may_hold_pairs_in_grey_and_pairs_in_colour(pairing):
    pairs = [*PAIRS["colour"], *random_pairs(np.random.default_rng(5), (12, 16), colour=False)]
    found = diagnose(pairing(*pairs), one_size=True)
    focal = norm_over_pairs(focal_frequency_loss, pairs)
    expected = norm_over_pairs(torch.nn.functional.mse_loss, pairs) / focal
    assert found.effects[0].weight_for_mse == pytest.approx(expected, rel=1e-10)
    each = [np.mean([w for _, w, _ in slow_parts(*pair, alpha=1)], 0) for pair in tensors(pairs)]
    np.testing.assert_allclose(found.weight.numpy(), np.fft.fftshift(np.mean(each, 0)), rtol=1e-10)


def test_16_bits_keep_their_precision(tmp_path, rng):
    real = rng.integers(0, 65536, (8, 9), dtype=np.uint16)
    fake = (real ^ 1).astype(np.uint16)  # one 16-bit level apart, which 8 bits could not tell
    for side, pixels in (("real", real), ("fake", fake)):
        (tmp_path / side).mkdir()
        Image.fromarray(pixels).save(tmp_path / side / "a.png")
    found = diagnose(Pairing(tmp_path / "real", tmp_path / "fake", (Pair("a.png", "a.png"),)))
    assert found.l1 == pytest.approx(1 / 65535, rel=1e-9)
    ((one, other),) = tensors([(real, fake)])
    assert found.effects[0].ffl == pytest.approx(focal_frequency_loss(other, one).item(), rel=1e-6)


def test_16_bits_meet_8_on_one_scale(tmp_path, rng):
    real = rng.integers(0, 256, (8, 9), dtype=np.uint8)
    fake = rng.integers(0, 65536, (8, 9), dtype=np.uint16)
    for name, pixels in (("real.png", real), ("fake.png", fake)):
        Image.fromarray(pixels).save(tmp_path / name)
    found = diagnose(Pairing(tmp_path / "real.png", tmp_path / "fake.png", (Pair("real.png", "fake.png"),)))
    assert found.mse == pytest.approx(np.square(real / 255 - fake / 65535).mean(), rel=1e-9)


def test_one_file_holds_both_images_side_by_side(tmp_path, save, rng):
    ((real, fake),) = PAIRS["colour"]
    path = save(tmp_path / "a.png", pixels=np.concatenate([real, fake], axis=1))
    found = diagnose(Pairing(path, path, (Pair("a.png", None),)))
    assert found.sizes == ((12, 16),)
    assert found.effects[0].ffl == pytest.approx(mean_over_pairs(focal_frequency_loss, PAIRS["colour"]), rel=1e-10)


def test_an_alpha_channel_is_dropped_and_told(pairing):
    ((real, fake),) = PAIRS["colour"]
    cover = np.full((12, 16, 1), 7, np.uint8)
    clear = tuple(np.concatenate([image, cover], axis=-1) for image in (real, fake))
    found = diagnose(pairing(clear))
    assert found.warnings == ("the alpha channel of 2 images was dropped",)
    assert found.mse == diagnose(pairing((real, fake))).mse
    assert diagnose(pairing((clear[0], fake))).warnings == ("the alpha channel of 1 image was dropped",)


def test_sizes_that_differ_within_a_pair_are_brought_together_as_told(pairing):
    pairs = pairing(((12, 16), (10, 9)))
    with pytest.raises(InputError, match="--fit crop or resize"):
        diagnose(pairs)
    assert diagnose(pairs, reading=Reading(fit="crop")).sizes == ((10, 9),)
    assert diagnose(pairs, reading=Reading(fit="resize")).sizes == ((12, 16),)


def test_progress_is_given_the_number_of_pairs(pairing):
    seen = []

    def progress(items, total):
        for item in items:
            seen.append(total)
            yield item

    diagnose(pairing(*PAIRS["set"]), progress=progress)
    assert seen == [3, 3, 3]


def test_warnings_about_the_pairing_come_first(pairing):
    pairs = pairing(*PAIRS["sizes"])
    found = diagnose(Pairing(pairs.real, pairs.fake, pairs.pairs, ("something was left out",)))
    assert found.warnings[0] == "something was left out"
    assert len(found.warnings) == 2


# where there is no loss, and where the zero frequency is most of it


def test_equal_images_have_no_loss_no_shares_and_a_warning(pairing):
    ((real, _),) = PAIRS["colour"]
    found = diagnose(pairing((real, real)))
    assert (found.mse, found.l1) == (0, 0)
    for effect in found.effects:
        assert (effect.ffl, effect.without_dc) == (0, 0)
        shares = effect.dc_share, effect.high_share, effect.weight_for_mse, effect.weight_for_l1, effect.dc_cuts
        assert shares == (None,) * 5
    assert all((band.mse_share, band.ffl_share) == (None, None) for band in found.bands)
    assert found.warnings == ("the images are equal: there is no loss, and no weight for it",)


def test_one_pair_of_equal_images_among_others_is_no_matter(pairing):
    pairs = [*PAIRS["colour"], (PAIRS["colour"][0][0],) * 2]
    alone, found = diagnose(pairing(*PAIRS["colour"])), diagnose(pairing(*pairs))
    assert found.effects[0].ffl == pytest.approx(alone.effects[0].ffl / 2)
    assert found.effects[0].weight_for_mse == pytest.approx(alone.effects[0].weight_for_mse)
    assert found.warnings == ()


def brighter(rng, *, alpha):
    """A pair of which one is a tenth brighter, and a little noisy."""
    real = rng.integers(60, 160, (12, 16, 3))
    fake = (real + 25.5 + rng.normal(0, 4, real.shape)).round()
    pairs = [(real.astype(np.uint8), fake.astype(np.uint8))]
    return pairs, slow_shares(pairs, alpha)["dc"], slow_cut(pairs, alpha)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_a_brightness_offset_is_most_of_the_loss_and_the_warning_says_what_it_costs(pairing, rng, alpha):
    pairs, share, cut = brighter(rng, alpha=alpha)
    found = diagnose(pairing(*pairs), alpha=alpha)
    assert found.effects[0].dc_share > 0.5
    assert cut > 2
    assert found.warnings == (
        f"{share:.0%} of the loss is the zero frequency, the difference in brightness, "
        f"and cuts the rest {cut:.3g} times; exclude_dc=True leaves it out",
    )


def test_what_is_not_cut_is_not_said_to_be(pairing, rng):
    pairs, share, cut = brighter(rng, alpha=0)
    assert cut == pytest.approx(1)
    assert diagnose(pairing(*pairs), alpha=0).warnings == (
        f"{share:.0%} of the loss is the zero frequency, the difference in brightness; exclude_dc=True leaves it out",
    )


@pytest.mark.parametrize(("first", "second", "share"), [(5, 1, 27 / 35), (5, -1, 8 / 35)])
def test_the_warning_comes_where_the_zero_frequency_is_more_than_half(pairing, first, second, share):
    # columns in turn brighter by these levels: amplitude (first + second) / 2 at 0, (first - second) / 2 at Nyquist
    real = np.full((8, 8), 100, np.uint8)
    found = diagnose(pairing((real, (real + np.where(np.arange(8) % 2, first, second)).astype(np.uint8))))
    assert found.effects[0].dc_share == pytest.approx(share)
    assert bool(found.warnings) == (share > 0.5)


def test_an_offset_alone_has_nothing_to_cut(pairing):
    real = np.full((8, 8), 100, np.uint8)
    found = diagnose(pairing((real, real + 26)))
    assert found.effects[0].dc_cuts is None
    assert found.warnings == (
        "100% of the loss is the zero frequency, the difference in brightness; exclude_dc=True leaves it out",
    )


def test_an_offset_alone_of_a_textured_image_has_nothing_to_cut_either(pairing, rng):
    real = rng.integers(0, 200, (12, 16), dtype=np.uint8)
    found = diagnose(pairing((real, real + np.uint8(26))))
    assert "times" not in found.warnings[0]


# JSON


def test_json_holds_what_was_found_but_for_the_weight_matrix(pairing):
    found = diagnose(pairing(*PAIRS["set"]))
    content = json.loads(as_json(found))
    assert content["schema"] == "ffltool.diagnose/1"
    assert content["pairs"] == 3
    assert content["sizes"] == [[12, 16]]
    assert content["mse"] == found.mse
    assert content["effects"] == [vars(effect) for effect in found.effects]
    assert content["bands"] == [vars(band) for band in found.bands]
    assert "weight" not in content
    assert found.weight is not None, "the report itself stays as it was"


def test_what_there_is_not_is_null_in_json(pairing):
    ((real, _),) = PAIRS["colour"]
    content = json.loads(as_json(diagnose(pairing((real, real)))))
    assert content["effects"][0]["dc_share"] is None
    assert content["effects"][0]["weight_for_mse"] is None
    assert content["bands"][0]["mse_share"] is None


# errors


@pytest.mark.parametrize("alpha", [-1.0, math.nan, math.inf])
def test_an_alpha_that_is_no_exponent_is_refused(pairing, alpha):
    with pytest.raises(InputError, match=f"alpha must be 0 or more, got {alpha}"):
        diagnose(pairing(*PAIRS["colour"]), alpha=alpha)


def test_another_size_where_one_is_wanted_names_the_file(pairing, tmp_path):
    with pytest.raises(InputError) as caught:
        diagnose(pairing(((12, 16),) * 2, ((12, 16),) * 2, ((16, 12),) * 2), one_size=True)
    file = tmp_path / "real" / "2.png"
    assert str(caught.value) == f"{file} is 16x12, others are 12x16; one size is wanted for a figure"


def test_one_pixel_is_refused(pairing, tmp_path):
    with pytest.raises(InputError) as caught:
        diagnose(pairing(((1, 1),) * 2))
    assert str(caught.value) == f"{tmp_path / 'real' / '0.png'} is 1x1; at least two pixels are wanted"


def test_one_pixel_after_larger_images_is_refused_for_the_same_reason(pairing):
    with pytest.raises(InputError, match="is 1x1; at least two pixels"):
        diagnose(pairing(((12, 16),) * 2, ((1, 1),) * 2))


@pytest.mark.parametrize("size", [(1, 2), (2, 1)])
def test_two_pixels_are_enough(pairing, size):
    pairs = [(np.array([[10, 20]], np.uint8).reshape(size), np.array([[13, 29]], np.uint8).reshape(size))]
    found = diagnose(pairing(*pairs))
    # by hand: differences 3 and 9 levels, orthonormal spectrum 12 / sqrt(2) and -6 / sqrt(2), weights 1 and 1/2
    assert found.effects[0].ffl == pytest.approx((72 + 18 / 2) / 2 / 255**2)
    assert found.effects[0].dc_share == pytest.approx(72 / 81)
    assert found.bands[-1].ffl_share == pytest.approx(9 / 81)
