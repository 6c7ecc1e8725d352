import numpy as np
import pytest

from ffltool.figures import histogram


@pytest.mark.parametrize("count", [3, 100, 5000])
def test_every_value_is_in_a_bar_and_marks_are_where_they_are(rng, count):
    values = rng.normal(30, 2, count)
    (axes,) = histogram(values, "psnr (dB)", marks={"mean": 30.5, "median": 29.5}, of="pairs").axes
    counts, edges, _ = axes.patches[0].get_data()
    assert counts.sum() == count
    assert 5 <= len(counts) <= 40
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    assert [line.get_xdata()[0] for line in axes.lines] == [30.5, 29.5]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("psnr (dB)", "pairs")


def test_equal_values_are_one_bar():
    (axes,) = histogram([2.0] * 4, "x", marks={"mean": 2.0}, of="pairs").axes
    counts, edges, _ = axes.patches[0].get_data()
    assert counts.max() == 4
    assert np.count_nonzero(counts) == 1
    assert edges[0] < 2 < edges[-1]
