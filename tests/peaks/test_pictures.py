"""Peaks of pictures: what is added to them is found, and nothing else."""

from typing import get_args

import numpy as np
import pytest
import torch

from ffltool.peaks import THRESHOLD, Kind, find_peaks
from tests.peaks.common import COLUMNS, PATTERNS, ROWS, artefacts, evidence

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", ["checkerboard", "columns", "grid 8", "grid 16"])
@pytest.mark.parametrize(("count", "strength"), [(1, 8), (20, 4)])
def test_what_repeats_itself_is_found_with_its_period(pictures, name, count, strength):
    pattern, period, place = PATTERNS[name]
    found = artefacts(find_peaks(evidence(pictures(count) + strength * pattern)))
    assert max(peak.lattice for peak in found) == period
    assert place in {(peak.u, peak.v) for peak in found} | {(peak.v, peak.u) for peak in found}  # along rows or columns
    assert all(peak.z > THRESHOLD and peak.level_db > 0 and 0 <= peak.energy_share <= 1 for peak in found)


def test_images_without_a_grid_have_none(pictures):
    images = pictures(100)
    assert find_peaks(evidence(images)) == ()
    assert sum(bool(find_peaks(evidence(images[[number]]))) for number in range(100)) <= 2


def test_a_checkerboard_has_one_peak_that_says_all(pictures):
    (peak,) = find_peaks(evidence(pictures(20) + 4 * PATTERNS["checkerboard"][0], kind="none"))
    assert (peak.u, peak.v, peak.lattice, peak.kind) == (0.5, 0.5, 2, "artefact")
    assert peak.period_px == pytest.approx(2**0.5)


def test_a_wave_of_half_the_energy_has_half_the_energy(rng):
    images = rng.standard_normal((4, 128, 128)) + np.cos(2 * np.pi * (3 * ROWS / 16 - COLUMNS / 8)) * 2**0.5
    (peak,) = find_peaks(evidence(images + 128, kind="none"))
    assert (peak.u, peak.v, peak.lattice) == (0.125, -0.1875, 16)
    assert peak.period_px == pytest.approx(1 / np.hypot(0.125, 0.1875))
    assert peak.energy_share == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("frequency", [0.3, 0.2578125, 0.2461])
def test_a_wave_beside_the_lattice_is_told_apart(pictures, frequency):
    images = pictures(8) + 5 * np.cos(2 * np.pi * frequency * COLUMNS)
    peaks = find_peaks(evidence(images))
    assert peaks
    assert {(peak.kind, peak.lattice) for peak in peaks} == {("off-lattice", None)}
    assert peaks[0].u == pytest.approx(frequency, abs=1 / 128)


def test_at_most_five_peaks_off_the_lattice_are_told_strongest_first(pictures):
    waves = sum((3 + k) * np.cos(2 * np.pi * (k + 0.4) * 5 / 128 * ROWS) for k in range(2, 10))
    peaks = find_peaks(evidence(pictures(8) + waves))
    heights = [peak.z for peak in peaks if peak.lattice is None]
    assert len(heights) == 5
    assert heights == sorted(heights, reverse=True)


def test_the_grid_of_jpeg_files_is_named_and_does_not_count(pictures):
    grid, *_ = PATTERNS["grid 8"]
    given = evidence(pictures(20) + 4 * grid)
    assert {peak.kind for peak in find_peaks(given, jpeg=True)} == {"jpeg-grid"}
    finer = evidence(pictures(20) + 4 * PATTERNS["grid 16"][0])
    kinds = {(peak.lattice == 16, peak.kind) for peak in find_peaks(finer, jpeg=True)}
    assert kinds == {(True, "artefact"), (False, "jpeg-grid")}


def test_with_a_reference_only_what_exceeds_it_counts(pictures):
    grid, *_ = PATTERNS["grid 8"]
    same = evidence(pictures(20) + 4 * grid, against=30), evidence(pictures(30) + 4 * grid, against=20)
    assert {peak.kind for peak in find_peaks(same[0], reference=same[1])} == {"as-reference"}
    clean = evidence(pictures(30), against=20)
    found = find_peaks(same[0], reference=clean)
    assert len(artefacts(found)) > 5
    assert all(peak.over_reference is not None for peak in found)
    both = evidence(pictures(20) + 4 * grid + 4 * PATTERNS["checkerboard"][0], against=30)
    assert [(peak.u, peak.v) for peak in artefacts(find_peaks(both, reference=same[1]))] == [(0.5, 0.5)]


@pytest.mark.parametrize("count", [2, 30])
def test_a_reference_of_one_image_never_makes_a_silent_set_loud(pictures, count):
    images, real = pictures(count), pictures(3)
    images[0] += 40 * np.cos(np.pi / 4 * COLUMNS)
    alone = evidence(images)
    assert not artefacts(find_peaks(alone))
    for each in real[:, None]:
        beside = evidence(images, against=1)
        assert torch.equal(beside.excess, alone.excess)
        assert not artefacts(find_peaks(beside, reference=evidence(each, against=count)))


def test_a_reference_of_one_image_leaves_what_is_plain(pictures):
    images, grid = pictures(30) + 8 * PATTERNS["grid 8"][0], 8 * PATTERNS["grid 8"][0]
    given, clean, same = evidence(images, against=1), pictures(1), pictures(1) + grid
    assert artefacts(find_peaks(given, reference=evidence(clean, against=30)))
    assert not artefacts(find_peaks(given, reference=evidence(same, against=30)))
    one = evidence(images[:1], against=1)
    assert artefacts(find_peaks(one, reference=evidence(clean, against=1)))


def test_jpeg_files_beside_a_reference_count_only_if_that_has_some_too(pictures):
    given = evidence(pictures(20) + 4 * PATTERNS["grid 8"][0])
    clean = evidence(pictures(20))
    assert not artefacts(find_peaks(given, jpeg=True, reference=clean))
    assert artefacts(find_peaks(given, jpeg=True, reference=clean, jpeg_reference=True))


def test_the_threshold_is_what_z_is_above(pictures):
    given = evidence(pictures(20) + PATTERNS["grid 8"][0])
    for threshold in (0.5, 3.0, 6.0):
        assert all(peak.z > threshold for peak in find_peaks(given, threshold=threshold))
    assert len(find_peaks(given, threshold=3)) >= len(find_peaks(given, threshold=6))


def test_opposite_frequencies_are_one_peak(pictures):
    found = find_peaks(evidence(pictures(20) + 6 * PATTERNS["grid 8"][0]), threshold=1)
    places = {(peak.u, peak.v) for peak in found}
    assert len(places) == len(found)
    assert not places & {(-u % 1 if u else 0.0, -v) for u, v in places if 0 < u < 0.5}
    assert all(0 <= u <= 0.5 and -0.5 < v <= 0.5 for u, v in places)
    assert all(v >= 0 for u, v in places if u in (0, 0.5))


@pytest.mark.parametrize(("side", "finest"), [(32, 8), (64, 16)])
def test_small_images_have_a_coarser_lattice(side, finest, rng):
    images = 128 + rng.standard_normal((60, side, side))
    rows, columns = np.arange(side)[:, None], np.arange(side)
    found = find_peaks(evidence(images + 4 * (rows + columns) % 2, kind="gauss"), threshold=1)
    assert max(peak.lattice or 0 for peak in found) <= finest


def test_a_bare_grid_on_a_constant_image_is_found():
    images = np.full((3, 128, 128), 100.0) + 2 * PATTERNS["grid 8"][0]
    found = find_peaks(evidence(images))
    assert max(peak.lattice for peak in artefacts(found)) == 8


@pytest.mark.parametrize("kind", ["none", "median3"])
def test_constant_images_have_no_peak(kind):
    assert find_peaks(evidence(np.full((2, 64, 64), 7.0), kind=kind), threshold=0) == ()


def test_kinds_are_those_that_are_told(pictures):
    found = find_peaks(evidence(pictures(20) + 4 * PATTERNS["grid 16"][0]), jpeg=True)
    assert {peak.kind for peak in found} <= set(get_args(Kind))


def test_what_a_tenth_of_many_images_have_is_no_artefact(rng):
    images = 128 + 10 * rng.standard_normal((600, 64, 64))
    images[::12] += 30 * PATTERNS["columns"][0][:64, :64]
    assert not artefacts(find_peaks(evidence(images, kind="none")))
    images[::2] += 30 * PATTERNS["columns"][0][:64, :64]
    assert artefacts(find_peaks(evidence(images, kind="none")))
