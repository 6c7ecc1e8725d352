"""The matrix of weights over frequencies."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm

from ffltool import figures
from tests.figures.common import assert_axes_are_frequencies, each_size


@each_size
def test_the_weight_matrix_is_drawn_over_frequencies(rng, size):
    weight = 0.01 + 0.99 * rng.random(size)
    axes, bar = figures.weight_matrix(weight, alpha=0.5).axes
    drawn = axes.images[0]
    np.testing.assert_array_equal(drawn.get_array(), weight)
    assert_axes_are_frequencies(drawn)
    assert axes.get_title() == "mean weight, alpha = 0.5"
    assert axes.get_xlabel() == "u (cycles per pixel)"
    assert axes.get_ylabel() == "v (cycles per pixel)"
    assert bar.get_ylabel() == "weight of a frequency"


@pytest.mark.parametrize(("smallest", "low"), [(0.03, 0.03), (0.7, 0.1), (1e-9, 1e-4), (0.0, 1e-4)])
def test_weights_are_on_a_logarithmic_scale_of_one_to_four_decades(rng, smallest, low):
    weight = smallest + (1 - smallest) * rng.random((8, 9))
    weight[3, 4] = smallest
    given = weight.copy()
    drawn = figures.weight_matrix(weight, alpha=1).axes[0].images[0]
    assert isinstance(drawn.norm, LogNorm)
    assert drawn.get_clim() == (low, 1)
    np.testing.assert_array_equal(drawn.get_array(), given.clip(low))
    np.testing.assert_array_equal(weight, given)


def test_a_single_weight_stands_out_of_zeros():
    weight = np.zeros((8, 8))
    weight[4, 4] = 1
    drawn = figures.weight_matrix(weight, alpha=1).axes[0].images[0]
    assert drawn.norm(drawn.get_array()).sum() == 1


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_weights_that_are_all_the_same_can_be_drawn(level, tmp_path):
    figures.save(figures.weight_matrix(np.full((8, 9), level), alpha=0), tmp_path / "x.png")
