import numpy as np
import pytest

from ffltool import views
from ffltool.errors import InputError
from ffltool.loading import Loading
from ffltool.recipes import PRESETS, Recipe
from ffltool.sources import Selection
from ffltool.survey import survey
from ffltool.views import band_gains, draw, gain, label, shown

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def measured(folders):
    def measured(recipe=None, *, selection=None, inputs=None, **settings):
        inputs = inputs or folders(["a.png", "b.png", "c.png"], **{"size": (24, 32), **settings})
        return survey(inputs, selection or Selection(), recipe or Recipe(), Loading())

    return measured


def plots(figure):
    return {axes.get_title(): axes for part in (figure, *figure.subfigs) for axes in part.axes if axes.get_title()}


# values


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [-10.0, 20.0]),
        ({"average": "amplitude"}, [-20.0, 40.0]),
        ({"average": "complex"}, [-20.0, 40.0]),
        ({"average": "log"}, [0.1 * 20 / np.log(10), 100 * 20 / np.log(10)]),
        ({"show": "ln"}, [np.log(0.1 + 1e-6), np.log(100 + 1e-6)]),
        ({"show": "ln", "average": "log1p"}, [0.1, 100]),
        ({"show": "linear"}, [0.1, 100]),
        ({"show": "log"}, [0.1, 100]),
        ({"show": "dc"}, [0.02, 20]),
        ({"show": "relative"}, [0.1 / 16, 1]),
    ],
)
def test_values_are_shown_as_the_recipe_says(options, expected):
    centre = np.array([[4.0, 2.0], [5.0, 5.0]])  # mean 4, 5 at zero frequency
    actual = shown(np.array([0.1, 100.0]), Recipe(**options), centre=centre)
    np.testing.assert_allclose(actual, expected)


def test_nothing_is_minus_infinity_decibels_and_no_gain_against_nothing():
    assert shown(np.array([0.0]), Recipe(), centre=np.zeros((1, 1)))[0] == -np.inf
    actual = gain(np.array([0.0, 1.0, 0.0, 10.0]), np.array([1.0, 0.0, 0.0, 1.0]), Recipe())
    np.testing.assert_array_equal(actual, [-np.inf, np.inf, np.nan, 10])


def test_every_recipe_has_a_label():
    assert {label(recipe) for recipe in PRESETS.values()} == {
        "mean |F|² (dB)",
        "mean ln(1 + |F|)",
        "ln(|mean F| + 1e-6)",
        "|mean F|",
        "mean |F|² / 4 times its mean",
        "mean ln |F|",
        "mean ln |F| / that at 0",
    }


def test_gains_of_bands_are_those_of_a_fake_of_half_the_contrast(folders, save, rng):
    real, fake = folders([])
    pixels = 2 * rng.integers(0, 120, (32, 32, 3), dtype=np.uint8)
    save(real / "a.png", pixels=pixels)
    save(fake / "a.png", pixels=pixels // 2)
    levels, gains = band_gains(survey([real, fake], Selection(), Recipe(), Loading()))
    np.testing.assert_allclose(gains, 20 * np.log10(0.5), atol=1e-4)
    assert len(levels) == 5
    assert np.ptp(levels) < 3  # noise is white


def test_pairs_are_compared_with_their_own_real_image(measured):
    found = measured(selection=Selection(layout="pairs"))
    assert views.references(found) == [0, 0, 2, 2, 4, 4]


# figures


def test_full_has_a_row_for_each_set_and_four_plots(measured):
    figure = draw(measured(), layout="full")
    above, below = figure.subfigs
    assert len(above.axes) == 2 * 3 + 2  # with two colour bars
    assert len(below.axes) == 4
    assert [axes.get_ylabel() for axes in above.axes[:6:3]] == ["real", "fake"]


def test_maps_share_one_scale_and_differences_are_centred_on_zero(measured):
    found = measured()
    axes = draw(found, layout="maps").axes
    first, second = (axes[index].images[0] for index in (1, 4))
    assert first.get_clim() == second.get_clim()
    np.testing.assert_array_equal(first.get_array(), (10 * np.log10(found.maps[0])).clip(*first.get_clim()))
    low, high = axes[5].images[0].get_clim()
    assert low == -high < 0
    assert axes[5].images[0].get_cmap().name == "RdBu_r"
    expected = 10 * np.log10(found.maps[1] / found.maps[0])
    np.testing.assert_allclose(axes[5].images[0].get_array(), expected.clip(low, high), atol=1e-9)
    assert not axes[2].images
    assert [bar.get_ylabel() for bar in axes[6:]] == ["mean |F|² (dB)", "gain against real (dB)"]


def test_a_single_input_has_no_differences(folders):
    (real, _) = folders(["a.png"], size=(24, 24))
    found = survey([real], Selection(), Recipe(), Loading())
    assert len(draw(found, layout="maps").axes) == 2 + 1
    assert "gain" not in plots(draw(found, layout="profiles"))


def test_profiles_are_in_cycles_per_pixel_with_nyquist_marked(measured):
    found = measured()
    axes = plots(draw(found, layout="profiles"))
    assert list(axes) == ["mean over rings", "the last tenth", "gain", "mean over orientations"]
    rings = axes["mean over rings"]
    assert rings.get_xlabel() == "frequency (cycles per pixel)"
    assert rings.get_ylabel() == "mean |F|² (dB)"
    assert rings.get_xlim() == (0, np.sqrt(0.5))
    assert [text.get_text().strip() for text in rings.texts] == ["Nyquist"]
    for line, profile in zip(rings.lines[:2], found.profile, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), found.radius[1:])
        np.testing.assert_allclose(line.get_ydata(), 10 * np.log10(profile[1:]))
    assert len(rings.collections) == 2  # deviations
    assert axes["the last tenth"].get_xlim() == (0.45, 0.5)
    gains = 10 * np.log10(found.profile[1] / found.profile[0])[1:]
    np.testing.assert_allclose(axes["gain"].lines[0].get_ydata(), gains, atol=1e-9)
    assert axes["gain"].get_ylabel() == "against real (dB)"


def test_orientations_go_round_to_where_they_began(measured):
    found = measured()
    axes = plots(draw(found, layout="profiles"))["mean over orientations"]
    assert axes.get_xlabel() == "orientation (degrees)"
    line = axes.lines[0]
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, 180)
    assert line.get_ydata()[0] == line.get_ydata()[-1]


def test_slices_go_along_the_axis_and_the_diagonal(measured):
    found = measured(Recipe(curves="slices"), size=(32, 32))
    axes = plots(draw(found, layout="profiles"))
    values = 10 * np.log10(np.fft.ifftshift(found.maps[0]))
    along, across = axes["along 0 degrees"].lines[0], axes["along 45 degrees"].lines[0]
    np.testing.assert_allclose(along.get_xdata(), np.arange(1, 17) / 32)
    np.testing.assert_allclose(along.get_ydata(), values[0, 1:17])
    np.testing.assert_allclose(across.get_xdata(), np.arange(1, 17) / 32 * np.sqrt(2))
    np.testing.assert_allclose(across.get_ydata(), values.diagonal()[1:17])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("layout", ["full", "maps", "profiles"])
def test_every_preset_can_be_drawn(measured, name, layout):
    draw(measured(PRESETS[name]), layout=layout).canvas.draw()


def test_a_map_of_a_dct_begins_at_zero(measured):
    drawn = draw(measured(PRESETS["frank2020"], size=(24, 32)), layout="maps").axes[1].images[0]
    left, right, bottom, top = drawn.get_extent()
    assert (left, right) == (-0.25 / 32, 0.5 - 0.25 / 32)
    assert (top, bottom) == (-0.25 / 24, 0.5 - 0.25 / 24)


@pytest.mark.parametrize("preset", ["ricker2022", "corvi2023"])
def test_papers_that_fix_the_scale_get_it(measured, preset):
    drawn = draw(measured(PRESETS[preset]), layout="maps").axes[1].images[0]
    assert drawn.get_clim() == {"ricker2022": (1e-5, 1e-1), "corvi2023": (0, 1)}[preset]


def test_pairs_stand_side_by_side_over_their_spectra(measured):
    found = measured(Recipe(window="none", average="log1p", show="linear"), selection=Selection(layout="pairs"))
    axes = draw(found, layout="pairs").axes
    assert [each.get_title() for each in axes[:12:2]] == ["real", "fake"] * 3
    np.testing.assert_array_equal(axes[0].images[0].get_array(), found.examples[0] / 255)
    assert axes[-1].get_ylabel() == "mean ln(1 + |F|)"


def test_batches_have_a_row_for_each_set(measured):
    found = measured(selection=Selection(layout="batch", batch_size=2))
    titles = [each.get_title() for each in draw(found, layout="batch").axes if each.get_title()]
    assert titles == ["real: images 1-2", "real: image 3", "fake: images 1-2", "fake: image 3"]


@pytest.mark.parametrize(("measured_for", "layout"), [("full", "pairs"), ("pairs", "full"), ("batch", "pairs")])
def test_a_layout_that_was_not_measured_is_an_error(measured, measured_for, layout):
    with pytest.raises(InputError, match=f"measured for the layout {measured_for}, which {layout} cannot show"):
        draw(measured(selection=Selection(layout=measured_for)), layout=layout)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 1), (2, 2), (7, 5)], ids=str)
def test_images_of_any_size_can_be_drawn(measured, size):
    draw(measured(size=size), layout="full").canvas.draw()


@pytest.mark.parametrize("name", PRESETS)
def test_constant_images_can_be_drawn(measured, name):
    pixels = np.full((24, 24, 3), 90, np.uint8)
    found = measured(PRESETS[name], pixels=pixels)
    draw(found, layout="full").canvas.draw()
    band_gains(found)


def test_an_unknown_layout_is_an_error_that_names_those_there_are(measured):
    with pytest.raises(InputError, match="there is no layout 'nonsense'; known are full"):
        draw(measured(), layout="nonsense")
