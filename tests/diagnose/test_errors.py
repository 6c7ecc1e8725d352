"""Exponents, sizes and numbers of pixels that cannot be."""

import math

import numpy as np
import pytest

from ffltool.diagnose import diagnose
from ffltool.errors import InputError
from tests.diagnose.common import PAIRS

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("alpha", [-1.0, math.nan, math.inf])
def test_an_alpha_that_is_no_exponent_is_refused(pairing, alpha):
    with pytest.raises(InputError, match=f"alpha must be 0 or more and finite, got {alpha}"):
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
