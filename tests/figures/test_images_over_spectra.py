"""Images over their spectra."""

from dataclasses import replace

import numpy as np
import pytest

from ffltool import figures
from ffltool.figures import Panel
from tests.figures.common import assert_axes_are_frequencies, each_size


def test_a_row_of_images_stands_over_the_row_of_their_spectra(panels):
    given = panels("one", "two\nlines", "three")
    figure = figures.images_over_spectra(given)
    figure.canvas.draw()
    axes = figure.axes
    assert len(axes) == 2 * 3 + 1
    assert [each.get_title() for each in axes] == ["one", "two\nlines", "three", "", "", "", ""]
    for panel, over, under in zip(given, axes[:3], axes[3:6], strict=True):
        np.testing.assert_array_equal(over.images[0].get_array(), panel.image)
        np.testing.assert_array_equal(under.images[0].get_array(), panel.spectrum)
        assert under.get_position().y1 < over.get_position().y0
        assert (under.get_position().x0, under.get_position().x1) == pytest.approx(over.get_position().intervalx)


@pytest.mark.parametrize("colour", [True, False])
def test_images_are_drawn_on_the_scale_0_to_1_and_averaged_where_pixels_do_not_fit(panels, colour):
    over = figures.images_over_spectra(panels("one", "two", colour=colour)).axes[1].images[0]
    assert over.get_clim() == (0, 1)
    assert over.get_interpolation() == "antialiased"
    assert over.get_cmap().name == "gray"


def test_all_spectra_share_the_colours_of_the_first(panels):
    given = panels("one", "two", "three")
    drawn = [axes.images[0] for axes in figures.images_over_spectra(given).axes[3:6]]
    expected = given[0].spectrum.min(), given[0].spectrum.max()
    assert [each.get_clim() for each in drawn] == [expected] * 3
    assert len({each.get_cmap().name for each in drawn}) == 1


def test_the_colour_bar_of_spectra_says_what_it_measures(panels):
    given = panels("one", "two")
    bar = figures.images_over_spectra(given).axes[-1]
    assert bar.get_ylabel() == "ln(1 + |F|)"
    assert bar.get_ylim() == (given[0].spectrum.min(), given[0].spectrum.max())


@each_size
def test_every_spectrum_has_its_zero_frequency_at_0_cycles_per_pixel(panels, size):
    figure = figures.images_over_spectra(panels("one", "two", size=size))
    for axes in figure.axes[2:4]:
        assert_axes_are_frequencies(axes.images[0])


def test_the_first_spectrum_alone_has_labels_with_their_unit(panels):
    first, second = figures.images_over_spectra(panels("one", "two")).axes[2:4]
    assert first.get_xlabel() == "u (cycles per pixel)"
    assert first.get_ylabel() == "v (cycles per pixel)"
    assert list(first.get_xticks()) == list(first.get_yticks()) == [-0.25, 0, 0.25]
    assert (second.get_xlabel(), second.get_ylabel()) == ("", "")
    assert list(second.get_xticks()) == list(second.get_yticks()) == []


@pytest.mark.parametrize("size", [(6, 8), (40, 8)], ids=str)
def test_a_pixel_of_a_spectrum_is_square_as_one_of_the_image_is(panels, size):
    figure = figures.images_over_spectra(panels("one", size=size))
    figure.canvas.draw()
    image, spectrum = (axes.get_window_extent() for axes in figure.axes[:2])
    height, width = size
    for box in (image, spectrum):
        assert box.height / box.width == pytest.approx(height / width, rel=1e-6)


def test_the_scale_of_spectra_may_begin_elsewhere(panels):
    given = panels("one", "two")
    drawn = [axes.images[0] for axes in figures.images_over_spectra(given, lowest=-1.0).axes[2:4]]
    assert [each.get_clim() for each in drawn] == [(-1, given[0].spectrum.max())] * 2


def test_rings_stand_at_their_frequencies_in_the_spectrum_of_their_panel(panels):
    one, two = panels("one", "two")
    two = replace(two, rings=[(0.25, -0.125), (-0.25, 0.125)])
    first, second = figures.images_over_spectra([one, two]).axes[2:4]
    assert len(first.lines) == 0
    assert [(*line.get_xdata(), *line.get_ydata()) for line in second.lines] == [(0.25, -0.125), (-0.25, 0.125)]
    assert_axes_are_frequencies(second.images[0])


@pytest.mark.parametrize("size", [(8, 50), (50, 8), (1, 60), (60, 1)], ids=str)
def test_ticks_of_a_very_long_image_do_not_run_into_one_another(panels, size):
    height, width = size
    axes = figures.images_over_spectra(panels("one", size=size)).axes[1]
    short, long = (axes.get_yticks(), axes.get_xticks()) if width > height else (axes.get_xticks(), axes.get_yticks())
    assert (list(short), list(long)) == ([0], [-0.25, 0, 0.25])


def test_an_image_without_any_contrast_can_be_drawn(tmp_path):
    black = Panel("black", np.zeros((8, 8)), np.zeros((8, 8)))
    figures.save(figures.images_over_spectra([black, black]), tmp_path / "x.png")
