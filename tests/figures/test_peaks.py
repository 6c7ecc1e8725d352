import numpy as np
import pytest

from ffltool import figures
from ffltool.figures import Mark, Marked


@pytest.fixture
def level(rng):
    return lambda *size: 10 * rng.standard_normal(size)


def texts(axes):
    return [each.get_text() for each in axes.texts]


def test_maps_are_in_decibels_on_one_scale_over_frequencies(level):
    maps = [Marked("one", level(32, 48), ()), Marked("two", level(64, 64), ())]
    *axes, bar = figures.peak_maps(maps).axes
    assert bar.get_ylabel() == "dB above the background"
    for each, given in zip(axes, maps, strict=True):
        drawn = each.images[0]
        assert drawn.get_clim() == (-3, 12)
        np.testing.assert_array_equal(drawn.get_array(), given.level.clip(-3, 12))
        assert each.get_title() == given.title
        assert (each.get_xlabel(), each.get_ylabel()) == ("u (cycles per pixel)", "v (cycles per pixel)")
        height, width = given.level.shape
        assert drawn.get_extent()[0] == pytest.approx(-0.5 - 0.5 / width)
        assert drawn.get_extent()[3] == pytest.approx(-0.5 - 0.5 / height)


def test_the_scale_of_faint_maps_ends_at_6_decibels():
    axes = figures.peak_maps([Marked("flat", np.zeros((32, 32)), ())]).axes[0]
    assert axes.images[0].get_clim() == (-3, 6)


def test_a_peak_is_marked_at_both_ends_and_named_once(level):
    marks = (
        Mark(0.25, -0.125, "artefact", "8 px"),
        Mark(0.5, 0.5, "jpeg-grid", "2 px"),
        Mark(0.1, 0.4, "off-lattice", ""),
    )
    axes = figures.peak_maps([Marked("x", level(32, 32), marks)]).axes[0]
    places = [set(zip(*line.get_data(), strict=True)) for line in axes.lines]
    assert places == [{(0.25, -0.125), (-0.25, 0.125)}, {(-0.5, -0.5)}, {(0.1, 0.4), (-0.1, -0.4)}]
    assert texts(axes) == ["8 px", "2 px"]
    assert len({(line.get_marker(), line.get_markeredgecolor()) for line in axes.lines}) == 3


def test_texts_stand_apart(level):
    marks = [Mark(number / 64, 0.25, "artefact", str(number)) for number in range(20)]
    assert texts(figures.peak_maps([Marked("x", level(64, 64), marks)]).axes[0]) == ["0", "10"]


def test_the_legend_names_the_kinds_that_there_are(level):
    figure = figures.peak_maps([Marked("x", level(32, 32), [Mark(0.5, 0.0, "as-reference", "")])])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["as in the reference"]
    assert figures.peak_maps([Marked("x", level(32, 32), ())]).legends == []


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_any_number_of_maps_can_be_drawn(level, tmp_path, count):
    maps = [Marked(str(number), level(32, 32 + 16 * number), ()) for number in range(count)]
    figure = figures.peak_maps(maps)
    assert [axes.get_title() for axes in figure.axes if axes.images and axes.get_title()] == list(
        map(str, range(count))
    )
    figures.save(figure, tmp_path / "x.png")
