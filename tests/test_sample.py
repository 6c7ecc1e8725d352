from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import evaluate_pairs, pair, sample
from ffltool.errors import NothingComparedError
from ffltool.images import Reading
from ffltool.mean_spectrum import MeanSpectrum
from ffltool.recipes import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = [f"{number}.png" for number in range(8)]


def measured(real, fake=None, metrics=("lfd",), *, skip_broken=False, **how):
    pairing = pair(real, fake, **how)
    report = evaluate_pairs(pairing, metrics, skip_broken=skip_broken, bands=None, workers=1)
    return sample.measured(report, pairing, Reading(), workers=1), report


def test_few_images_are_all_measured_as_the_metrics_measure_them(folders):
    real, fake = folders(NAMES)
    found, report = measured(real, fake, ["lsd", "lfd"])
    direct = evaluate_pairs(pair(real, fake), ["lfd"], bands=sample.BANDS, workers=1)
    assert [average.images for average in found.averages] == [8, 8]
    assert found.pairs == 8
    assert found.size == (12, 16)
    for one, other in zip(found.bands, direct.bands, strict=True):
        assert (one.name, one.lfd, one.share) == (other.name, pytest.approx(other.lfd), pytest.approx(other.share))
    real_rings, fake_rings = (average.radial.mean[1:] for average in found.averages)
    lsd = (10 * torch.log10(fake_rings / real_rings)).square().nanmean().sqrt()
    assert report.scores[0].value == pytest.approx(lsd.item())


def test_the_spectrum_is_that_of_the_images_drawn(folders, monkeypatch):
    real, fake = folders(NAMES)
    monkeypatch.setattr(sample, "_MOST", 3)
    found, report = measured(real, fake)
    pairs = sample._drawn(report, pair(real, fake))
    assert len(pairs) == 3
    assert pairs == sample._drawn(report, pair(real, fake))
    mean = MeanSpectrum(Recipe(), 12, 16)
    for each in pairs:
        mean.update(torch.tensor(np.asarray(Image.open(real / each.real))).movedim(-1, 0)[None])
    torch.testing.assert_close(found.averages[0].map, mean.compute().map)


def test_large_images_are_fewer(folders, monkeypatch):
    real, fake = folders(NAMES)
    monkeypatch.setattr(sample, "_PIXELS", 5 * 12 * 16)
    assert measured(real, fake)[0].pairs == 5
    monkeypatch.setattr(sample, "_PIXELS", 1)
    assert measured(real, fake)[0].pairs == 4


def test_sets_are_drawn_from_each_by_itself(folders, monkeypatch):
    real, fake = folders(NAMES, NAMES[:4])
    monkeypatch.setattr(sample, "_MOST", 6)
    found, _ = measured(real, fake, ["lsd"], by="none")
    assert [average.images for average in found.averages] == [6, 4]
    assert [len(images) for images in found.examples] == [6, 4]
    assert (found.bands, found.pairs) == ((), 0)


def test_what_was_left_out_is_not_drawn(folders):
    real, fake = folders(NAMES)
    (fake / "3.png").write_bytes(b"")
    found, report = measured(real, fake, skip_broken=True)
    assert found.pairs == len(report.pairs) == 7


def test_images_too_small_have_bands_alone(folders):
    found, _ = measured(*folders(size=(8, 40)))
    assert found.averages == ()
    assert sum(band.share for band in found.bands) == pytest.approx(1)


def test_a_side_without_images_has_examples_of_the_other_alone(folders):
    pairing = pair(*folders(NAMES[:3]), by="none")
    report = evaluate_pairs(pairing, ["lsd"], workers=1)
    fakes = replace(pairing, pairs=tuple(each for each in pairing.pairs if each.real is None))
    found = sample.measured(report, fakes, Reading(), workers=1)
    assert found.averages == ()
    assert [len(images) for images in found.examples] == [0, 3]


def test_nothing_to_measure_is_an_error(folders):
    real, fake = folders(NAMES[:2])
    pairing = pair(real, fake)
    report = evaluate_pairs(pairing, ["lfd"], workers=1)
    for path in (*real.iterdir(), *fake.iterdir()):
        path.write_bytes(b"")
    with pytest.raises(NothingComparedError):
        sample.measured(report, pairing, Reading(), workers=1)
