"""Figures as files: their kinds, the same for the same data, whole or not there."""

import pytest
from PIL import Image

from ffltool import figures, outputs
from ffltool.errors import InputError
from tests.figures.common import curves

SUFFIXES = (".png", ".svg", ".pdf")


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
