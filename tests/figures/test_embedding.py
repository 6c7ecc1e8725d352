import io
import re
from importlib import resources
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ffltool import figures
from ffltool.figures.embedding import PAPERS, on_light_and_dark, palette

SCALE = figures.Scale("gain (dB)", -6, 6)


@pytest.fixture
def curves():
    x = np.linspace(0, 0.7, 9)
    lines = [figures.Line("real", x, 80 - 20 * x, np.ones(9)), figures.Line("fake", x, 79 - 21 * x)]
    return figures.plot_of_lines(figures.Curves("", "mean (dB)", lines, (0, 0.7)))


def test_lines_are_svg_with_letters_and_the_colours_of_greys_change(curves):
    images = list(on_light_and_dark(curves))
    assert [kind for kind, _ in images] == ["image/svg+xml"] * 2
    light, dark = (content.decode() for _, content in images)
    for text in (light, dark):
        letters = "".join(ElementTree.fromstring(text).itertext())
        assert all(label in letters for label in ("mean (dB)", "real", "fake", "Nyquist", "0.5"))
        assert "#0072b2" in text
    assert "#ebebeb" in dark
    assert "#ebebeb" not in light
    assert not re.search(r"fill: #(000000|595959|ffffff)", dark)
    assert light.count("<text") == dark.count("<text")


def test_backgrounds_of_svg_are_left_out(curves):
    for _, content in on_light_and_dark(curves):
        patches = re.findall(r'<g id="patch_[12]">\s*<path d="[^"]+" style="([^"]+)"', content.decode())
        assert len(patches) == 2
        assert all("fill: none" in style or "opacity: 0" in style for style in patches)


def test_large_maps_are_png_in_256_colours_on_the_papers_of_the_page(rng):
    map_of_gains = rng.normal(0, 2, (200, 200))
    map_of_gains[50, 50] = 6
    figure = figures.spectrum_map(map_of_gains, SCALE, cmap="RdBu_r")
    for (kind, content), paper in zip(on_light_and_dark(figure), PAPERS, strict=True):
        assert kind == "image/png"
        assert len(content) < 120_000
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
        assert tuple(pixels[0, 0]) == pytest.approx([int(paper[place : place + 2], 16) for place in (1, 3, 5)], abs=8)
        red = np.abs(pixels - [103, 0, 31]).max(-1).min()  # the end of the scale, of one frequency among 40000
        assert red <= 12  # in 256 colours none is farther from its own


def test_papers_are_those_of_the_style():
    css = resources.files("ffltool").joinpath("templates", "page.css").read_text()
    found = [colour if len(colour) == 7 else "#" + 2 * colour[1:] for colour in re.findall(r"--paper: (#\w+)", css)]
    assert found == list(PAPERS)


def test_the_same_figure_gives_the_same_images(rng):
    values = rng.normal(0, 2, (20, 30))
    assert list(on_light_and_dark(figures.spectrum_map(values, SCALE))) == list(
        on_light_and_dark(figures.spectrum_map(values, SCALE))
    )


@pytest.mark.parametrize("size", [(64, 64), (9, 90), (90, 9)], ids=str)
def test_labels_of_maps_are_not_cut_off(rng, size):
    figure = figures.spectrum_map(rng.random(size), SCALE)
    list(on_light_and_dark(figure))
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_palettes_have_256_colours():
    assert palette()[:3] == bytes((68, 1, 84))
    assert palette()[-3:] == bytes((253, 231, 36))
    classes = palette("tab20")
    assert len(palette()) == len(classes) == 768
    assert classes[:60] == classes[60:120]
    assert len({classes[3 * place : 3 * place + 3] for place in range(20)}) == 20


def test_svg_that_is_larger_than_a_picture_becomes_one(curves, monkeypatch):
    monkeypatch.setattr("ffltool.figures.embedding._LARGE", 100)
    assert [kind for kind, _ in on_light_and_dark(curves)] == ["image/png"] * 2
