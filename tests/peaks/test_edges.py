"""Peaks of evidence made of numbers: the edges of what is told."""

import math
from dataclasses import FrozenInstanceError

import pytest
import torch

from ffltool.peaks import THRESHOLD, find_peaks
from tests.peaks.common import artefacts, made

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("apart", "told"), [(2, 1), (3, 2)])
def test_of_two_waves_less_than_three_bins_apart_the_stronger_one_is_told(apart, told):
    peaks = find_peaks(made({(0, 43): 4.0, (0, 43 + apart): 3.0}))
    assert [peak.u * 128 for peak in peaks] == [43, 43 + apart][:told]


def test_nothing_is_told_within_five_bins_of_the_zero_frequency():
    assert find_peaks(made({(0, 5): 4.0})) == ()
    assert [peak.u * 128 for peak in find_peaks(made({(0, 6): 4.0}))] == [6]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        *(((20, 0), (20, 0)), ((-20, 0), (20, 0)), ((0, 20), (0, 20)), ((0, -20), (0, 20))),
        *(((64, -20), (64, 20)), ((-20, 64), (20, 64)), ((20, -30), (-20, 30)), ((20, -1), (-20, 1))),
        *(((0, 64), (0, 64)), ((64, 0), (64, 0)), ((64, 64), (64, 64))),
    ],
)
def test_of_two_opposite_places_one_is_told(place, told):
    """That with u > 0, or where u is its own opposite, with v >= 0."""
    (peak,) = find_peaks(made({place: 4.0}))
    assert (peak.v * 128, peak.u * 128) == told
    assert peak.period_px == pytest.approx(128 / math.hypot(*told))


@pytest.mark.parametrize(("place", "times"), [((0, 20), 2), ((20, -30), 2), ((64, 20), 2), ((64, 0), 1), ((64, 64), 1)])
def test_the_share_is_of_what_the_window_makes_of_a_wave_and_its_opposite(place, times, rng):
    share = torch.as_tensor(rng.random((128, 128)) / 100)
    (peak,) = find_peaks(made({place: 4.0}, share=share))
    rows, columns = ([(64 + int(128 * at) + step) % 128 for step in (-1, 0, 1)] for at in (peak.v, peak.u))
    assert peak.energy_share == pytest.approx(times * share[rows][:, columns].sum().item())
    (peak,) = find_peaks(made({place: 4.0}, share=-share))
    assert peak.energy_share == 0, "noise may be below the background"


@pytest.mark.parametrize(("side", "lattice"), [(32, None), (62, None), (64, 16), (128, 16)])
def test_lattices_have_four_bins_between_their_frequencies(side, lattice):
    (peak,) = find_peaks(made({(0, 3 * side // 16): 4.0}, side=side))
    assert peak.lattice == lattice


@pytest.mark.parametrize("step", [(0, 1), (0, -1), (1, 0), (-1, 0)], ids=str)
@pytest.mark.parametrize(("beside", "narrow"), [(0.49, True), (0.51, False)])
def test_a_wave_of_the_lattice_has_less_than_half_its_height_one_bin_away(step, beside, narrow):
    level = torch.zeros(128, 128, dtype=torch.float64)
    level[64, 96] = 10 * math.log10(1 + 40)
    level[64 + step[0], 96 + step[1]] = 10 * math.log10(1 + 40 * beside)
    (peak,) = find_peaks(made({(0, 32): 4.0}, images=1000, level=level))
    assert (peak.lattice == 4) == narrow
    assert peak.level_db == level[64, 96]


def test_of_one_image_the_noise_of_a_bin_is_allowed():
    level = torch.zeros(128, 128, dtype=torch.float64)
    level[64, 96], level[64, 97] = (10 * math.log10(1 + height) for height in (10, 8.8))
    assert [peak.lattice for peak in find_peaks(made({(0, 32): 40.0}, images=1, level=level))] == [4]
    level[64, 97] = 10 * math.log10(1 + 8.9)
    assert [peak.lattice for peak in find_peaks(made({(0, 32): 40.0}, images=1, level=level))] == [None]


@pytest.mark.parametrize(("excess", "found"), [(1.4, False), (1.6, True)])
def test_in_a_large_set_an_artefact_is_half_again_as_strong_as_its_background(excess, found):
    given = made({(0, 32): excess}, images=1000)
    assert max(peak.z for peak in find_peaks(given)) > THRESHOLD
    assert bool(artefacts(find_peaks(given))) == found


@pytest.mark.parametrize(("images", "others"), [(60, 60), (60, 5), (5, 60)])
def test_over_a_reference_is_z_of_the_difference_of_mean_excesses(images, others):
    given, reference = made({(0, 32): 4.0}, images=images), made({(0, 32): 3.0}, images=others)
    (z, *_), (of_reference, *_) = ([peak.z for peak in find_peaks(each, threshold=0)] for each in (given, reference))
    # z is sqrt(n) times what a mean of n is off, in deviations of one
    expected = (z / images**0.5 - of_reference / others**0.5) / (1 / images + 1 / others) ** 0.5
    assert find_peaks(given, threshold=0, reference=reference)[0].over_reference == pytest.approx(expected)


def test_a_peak_is_frozen():
    (peak,) = find_peaks(made({(0, 6): 4.0}))
    with pytest.raises(FrozenInstanceError):
        peak.kind = "artefact"
