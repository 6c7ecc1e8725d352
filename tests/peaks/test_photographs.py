"""Photographs have no grid; one that is added is found."""

import runpy
from functools import lru_cache
from pathlib import Path

import pytest

from ffltool.peaks import find_peaks
from tests.peaks.common import artefacts, evidence

pytestmark = pytest.mark.usefixtures("one_thread")
CALIBRATION = runpy.run_path(str(Path(__file__).parents[1] / "peaks_calibration.py"))


@lru_cache
def shrunk(folder):
    return CALIBRATION["photographs"](folder)


@pytest.fixture
def photographs(shared):
    """Return photographs, shrunk by 75 / 64, which takes the grid of the codec off the lattice."""
    return shrunk(shared / "data" / "dtd_full")


def test_photographs_have_no_grid_as_a_set(photographs):
    assert not artefacts(find_peaks(evidence(photographs)))
    assert not artefacts(find_peaks(evidence(photographs[::5])))


def test_at_most_5_of_100_photographs_have_a_grid_by_themselves(photographs):
    found = [artefacts(find_peaks(evidence(photographs[number, None]))) for number in range(100)]
    assert sum(map(bool, found)) <= 5


@pytest.mark.parametrize(("name", "strength"), [("grid of 8 px", 0.5), ("grid of 16 px", 1), ("checkerboard, 2 px", 1)])
@pytest.mark.parametrize("first", range(5))
def test_a_faint_grid_is_found_in_20_photographs(photographs, name, strength, first):
    images = CALIBRATION["with_pattern"](photographs[first::5], name, strength)
    assert artefacts(find_peaks(evidence(images)))
