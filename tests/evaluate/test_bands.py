"""Bands of all pairs together, and the map of their error."""

from dataclasses import asdict

import numpy as np
import pytest

from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.metrics.bands import BandSums
from ffltool.pairing import pair
from tests.evaluate.common import batch


def test_bands_are_those_of_all_pairs_together(folders):
    real, fake = folders([f"{i}.png" for i in range(5)])
    report = evaluate_pairs(pair(real, fake), ["lfd"], bands=4, error_map=True)
    one, other = batch(real.iterdir()), batch(fake.iterdir())
    expected = BandSums(4)
    expected.update(one, other)
    for band, score in zip(report.bands, expected.compute(), strict=True):
        assert asdict(band) == pytest.approx(asdict(score))
    error = np.abs(np.fft.fft2(one.double()) - np.fft.fft2(other.double())) ** 2 / (12 * 16)
    np.testing.assert_allclose(report.error_map, np.fft.fftshift(error.mean((0, 1))), rtol=1e-9, atol=1e-9)
    assert evaluate_pairs(pair(real, fake), ["lfd"], bands=4).error_map is None


def test_a_map_wants_one_size(tmp_path, save):
    for side, sizes in (("real", [(20, 30), (24, 30)]), ("fake", [(20, 30), (20, 36)])):
        for name, shape in zip("ab", sizes, strict=True):
            save(tmp_path / side / f"{name}.png", size=shape)
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    with pytest.raises(InputError, match=r"b\.png is 24x30 but .*a\.png 20x30; one size is wanted for a figure"):
        evaluate_pairs(pairing, ["lfd"], bands=2, error_map=True)
    report = evaluate_pairs(pairing, ["lfd"], bands=2, error_map=True, reading=Reading(fit="crop"))
    assert report.error_map.shape == (20, 30)
    with pytest.raises(InputError, match="one size is wanted"):
        evaluate_pairs(pairing, ["lfd"], bands=2, error_map=True, reading=Reading(fit="resize"))


def test_the_map_of_the_error_of_images_side_by_side_has_the_size_of_one(tmp_path, save):
    save(tmp_path / "both" / "a.png", size=(10, 24))
    report = evaluate_pairs(pair(tmp_path / "both", side_by_side=True), ["lfd"], bands=4, error_map=True)
    assert report.error_map.shape == (10, 12)
