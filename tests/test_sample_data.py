"""The sample pairs are what `sample_data/make.py` makes, have the spectra of photographs, and measure as expected."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffltool.evaluate import evaluate_pairs
from ffltool.pairing import pair

SAMPLES = Path(__file__).parents[1] / "sample_data"
METRICS = ["mse", "psnr", "lfd"]


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_sample_data", SAMPLES / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected():
    return json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def report():
    return evaluate_pairs(pair(SAMPLES / "real", SAMPLES / "fake"), METRICS)


def pixels_of(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.float64)


def spectral_slope(pixels):
    """Fit the power averaged over rings one frequency wide against the frequency, both on a log scale."""
    grey = pixels @ [0.299, 0.587, 0.114]
    side = len(grey)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(side) / side)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * hann[:, None] * hann)) ** 2
    frequency = np.fft.fftfreq(side)
    ring = np.rint(np.hypot(frequency[:, None], frequency) * side).astype(int)
    wanted = [n for n in range(side) if 0.02 <= n / side <= 0.35]
    profile = [power[ring == n].mean() for n in wanted]
    return np.polyfit(np.log(wanted), np.log(profile), 1)[0]


@pytest.mark.parametrize("metric", METRICS)
def test_every_pair_measures_as_expected(report, expected, metric):
    column = METRICS.index(metric)
    measured = {row.real: row.values[column] for row in report.pairs}
    assert measured == pytest.approx({name: row[metric] for name, row in expected["pairs"].items()}, rel=1e-9)


def test_the_means_are_as_expected(report, expected):
    means = {score.metric: score.value for score in report.scores}
    assert means == pytest.approx(expected["mean"], rel=1e-9)


def test_the_sizes_are_as_expected(report, expected):
    assert [list(size) for size in report.real.sizes] == expected["sizes"] == [[67, 101], [96, 160], [256, 256]]
    assert {row.real: (row.height, row.width) for row in report.pairs} == {
        name: (row["height"], row["width"]) for name, row in expected["pairs"].items()
    }


@pytest.mark.parametrize(("real", "fake"), [("08_jpeg_file.png", "08_jpeg_file.jpg"), ("16_shifted.png",) * 2])
def test_lfd_is_the_log_of_the_mean_squared_spectrum_of_the_difference(expected, real, fake):
    first, second = pixels_of(SAMPLES / "real" / real), pixels_of(SAMPLES / "fake" / fake)
    powers = [np.abs(np.fft.fft2(first[..., c]) - np.fft.fft2(second[..., c])) ** 2 for c in range(3)]
    assert expected["pairs"][real]["lfd"] == pytest.approx(np.log(np.mean(powers) + 1), rel=1e-9)


def test_the_power_of_real_images_falls_as_that_of_photographs():
    images = [pixels_of(path) for path in sorted((SAMPLES / "real").iterdir())]
    slopes = [spectral_slope(image) for image in images if image.shape == (256, 256, 3)]
    assert len(slopes) >= 12
    # photographs average 1/f^2 and scatter by some tenths from one to the next
    assert np.mean(slopes) == pytest.approx(-2, abs=0.3)
    assert slopes == pytest.approx([-2] * len(slopes), abs=0.7)


def test_the_script_makes_the_same_pixels_again(make):
    number = len(make.SAMPLES)
    sample = make.SAMPLES[-1]
    again = make.real_image(number, sample.size, make.LOOKS[sample.look])
    with Image.open(SAMPLES / "real" / sample.name) as file:
        np.testing.assert_array_equal(again, np.asarray(file))


def test_there_is_a_pair_for_every_row_of_the_table_and_nothing_else(make, expected):
    fakes = sorted(path.name for path in (SAMPLES / "fake").iterdir())
    reals = sorted(path.name for path in (SAMPLES / "real").iterdir())
    assert fakes == [sample.name for sample in make.SAMPLES]
    assert reals == list(expected["pairs"]) == [str(Path(name).with_suffix(".png")) for name in fakes]


def test_the_samples_are_small():
    files = [path for path in SAMPLES.rglob("*") if path.is_file() and path.parent.name != "gallery"]
    sizes = [path.stat().st_size for path in files]
    assert sum(sizes) < 4_000_000
    assert max(sizes) < 2_000_000
