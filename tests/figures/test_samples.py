"""Every type of figure can be drawn from the sample images, with labels and units."""

import runpy
import shlex
from pathlib import Path

import pytest
from PIL import Image

from ffltool import figures

ROOT = Path(__file__).parents[2]
REAL, FAKE = (str(ROOT / "sample_data" / side) for side in ("real", "fake"))
MAKE = runpy.run_path(str(ROOT / "sample_data" / "gallery" / "make.py"))
OF_README = {
    name: ["FIG" if word == name else word for word in shlex.split(command)]
    for name, command in MAKE["FIGURES"].items()
    if name not in MAKE["WRITTEN"]
}
OTHERS = {
    "maps.png": ["spectrum", REAL, FAKE, "--limit", "2", "--layout", "maps", "-o", "FIG"],
    "profiles.png": ["spectrum", REAL, FAKE, "--limit", "2", "--layout", "profiles", "-o", "FIG"],
    "batch.png": ["spectrum", REAL, FAKE, "--limit", "4", "--layout", "batch", "--batch-size", "2", "-o", "FIG"],
    "slices.png": ["spectrum", REAL, FAKE, "--limit", "2", "--preset", "karras2021", "--pad", "2", "-o", "FIG"],
    "dct.png": ["spectrum", REAL, FAKE, "--limit", "2", "--preset", "frank2020", "-o", "FIG"],
    "waves.png": ["bandlimit", "--waves", "-o", "FIG"],
    "filter.png": ["bandlimit", f"{REAL}/13_flat.png", "--filter", "low-pass", "--cutoff", "10px", "-o", "FIG"],
}
COMMANDS = OF_README | OTHERS
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_figure_is_drawn_with_labels_and_units(name, run, tmp_path, monkeypatch):
    drawn, save = [], figures.save
    monkeypatch.setattr(figures, "save", lambda figure, path: (drawn.append(figure), save(figure, path)))
    path = tmp_path / name
    monkeypatch.chdir(ROOT)
    assert run(*(path if word == "FIG" else word for word in COMMANDS[name]))[0] == 0
    (figure,) = drawn
    axes = [each for part in (figure, *figure.subfigs) for each in part.axes]
    labels = " ".join(each.get_xlabel() + each.get_ylabel() for each in axes)
    assert "cycles per pixel" in labels or "c/px" in labels
    with Image.open(path) as image:
        assert min(image.size) > 300


def test_the_rest_of_a_last_row_stays_empty(rng):
    panels = [figures.Panel(f"{number}", rng.random((8, 8, 3)), rng.random((8, 8))) for number in range(5)]
    drawn = figures.strip(panels, columns=3)
    assert [axes.axison for axes in drawn.axes] == [True] * 8 + [False] + [True] * 2 + [False]


def test_a_batch_of_fewer_images_leaves_its_row_open(rng):
    spectra = [figures.Spectrum(f"image {number}", rng.random((8, 8)), rng.random((8, 8))) for number in range(2)]
    drawn = figures.spectrum_batches([("real", spectra), ("fake", spectra[:1])], figures.Scale("power (dB)", 0, 1))
    assert [axes.axison for axes in drawn.axes[:4]] == [True, True, True, False]
