"""Metrics of sets of files, beside those of pairs and alone."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading, read
from ffltool.metrics import METRICS
from ffltool.metrics.spectral import gain, lsd, sde
from ffltool.pairing import pair
from tests.evaluate.common import ALL, SETS, batch, save_both_ways


def scores_of(*arguments, **settings):
    """Return the scores by name, of a report that is checked for what a metric of sets has."""
    report = evaluate_pairs(*arguments, **settings)
    for score in report.scores:
        if score.metric not in ALL:
            assert (score.std, score.min, score.max, score.images) == (None, None, None, report.fake.images)
    return {score.metric: score.value for score in report.scores}


def test_metrics_of_sets_are_of_all_images(folders):
    real, fake = folders([f"{i}.png" for i in range(7)], size=(20, 14))
    for path in list(fake.iterdir())[:3]:
        path.unlink()
    found = scores_of(pair(real, fake, by="none"), SETS)
    one, other = batch(real.iterdir()), batch(fake.iterdir())
    assert found["lsd"] == pytest.approx(lsd(one, other).item(), rel=1e-6)
    assert found["sde"] == pytest.approx(sde(one, other).item(), rel=1e-6)
    assert [found[name] for name in METRICS["gain"].score_names] == pytest.approx(gain(one, other).tolist(), abs=1e-5)


@pytest.mark.parametrize("metrics", [SETS, [*SETS, "lfd"]])
def test_paired_sets_equal_unpaired_ones(folders, metrics):
    real, fake = folders([f"{i}.png" for i in range(9)])
    expected = scores_of(pair(real, fake, by="none"), SETS)
    found = scores_of(pair(real, fake), metrics)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_scores_stand_in_the_order_asked_for_and_pairs_have_their_own(folders):
    report = evaluate_pairs(pair(*folders()), ["ssim", "gain", "lfd"])
    assert [score.metric for score in report.scores] == ["ssim", *METRICS["gain"].score_names, "lfd"]
    assert [score.metric for score in report.of_pairs] == ["ssim", "lfd"]
    assert all(len(row.values) == 2 for row in report.pairs)
    assert report.worst(1)[0].values[0] == min(row.values[0] for row in report.pairs)


def test_a_report_of_sets_has_no_pairs(folders):
    real, fake = folders(["a.png", "b.png", "c.png"], ["x.png", "y.png"])
    report = evaluate_pairs(pair(real, fake, by="none"), ["lsd"])
    assert (report.pairs, report.worst()) == ((), [])
    assert (report.real.images, report.fake.images) == (3, 2)
    assert report.environment["torch"] is not None
    with_pairs = pair(real, fake, by="order", limit=2, allow_unpaired=True)
    assert evaluate_pairs(with_pairs, ["lfd"]).real.digest != report.real.digest


def test_limit_is_of_each_set(folders):
    real, fake = folders([f"{i}.png" for i in range(5)])
    report = evaluate_pairs(pair(real, fake, by="none", limit=2), ["lsd"])
    assert (report.real.images, report.fake.images) == (2, 2)


def test_images_of_several_sizes_are_cut_to_the_smallest_with_a_warning(tmp_path, save):
    for index, shape in enumerate([(20, 30), (13, 40), (16, 15)]):
        for side in ("real", "fake"):
            save(tmp_path / side / f"{index}.png", size=shape)
    sets = pair(tmp_path / "real", tmp_path / "fake", by="none")
    (warning,) = evaluate_pairs(sets, SETS).warnings
    assert warning == "the images have several sizes; for lsd, sde, gain each was cut about its centre to 13x15"
    cut = [
        torch.stack([torch.from_numpy(read(path).centre_crop(13, 15).planes()) for path in sorted(side.iterdir())])
        for side in (tmp_path / "real", tmp_path / "fake")
    ]
    assert scores_of(sets, ["lsd"])["lsd"] == pytest.approx(lsd(*cut).item(), rel=1e-6)


def test_pairs_of_unequal_sizes_are_no_error_to_sets_and_fitted_for_metrics_of_pairs(tmp_path, save):
    save(tmp_path / "real" / "a.png", size=(20, 30))
    save(tmp_path / "fake" / "a.png", size=(12, 16))
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    expected = scores_of(pair(tmp_path / "real", tmp_path / "fake", by="none"), SETS)
    with pytest.raises(InputError, match="--fit"):
        evaluate_pairs(pairing, ["lsd", "lfd"])
    for fit in ("crop", "resize"):
        found = scores_of(pairing, [*SETS, "lfd"], reading=Reading(fit=fit))
        assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_grey_colour_and_16_bits_go_together(tmp_path, save, rng):
    pixels = rng.integers(0, 256, (12, 16), dtype=np.uint8)
    save(tmp_path / "real" / "a.png", pixels=pixels, mode="L")
    save(tmp_path / "real" / "b.png", pixels=pixels)
    (tmp_path / "fake").mkdir()
    Image.fromarray(pixels.astype(np.uint16) * np.uint16(257)).save(tmp_path / "fake" / "c.png")
    assert scores_of(pair(tmp_path / "real", tmp_path / "fake", by="none"), ["lsd"])["lsd"] == pytest.approx(
        0, abs=1e-4
    )


def test_side_by_side_images_are_two_sets(tmp_path, save, rng):
    save_both_ways(tmp_path, "abc", save, rng)
    expected = scores_of(pair(tmp_path / "real", tmp_path / "fake", by="none"), SETS)
    assert scores_of(pair(tmp_path / "both", side_by_side=True), SETS) == pytest.approx(expected)


def test_sets_without_power_are_infinite_and_said_to_be(tmp_path, save):
    flat = np.full((12, 12, 3), 99, dtype=np.uint8)
    real, fake = save(tmp_path / "flat.png", pixels=flat), save(tmp_path / "noise.png", size=(12, 12))
    report = evaluate_pairs(pair(real, fake, by="none"), ["lsd", "sde"])
    assert [(score.value, score.infinite) for score in report.scores] == [(math.inf, 1)] * 2
    assert report.warnings == ("lsd, sde: infinite, for at some frequencies one set has no power and the other has",)
    same = evaluate_pairs(pair(real, real, by="none"), SETS)
    assert all((score.value, score.infinite) == (0, 0) for score in same.scores)


def test_metrics_of_pairs_want_pairs(folders):
    sets = pair(*folders(), by="none")
    with pytest.raises(InputError, match="psnr, lfd: these want pairs of images"):
        evaluate_pairs(sets, ["psnr", "lsd", "lfd"])
    with pytest.raises(InputError, match="bands: these want pairs"):
        evaluate_pairs(sets, ["lsd"], bands=4)
