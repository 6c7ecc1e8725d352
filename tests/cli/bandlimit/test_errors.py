"""Errors of ``ffltool bandlimit`` are one line, and leave nothing behind."""

import pytest

from tests.cli.common import pixels_of

pytestmark = pytest.mark.usefixtures("one_thread")


def error_of(result):
    """Return the one line that an error is."""
    assert result[:2] == (2, "")
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2].removeprefix("ffltool: ").rstrip()


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
