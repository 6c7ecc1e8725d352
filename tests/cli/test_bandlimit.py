"""``ffltool bandlimit`` as a user types it: status, standard output, standard error, files."""

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import bandlimit, figures, outputs
from ffltool.bandlimit import Filter
from ffltool.cli.bandlimit import bandlimit as command

pytestmark = pytest.mark.usefixtures("one_thread")

FOUR = ["point-stop.png", "low-pass.png", "high-pass.png", "band-stop.png"]


@pytest.fixture
def image(tmp_path, save):
    return save(tmp_path / "image.png", size=(20, 32))


@pytest.fixture
def figure(tmp_path):
    return tmp_path / "figure.png"


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def without_drawing(monkeypatch):
    """Put something of ours in place of figures, which take longer than all the rest."""
    monkeypatch.setattr(figures, "images_over_spectra", lambda *_, **__: None)
    monkeypatch.setattr(figures, "save", lambda _, path: path.write_bytes(f"Software\0{outputs.MARK}".encode()))


@pytest.fixture
def limit_and_draw(image, figure, run):
    """Run ``ffltool bandlimit`` on a small image, and return what `run` does."""

    def limit(*options, image=image):
        return run("bandlimit", image, "-o", figure, *options)

    return limit


@pytest.fixture
def limit(limit_and_draw, without_drawing):
    """Do the same, but for the figure."""
    return limit_and_draw


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


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


def error_of(result):
    """Return the one line that an error is."""
    assert result[:2] == (2, "")
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2].removeprefix("ffltool: ").rstrip()


def test_the_options_name_what_the_library_knows():
    hints = command.__annotations__
    assert hints["filter"].__args__[0].__args__[0].__args__ == tuple(bandlimit.FILTERS)
    assert hints["shape"].__args__[0].__args__[0].__args__ == tuple(bandlimit.SHAPES)


# figures


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


# images


@pytest.mark.usefixtures("without_drawing")
def test_an_image_keeps_its_size_unless_told(run, save, tmp_path, kept):
    path = save(tmp_path / "large.png", size=(300, 400))
    for options, expected in (([], (300, 400)), (["--size", 40], (30, 40)), (["--size", 500], (300, 400))):
        arguments = ["-o", tmp_path / "x.png", "--filter", "low-pass", "--keep", kept, *options]
        assert run("bandlimit", path, *arguments)[0] == 0
        assert pixels_of(kept / "low-pass.png").shape[:2] == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (7, 9), (40, 5)], ids=str)
@pytest.mark.parametrize("options", [[], ["--shape", "gaussian"], ["--cube"]], ids=" ".join)
def test_small_odd_and_oblong_images(limit_and_draw, save, tmp_path, size, options):
    assert limit_and_draw(*options, image=save(tmp_path / "x.png", size=size))[0] == 0


@pytest.mark.parametrize("options", [[], ["--shape", "butterworth"], ["--cube"]], ids=" ".join)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_constant_image(limit, save, tmp_path, kept, level, options):
    path = save(tmp_path / "x.png", pixels=np.full((9, 10, 3), level, np.uint8))
    status, _, err = limit("--keep", kept, *options, image=path)
    assert (status, err) == (0, "")
    if not options:
        levels = {name: set(pixels_of(kept / name).ravel().tolist()) for name in FOUR}
        nothing = {127, 128}  # a half lies between the two, and which one it becomes is the transform's rounding
        for found, expected in zip(levels.values(), [nothing, {level}, nothing, {level}], strict=True):
            assert found <= expected


@pytest.mark.parametrize(("mode", "shape"), [("L", (20, 32)), ("P", (20, 32, 3)), ("RGB", (20, 32, 3))])
def test_grey_stays_grey_and_others_become_colour(limit, save, tmp_path, kept, mode, shape):
    path = save(tmp_path / "x.png", size=(20, 32), mode=mode)
    assert limit("--filter", "low-pass", "--keep", kept, image=path)[0] == 0
    assert pixels_of(kept / "low-pass.png").shape == shape


def test_16_bits_are_filtered_in_full_and_written_in_8(limit, tmp_path, kept):
    levels = np.arange(0, 65536, 128, dtype=np.uint16).reshape(16, 32)
    Image.fromarray(levels).save(tmp_path / "x.png")
    assert limit("--cube", "--keep", kept, image=tmp_path / "x.png")[0] == 0
    np.testing.assert_array_equal(pixels_of(kept / "all.png"), np.rint(levels / 257).astype(np.uint8))


def test_an_alpha_channel_is_dropped_with_a_warning(limit, save, tmp_path):
    status, _, err = limit(image=save(tmp_path / "x.png", mode="RGBA"))
    assert (status, err) == (0, "ffltool: warning: the alpha channel of 1 image was dropped\n")


# errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cutoff", "0,0.2"], "a cut-off must be in 0..0.7071 cycles per pixel and not 0, got 0"),
        (["--cutoff", "0.1,150%"], "a cut-off must be in 0..0.7071 cycles per pixel and not 0, got 0.75"),
        (["--cutoff", "0.2,0.1"], "the first cut-off must be below the second, got 0.2, 0.1"),
        (["--cutoff", "0.1"], "the figure of several filters takes two cut-offs, got 1"),
        (["--cutoff", "1cm,2cm"], "'1cm' is no cut-off; 0.1 (cycles per pixel), 20% (of the Nyquist frequency) or"),
        (["--filter", "band-stop", "--cutoff", "0.1"], "band-stop takes 2 cut-offs, got 0.1"),
        (["--filter", "low-pass", "--cutoff", "0.1,0.2"], "low-pass takes 1 cut-off, got 0.1, 0.2"),
        (["--filter", "point-stop", "--cutoff", "0.1"], "point-stop takes no cut-off, got 0.1"),
        (["--filter", "low-pass", "--point", "1,1"], "low-pass takes no point"),
        (["--filter", "notch"], "Invalid value for '--filter'"),
        (["--shape", "box"], "Invalid value for '--shape'"),
        (["--order", 2], "an order is that of a butterworth filter, this one is ideal"),
        (["--order", 0, "--shape", "butterworth"], "Invalid value for '--order'"),
        (["--point", "3"], "'3' is no point; two whole numbers are wanted, periods over width and height"),
        (["--point", "17,0"], "an image of 20x32 (height x width) has at most 16 periods over its width and 10"),
        (["--size", 0], "Invalid value for '--size'"),
        (["--at", "1,0"], "--at does not go with an IMAGE, only with --waves"),
        (["--cube", "--cutoff", "0.1"], "--cutoff does not go with --cube"),
        (["--cube", "--at", "1,0"], "--at does not go with --cube"),
        (["--waves"], "--waves takes no IMAGE"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line(limit, figure, kept, options, message):
    assert error_of(limit("--keep", kept, *options)).startswith(message)
    assert not figure.exists()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "an IMAGE is wanted, or --waves"),
        (["--cube"], "an IMAGE is wanted, or --waves"),
        (["--waves", "--cube"], "--cube does not go with --waves"),
        (["--waves", "--size", 20], "--size does not go with --waves"),
        (["--waves", "--filter", "low-pass"], "--filter does not go with --waves"),
        (["--waves", "--at", "33,0"], "an image of 64x64 (height x width) has at most 32 periods over its width"),
        (["--waves", "--at", "x"], "'x' is no point"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_what_cannot_be_without_an_image_is_one_line(run, figure, options, message):
    assert error_of(run("bandlimit", "-o", figure, *options)).startswith(message)
    assert not figure.exists()


def test_a_figure_must_be_named_and_have_a_known_suffix(run, image, tmp_path):
    assert "Missing option '--output' / '-o'" in error_of(run("bandlimit", image))
    for name in ("x.jpg", "-"):
        assert "has no suffix of a figure; known are .png" in error_of(run("bandlimit", image, "-o", name))


def test_a_missing_or_broken_image_leaves_nothing_behind(limit, figure, kept, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    for name, message in (("no.png", "no.png does not exist"), ("broken.png", "broken.png is ")):
        assert message in error_of(limit("--keep", kept, image=tmp_path / name))
    assert not figure.exists()
    assert not kept.exists()


def test_outputs_are_checked_before_the_image_is_read(limit, figure, kept, tmp_path):
    figure.write_text("mine")
    missing = tmp_path / "no.png"
    assert error_of(limit(image=missing)).startswith(f"{figure} exists and is no earlier output of this kind; --force")
    assert "no.png does not exist" in error_of(limit("--force", image=missing))
    figure.unlink()
    kept.mkdir()
    (kept / "low-pass.png").write_text("mine")
    assert "low-pass.png exists and is no earlier output" in error_of(limit("--keep", kept, image=missing))
    assert (kept / "low-pass.png").read_text() == "mine"


def test_force_overwrites(limit, figure, kept):
    kept.mkdir()
    for path in (figure, kept / "low-pass.png"):
        path.write_text("mine")
    assert limit("--keep", kept, "--force")[0] == 0
    assert "mine" not in figure.read_text()
    assert pixels_of(kept / "low-pass.png").shape == (20, 32, 3)


def test_the_figure_and_an_image_that_is_kept_are_not_one_file(run, image, tmp_path):
    path = tmp_path / "low-pass.png"
    result = run("bandlimit", image, "-o", path, "--keep", tmp_path)
    assert error_of(result) == f"{path} cannot be both the figure and an image that is kept"
    assert not path.exists()
