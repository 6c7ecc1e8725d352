"""Curves of losses and decibels."""

import numpy as np
import pytest

from ffltool import figures
from ffltool.figures import Curve
from tests.figures.common import curves


def test_curves_are_drawn_as_they_are_given():
    losses, decibels = curves(3), curves(2)
    left, right = figures.convergence(losses, decibels).axes
    for axes, given in ((left, losses), (right, decibels)):
        assert [line.get_label() for line in axes.lines] == [curve.name for curve in given]
        for line, curve in zip(axes.lines, given, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), curve.x)
            np.testing.assert_array_equal(line.get_ydata(), curve.y)


def test_the_loss_is_on_a_logarithmic_axis_and_decibels_are_not():
    left, right = figures.convergence(curves(2), curves(2)).axes
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
    assert (left.get_xscale(), right.get_xscale()) == ("linear", "linear")


def test_axes_of_curves_have_labels_with_their_unit():
    left, right = figures.convergence(curves(2), curves(2)).axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("step", "step")
    assert left.get_ylabel() == "loss / loss of the start"
    assert right.get_ylabel() == "PSNR (dB)"


def test_one_legend_names_every_curve():
    figure = figures.convergence(curves(4), curves(4))
    assert [axes.get_legend() for axes in figure.axes] == [None, None]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"curve {i}" for i in range(4)]


@pytest.mark.parametrize("number", [1, 12, 20])
def test_no_two_of_many_curves_look_alike_and_one_objective_looks_the_same_on_both_sides(number, tmp_path):
    figure = figures.convergence(curves(number), curves(number))
    looks = [[(line.get_color(), line.get_linestyle()) for line in axes.lines] for axes in figure.axes]
    assert looks[0] == looks[1]
    assert len(set(looks[0])) == number
    if number == 12:
        figures.save(figure, tmp_path / "x.png")


def test_infinite_decibels_and_losses_of_0_among_others_can_be_drawn(tmp_path):
    losses, decibels = Curve("a", [0, 1, 2], [1, 0.1, 0]), Curve("a", [0, 1, 2], [8, 40, np.inf])
    figures.save(figures.convergence([losses], [decibels]), tmp_path / "x.png")


def test_curves_of_which_none_is_ever_above_0_can_be_drawn(tmp_path):
    flat = Curve("phase of a constant", [0, 1, 2], [0.0, 0.0, 0.0])
    figures.save(figures.convergence([flat], [curves(1)[0]]), tmp_path / "x.png")
