"""Curves to draw, and what the axes of spectra must be."""

import numpy as np
import pytest

from ffltool.figures import Curve

SIZES = [(6, 8), (7, 9), (1, 5)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)


def curves(number, steps=4):
    return [Curve(f"curve {i}", range(steps), [(i + 1) / (step + 1) for step in range(steps)]) for i in range(number)]


def centres(drawn):
    """Return where the middles of columns and of rows of a drawn map lie."""
    left, right, bottom, top = drawn.get_extent()
    height, width = drawn.get_array().shape
    columns = left + (np.arange(width) + 0.5) * (right - left) / width
    rows = top + (np.arange(height) + 0.5) * (bottom - top) / height
    return columns, rows


def assert_axes_are_frequencies(drawn):
    columns, rows = centres(drawn)
    height, width = drawn.get_array().shape
    np.testing.assert_allclose(columns, np.fft.fftshift(np.fft.fftfreq(width)), atol=1e-12)
    np.testing.assert_allclose(rows, np.fft.fftshift(np.fft.fftfreq(height)), atol=1e-12)
    assert columns[width // 2] == pytest.approx(0, abs=1e-12)
    assert rows[height // 2] == pytest.approx(0, abs=1e-12)
    left, right, bottom, top = drawn.get_extent()
    assert drawn.axes.get_xlim() == (left, right)
    assert drawn.axes.get_ylim() == (bottom, top)
    assert drawn.origin == "upper"
