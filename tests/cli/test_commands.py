"""What holds for every command: version, help, choices, progress."""

import pytest

from ffltool import __version__
from ffltool.cli import _options
from ffltool.images import ALPHAS, FITS
from ffltool.pairing import PAIRINGS


def test_version(run):
    assert run("--version") == (0, f"ffltool {__version__}\n", "")


@pytest.mark.parametrize("columns", [40, 80])
def test_no_arguments_show_the_help(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, err = run()
    assert (status, err) == (2, "")
    assert "Usage: ffltool" in out
    assert "lfd" in out


def test_a_missing_argument_is_one_line(run):
    said = "ffltool: Missing argument 'MODEL'. Choose from: ae, vae, pix2pix\n"
    assert run("train") == (2, "", said)


@pytest.mark.parametrize("arguments", [["", "fake"], ["real", ""], ["real", "fake", "--json", ""]])
def test_an_empty_argument_is_not_this_folder(run, arguments):
    status, out, err = run("metrics", *arguments, "-m", "lsd")
    assert (status, out) == (2, "")
    assert err == "ffltool: an argument is empty; is a variable not set?\n"


def test_options_name_what_the_library_knows():
    choices = [opt.__args__[0].__args__ for opt in (_options.Pair, _options.Alpha, _options.Fit)]
    assert choices == [PAIRINGS, ALPHAS, FITS]


def test_a_terminal_shows_how_far_it_is_unless_quiet(monkeypatch, folders, run):
    real, fake = folders()
    shown = []
    for options in ([], ["--quiet"]):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr.isatty", lambda: True)
            patch.setenv("TERM", "xterm")
            shown.append(run("lfd", real, fake, *options)[2])
    assert "comparing" in shown[0]
    assert "3/3" in shown[0]
    assert shown[1] == ""
