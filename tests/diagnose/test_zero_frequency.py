"""Where there is no loss, and where the zero frequency is most of it."""

import numpy as np
import pytest

from ffltool.diagnose import diagnose
from tests.diagnose.common import PAIRS, slow_cut, slow_shares

pytestmark = pytest.mark.usefixtures("one_thread")


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
