"""What is compared: sizes, channels, depths, alpha channels, images side by side."""

import json
import random

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.diagnose import ALPHAS, as_json, diagnose
from ffltool.errors import InputError
from ffltool.images import Reading
from ffltool.loss import focal_frequency_loss
from ffltool.pairing import Pair, Pairing
from tests.diagnose.common import (
    PAIRS,
    mean_over_pairs,
    norm_over_pairs,
    random_pairs,
    slow_parts,
    tensors,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def effect_of(diagnosis, alpha):
    return next(effect for effect in diagnosis.effects if effect.alpha == alpha)


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
