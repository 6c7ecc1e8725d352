"""How much of each frequency passes."""

import math

import pytest
import torch

from ffltool.bandlimit import FILTERS, SHAPES, Filter, filters
from tests.bandlimit.common import each_filter, each_size

pytestmark = pytest.mark.usefixtures("one_thread")

each_shape = pytest.mark.parametrize("shape", SHAPES)
SOFT = ("gaussian", "butterworth")


def along_an_axis(chosen, *, width=40):
    """The gain at 0, 1, ... 20 periods of 40 pixels."""
    return chosen.gain(1, width)[0, : width // 2 + 1]


@each_size
@each_filter
def test_a_gain_is_in_0_to_1_and_the_same_for_opposite_frequencies(chosen, size):
    gain = chosen.gain(*size)
    assert (gain.shape, gain.dtype) == (size, torch.float64)
    assert ((gain >= 0) & (gain <= 1)).all()
    assert torch.equal(gain, gain.flip(0, 1).roll((1, 1), (0, 1)))


@each_shape
@pytest.mark.parametrize(("name", "zero"), [("low-pass", 1), ("high-pass", 0), ("band-pass", 0), ("band-stop", 1)])
def test_the_zero_frequency_passes_or_does_not(name, zero, shape):
    assert Filter(name, (0.1, 0.3)[: FILTERS[name]], shape).gain(4, 5)[0, 0] == zero


def test_ideal_filters_keep_bands_that_hold_their_low_edge_and_not_their_high_one():
    # 0.1 and 0.3 cycles per pixel are 4 and 12 periods of 40 pixels
    kept = {chosen.name: along_an_axis(chosen).nonzero().flatten().tolist() for chosen in filters(None, (0.1, 0.3))}
    assert kept["low-pass"] == list(range(4))
    assert kept["high-pass"] == list(range(4, 21))
    assert kept["band-stop"] == [*range(4), *range(12, 21)]
    assert along_an_axis(Filter("band-pass", (0.1, 0.3))).nonzero().flatten().tolist() == list(range(4, 12))


@pytest.mark.parametrize("shape", SOFT)
@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("name", list(FILTERS)[1:])
def test_soft_filters_halve_the_power_at_every_cut_off(name, shape, order):
    gain = along_an_axis(Filter(name, (0.1, 0.3)[: FILTERS[name]], shape, order))
    for index in (4, 12)[: FILTERS[name]]:
        # 1e-12: the band's x of a cut-off is 1 but for rounding, which the order multiplies
        assert gain[index].item() == pytest.approx(math.sqrt(0.5), abs=1e-12)


def test_gains_that_are_known_by_hand():
    # at twice the cut-off: 2^(-4 / 2); 1 / sqrt(1 + 2^4)
    assert along_an_axis(Filter("low-pass", (0.1,), "gaussian"))[8].item() == pytest.approx(1 / 4)
    assert along_an_axis(Filter("low-pass", (0.1,), "butterworth"))[8].item() == pytest.approx(1 / math.sqrt(17))
    # at the geometric mean of 0.1 and 0.4
    assert along_an_axis(Filter("band-pass", (0.1, 0.4), "gaussian"))[8].item() == pytest.approx(1)
    assert along_an_axis(Filter("band-stop", (0.1, 0.4), "butterworth"))[8].item() == pytest.approx(0, abs=1e-12)


def test_a_high_order_is_nearly_ideal():
    for name in ("low-pass", "band-stop"):
        ideal, steep = (
            along_an_axis(Filter(name, (0.11, 0.29)[: FILTERS[name]], shape, 100)) for shape in ("ideal", "butterworth")
        )
        torch.testing.assert_close(steep, ideal, rtol=0, atol=1e-3)


@each_size
@each_shape
@pytest.mark.parametrize(("name", "opposite"), [("low-pass", "high-pass"), ("band-pass", "band-stop")])
def test_the_powers_of_a_filter_and_its_opposite_add_up(name, opposite, shape, size):
    edges = (0.1, 0.3)[: FILTERS[name]]
    total = Filter(name, edges, shape).gain(*size).square() + Filter(opposite, edges, shape).gain(*size).square()
    torch.testing.assert_close(total, torch.ones(size, dtype=torch.float64), rtol=0, atol=1e-12)


def test_frequencies_of_one_radius_share_one_fate():
    # (5, 0), (3, 4) and (4, 3) periods of 50 pixels, whose radii differ in the last digit
    for name, kept in (("low-pass", 0), ("high-pass", 1)):
        gain = Filter(name, (0.1,)).gain(50, 50)
        assert [gain[0, 5], gain[4, 3], gain[3, 4]] == [kept] * 3
