"""Figures of ``ffltool bandlimit``, and the images of them that are kept."""

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import bandlimit, outputs
from ffltool.bandlimit import Filter
from ffltool.cli.bandlimit import bandlimit as command
from tests.cli.bandlimit.common import FOUR
from tests.cli.common import pixels_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_options_name_what_the_library_knows():
    hints = command.__annotations__
    assert hints["filter"].__args__[0].__args__[0].__args__ == tuple(bandlimit.FILTERS)
    assert hints["shape"].__args__[0].__args__[0].__args__ == tuple(bandlimit.SHAPES)


def test_the_five_columns(limit_and_draw, figure):
    assert limit_and_draw() == (0, f"wrote {figure}\n", "")
    with Image.open(figure) as drawn:
        assert drawn.text == {"Software": outputs.MARK}
        assert drawn.size[0] > 2 * drawn.size[1]
    assert [path.name for path in figure.parent.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_other_kinds_of_figures(run, image, tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    assert run("bandlimit", image, "-o", path, "--filter", "low-pass")[0] == 0
    assert path.stat().st_size > 1000


def test_the_same_image_gives_the_same_file_over_an_earlier_one(limit_and_draw, figure):
    contents = [(limit_and_draw("--filter", "high-pass")[0], figure.read_bytes())[1] for _ in range(2)]
    assert contents[0] == contents[1]


def expected_pixels(path, chosen):
    """Return what a filter leaves of an image, in 8 bits, about mid-grey where it has no mean."""
    values = torch.from_numpy(pixels_of(path) / 255)
    planes = values[None] if values.ndim == 2 else values.movedim(-1, 0)
    height, width = planes.shape[1:]
    left = chosen.apply(planes) + (0.5 if chosen.gain(height, width)[0, 0] == 0 else 0)
    levels = (255 * left.clamp(0, 1)).round().numpy().astype(np.uint8)
    return levels[0] if values.ndim == 2 else np.moveaxis(levels, 0, -1)


def assert_close(actual, expected):
    """Compare pixels in 8 bits: float32 may round a half the other way."""
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected).max() <= 1


def test_images_that_are_kept_are_those_of_the_figure(limit, figure, image, kept):
    status, out, err = limit("--keep", kept)
    assert (status, err) == (0, "")
    assert out.splitlines() == [f"wrote {figure}", f"wrote {', '.join(FOUR)} to {kept}"]
    assert sorted(path.name for path in kept.iterdir()) == sorted(FOUR)
    for chosen in bandlimit.filters():
        assert_close(pixels_of(kept / f"{chosen.name}.png"), expected_pixels(image, chosen))


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (["--filter", "low-pass"], Filter("low-pass", (0.1,))),
        (["--filter", "high-pass", "--cutoff", "30%"], Filter("high-pass", (0.15,))),
        (["--filter", "band-pass", "--cutoff", "8px,0.25"], Filter("band-pass", (0.125, 0.25))),
        (["--filter", "band-stop", "--shape", "gaussian"], Filter("band-stop", (0.1, 0.2), "gaussian")),
        (
            ["--filter", "low-pass", "--shape", "butterworth", "--order", 3],
            Filter("low-pass", (0.1,), "butterworth", 3),
        ),
        (["--filter", "low-pass", "--shape", "butterworth"], Filter("low-pass", (0.1,), "butterworth", 2)),
        (["--filter", "point-stop"], Filter("point-stop")),
        (["--filter", "point-stop", "--point", "3,-2"], Filter("point-stop", point=(3, -2))),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_one_filter_alone(limit, image, kept, options, chosen):
    status, out, err = limit("--keep", kept, *options)
    assert (status, err) == (0, "")
    assert out.splitlines()[1] == f"wrote {chosen.name}.png to {kept}"
    assert_close(pixels_of(kept / f"{chosen.name}.png"), expected_pixels(image, chosen))


def test_the_cube_of_an_image(limit_and_draw, image, kept):
    status, out, _ = limit_and_draw("--cube", "--keep", kept)
    assert status == 0
    names = ["mean.png", "64px.png", "32px.png", "16px.png", "8px.png", "4px.png", "2px.png", "all.png"]
    assert out.splitlines()[1] == f"wrote {', '.join(names)} to {kept}"
    np.testing.assert_array_equal(pixels_of(kept / "all.png"), pixels_of(image))
    assert len(np.unique(pixels_of(kept / "mean.png").reshape(-1, 3), axis=0)) == 1


def test_waves_are_of_no_image(run, figure, kept):
    options = ["--at", "1,0", "--at", "-3,2", "--at", "1,0", "--keep", kept]
    assert run("bandlimit", "--waves", "-o", figure, *options)[0] == 0
    assert sorted(path.name for path in kept.iterdir()) == ["wave_-3_2.png", "wave_1_0.png"]
    row = pixels_of(kept / "wave_1_0.png")[0]
    assert (len(row), row[0], row[16], row[32]) == (64, 255, 128, 0)


def test_the_usual_waves(run, figure):
    assert run("bandlimit", "--waves", "-o", figure) == (0, f"wrote {figure}\n", "")
