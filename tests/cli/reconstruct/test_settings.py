"""How ``ffltool reconstruct`` goes down: step, exponent, seconds, device, and what it shows meanwhile."""

import pytest

from tests.cli.reconstruct.common import PIXEL, report_of, rows_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_plain_descent_rebuilds_at_once_under_pixel(rebuild, folder):
    assert rebuild("--optimizer", "sgd", objective=PIXEL)[0] == 0
    assert float(rows_of(folder)[1]["psnr"]) > 100
    assert report_of(folder)["settings"]["optimizer"] == "sgd"


def test_lr_alpha_and_the_start_reach_the_report_and_the_descent(rebuild, folder):
    assert rebuild("--optimizer", "sgd", "--lr", 0.5, "--alpha", 0)[0] == 0
    settings = report_of(folder)["settings"]
    assert (settings["lr"], settings["alpha"]) == (0.5, 0)
    losses = [float(row["loss"]) for row in rows_of(folder)]
    assert losses == pytest.approx([losses[0] / 4**number for number in range(4)]), "alpha 0 is the squared error"


@pytest.mark.usefixtures("without_drawing")
def test_seconds_stop_each_objective(image, folder, run):
    options = ["--objective", "ffl,pixel", "--steps", 10**9, "--seconds", 0.05, "--size", 16]
    assert run("reconstruct", image, "-o", folder, *options)[0] == 0
    report = report_of(folder)
    assert report["settings"]["seconds"] == 0.05
    for row in report["objectives"]:
        assert 0.05 <= row["seconds"] < 30
        assert row["steps"] < 10**9


def test_the_processor_can_be_asked_for(rebuild, folder):
    assert rebuild("--device", "cpu")[0] == 0
    assert report_of(folder)["settings"]["device"] == "cpu"


def test_a_pipe_shows_no_progress_quiet_or_not(rebuild):
    loud, quiet = rebuild()[1:], rebuild("--quiet")[1:]
    assert loud[1] == quiet[1] == ""
    assert "\r" not in loud[0] + quiet[0]
    assert "\x1b" not in loud[0] + quiet[0]


def test_a_terminal_shows_progress_unless_quiet(rebuild, monkeypatch):
    shown = []
    for options in ([], ["--quiet"]):
        with monkeypatch.context() as patch:
            patch.setattr("sys.stderr.isatty", lambda: True)
            patch.setenv("TERM", "xterm")
            status, _, err = rebuild(*options)
        assert status == 0
        shown.append(err)
    assert "ffl" in shown[0]
    assert shown[1] == ""
