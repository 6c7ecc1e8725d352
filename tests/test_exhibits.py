import math
import re
from base64 import b64decode
from dataclasses import replace

import pytest
import torch

from ffltool import evaluate_pairs, exhibits, pair, sample
from ffltool.images import Reading
from ffltool.report import BandScore

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def measured(folders):
    pairing = pair(*folders([f"{number}.png" for number in range(5)], size=(24, 24)))
    report = evaluate_pairs(pairing, ["psnr", "lfd"], workers=1)
    return report, sample.measured(report, pairing, Reading(), workers=1)


def test_each_metric_of_pairs_has_a_distribution_with_its_numbers(measured):
    report, _ = measured
    drawings = list(exhibits.distributions(report))
    assert [drawing.title for drawing in drawings] == ["psnr of 5 pairs", "lfd of 5 pairs"]
    median = sorted(row.values[0] for row in report.pairs)[2]
    assert f"Mean {report.scores[0].value:.4f}, median {median:.4f}, nine in ten" in drawings[0].caption
    assert "psnr (dB)" in text_of(drawings[0].light)


def test_infinite_values_are_counted_and_fewer_than_three_are_no_distribution(folders):
    real, fake = folders([f"{number}.png" for number in range(5)])
    (fake / "0.png").write_bytes((real / "0.png").read_bytes())
    report = evaluate_pairs(pair(real, fake), ["psnr"], workers=1)
    assert math.isinf(report.scores[0].value)
    (drawing,) = exhibits.distributions(report)
    assert drawing.title == "psnr of 4 pairs"
    assert drawing.caption.endswith("1 infinite values are not shown.")
    assert list(exhibits.distributions(evaluate_pairs(pair(real, fake, limit=3), ["psnr"], workers=1))) == []
    assert list(exhibits.distributions(evaluate_pairs(pair(real, fake, by="none"), ["lsd"], workers=1))) == []


def text_of(image):
    return " ".join(re.findall("<text.*?>(.*?)</text>", b64decode(image.url.partition("base64,")[2]).decode()))


def test_spectra_have_maps_profiles_and_gains_with_units_and_words(measured):
    drawings = list(exhibits.spectra(measured[1]))
    assert [drawing.title for drawing in drawings] == [title for title, _ in exhibits._CAPTIONS.values()]
    for drawing in drawings:
        assert "0-0.125: " in drawing.alt
        assert drawing.caption in drawing.alt
        assert drawing.light.url != drawing.dark.url
    for drawing in drawings[3:]:
        assert re.search("cycles per pixel|degrees", text_of(drawing.light))
        assert "(dB)" in text_of(drawing.light)


def test_constant_images_have_no_gain_to_tell(measured):
    sample = measured[1]
    flat = [replace(each, map=torch.zeros_like(each.map)) for each in sample.averages]
    for drawing in exhibits.spectra(replace(sample, averages=tuple(flat))):
        assert "0-0.125: –, " in drawing.alt


def test_bands_have_shares_and_gains(measured):
    shares, gains = exhibits.in_bands(measured[1].bands)
    most = max(measured[1].bands, key=lambda band: band.share)
    assert f"{most.share:.1%}, lies in {most.name};" in shares.caption
    assert "corner" in text_of(shares.light)
    assert "corner" in text_of(gains.light)
    assert "gain (dB)" in text_of(gains.light)


def test_no_error_and_no_power_are_not_drawn():
    nothing = {"share": None, "amplitude_share": None, "phase_share": None, "gain_db": None}
    assert list(exhibits.in_bands([BandScore(name="dc", low=0, high=0, lfd=0, **nothing)])) == []
