from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from PIL import Image

from ffltool import figures, outputs
from ffltool.errors import InputError
from ffltool.figures import Curve, Panel

SUFFIXES = (".png", ".svg", ".pdf")
SIZES = [(6, 8), (7, 9), (1, 5)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)


@pytest.fixture
def panels(rng):
    def panels(*titles, size=(8, 9), colour=True):
        shape = (*size, 3) if colour else size
        return [Panel(title, rng.random(shape), scale * rng.random(size)) for scale, title in enumerate(titles, 1)]

    return panels


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


# images over their spectra


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


# curves


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


# slices of a cube


@pytest.mark.parametrize("size", [(6, 8), (30, 3), (3, 30), (5, 1)], ids=str)
@pytest.mark.parametrize("colour", [True, False])
def test_slices_stand_side_by_side_over_their_labels(panels, size, colour, tmp_path):
    images = [panel.image for panel in panels(*"abc", size=size, colour=colour)]
    figure = figures.slices_of_cube(images, ["0 (mean)", "1/4", "all"])
    figures.save(figure, tmp_path / "x.png")
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0 (mean)", "1/4", "all"]
    assert axes.get_xlabel() == "frequencies up to (cycles per pixel)"
    end = axes.get_window_extent().x0
    for drawn, image, outline, tick in zip(axes.images, images, axes.lines, axes.get_xticks(), strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.get_clim() == (0, 1)
        corners = outline.get_transform().transform(outline.get_xydata())
        left, right = corners[:, 0].min(), corners[:, 0].max()
        assert end <= left < axes.transData.transform((tick, 0))[0] < right <= axes.get_window_extent().x1
        assert corners[:, 1].min() >= axes.get_window_extent().y0
        assert corners[:, 1].max() <= axes.get_window_extent().y1
        end = right


# the weight matrix


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


# files


@pytest.fixture
def drawings(panels):
    (given,) = panels("one")
    return {
        "curves": lambda: figures.convergence(curves(3), curves(3)),
        "weights": lambda: figures.weight_matrix(given.spectrum, alpha=1),
        "slices": lambda: figures.slices_of_cube([given.image] * 2, ["0 (mean)", "all"]),
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["curves", "weights", "slices"])
def test_the_same_data_give_the_same_file(tmp_path, drawings, name, suffix):
    for path in ("a", "b"):
        figures.save(drawings[name](), (tmp_path / path).with_suffix(suffix))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".PNG"])
def test_a_figure_is_of_the_kind_of_its_suffix_and_says_where_it_comes_from(tmp_path, drawings, suffix):
    path = tmp_path / f"x{suffix}"
    figures.check_suffix(path)
    figures.save(drawings["weights"](), path)
    content = path.read_bytes()
    assert content.startswith(STARTS[suffix.lower()])
    assert outputs.MARK.encode() in content[:4096] + content[-4096:]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_png_has_its_size_and_its_origin_and_no_date(tmp_path, drawings):
    figures.save(drawings["curves"](), tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert 1000 < image.size[0] < 1400
        assert image.text == {"Software": "ffltool"}


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_a_drawing_says_nothing_of_the_time(tmp_path, drawings, suffix):
    path = tmp_path / f"x{suffix}"
    figures.save(drawings["weights"](), path)
    content = path.read_bytes()
    assert b"CreationDate" not in content
    assert b"dc:date" not in content


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.png.txt", ".png"])
def test_an_unknown_suffix_is_a_clear_error(tmp_path, name):
    with pytest.raises(InputError) as caught:
        figures.check_suffix(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name} has no suffix of a figure; known are .png, .svg, .pdf"


def test_a_figure_that_cannot_be_saved_leaves_no_file(tmp_path, drawings):
    with pytest.raises(ValueError, match="not supported"):
        figures.save(drawings["weights"](), tmp_path / "x.jpg")
    assert list(tmp_path.iterdir()) == []
