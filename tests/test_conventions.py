from dataclasses import replace

import pytest

from ffltool import evaluate_pairs, pair
from ffltool.conventions import conventions
from ffltool.images import ALPHAS, FITS, Reading
from ffltool.label_maps import LabelMaps

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def report(folders):
    return evaluate_pairs(pair(*folders()), ["psnr", "ssim", "lfd", "lsd", "gain"], workers=1)


def test_every_metric_has_its_definition_and_settings(report):
    told = dict(conventions(report, Reading()))
    assert told["psnr"] == (
        "PSNR = 10 log10(peak^2 / MSE); decibel, higher is better, infinite for equal images\npeak 255"
    )
    assert "LFD = ln(H W MSE + 1)" in told["lfd"].splitlines()
    assert "sigma 1.5" in told["ssim"]
    assert told["lsd, gain"].count("window hann") == 1
    assert "height 12, width 16" in told["lsd, gain"]


@pytest.mark.parametrize("name", ["lfd", "mse", "psnr", "ssim", "lsd", "sde", "gain", "miou", "pixel_accuracy"])
def test_every_module_of_these_metrics_begins_with_equations(name, report):
    scores = (replace(report.scores[0], metric=name, settings={}),)
    told = dict(conventions(replace(report, scores=scores), Reading()))
    assert " = " in told[name]


def test_peaks_are_said_what_they_are_and_how_they_were_looked_for(report):
    scores = (replace(report.scores[0], metric="peaks.max_z", settings={"residual": "median"}),)
    told = dict(conventions(replace(report, scores=scores), Reading()))
    assert told["peaks.max_z"].startswith("z of the strongest grid")
    assert told["peaks.max_z"].endswith("\nresidual median")


def test_a_score_of_no_known_metric_has_none(report):
    scores = (replace(report.scores[0], metric="else"),)
    assert "else" not in dict(conventions(replace(report, scores=scores), Reading()))


def test_sets_are_named_with_what_tells_them_from_others(report):
    told = dict(conventions(report, Reading()))
    assert told["real"] == f"{report.real.path}\n3 images, height × width 12 × 16\n{report.real.digest}"
    sizes = tuple((number, 8) for number in range(1, 10))
    many = replace(report, fake=replace(report.fake, sizes=sizes, images=1))
    assert "1 image, height × width 1 × 8, 2 × 8" in dict(conventions(many, Reading()))["fake"]
    without = replace(report, real=replace(report.real, sizes=()))
    assert dict(conventions(without, Reading()))["real"].splitlines()[1] == "3 images"
    assert "6 × 8 and 3 more" in dict(conventions(many, Reading()))["fake"]


def test_versions_are_those_of_the_report(report):
    told = dict(conventions(report, Reading()))["versions"]
    assert f"ffltool {report.version}" in told
    assert all(f"{name} {value}" in told for name, value in report.environment.items() if value)
    without = replace(report, environment={"torch": None, "pillow": "1"})
    assert "torch" not in dict(conventions(without, Reading()))["versions"]


def test_every_way_of_reading_is_said(report):
    texts = {dict(conventions(report, Reading(alpha=alpha, fit=fit)))["reading"] for alpha in ALPHAS for fit in FITS}
    assert len(texts) == len(ALPHAS) * len(FITS)
    unpaired = replace(report, pairs=())
    assert "sizes of a pair" not in dict(conventions(unpaired, Reading()))["reading"]
    told = dict(conventions(report, LabelMaps(classes=19)))["reading"]
    assert told.startswith("label maps; classes 0 to 18; ignore index 255")
    assert "every label found is a class" in dict(conventions(report, LabelMaps()))["reading"]
