"""Metrics of pairs of files: means, the worst, what is listed and warned of, the authors' numbers."""

import json
import math

import numpy as np
import pytest

from ffltool.errors import ShapeError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.pairing import pair
from tests.evaluate.common import ALL, save_both_ways


def test_scores_are_the_means_over_pairs(folders):
    report = evaluate_pairs(pair(*folders([f"{i}.png" for i in range(9)])), ALL)
    for score, values in zip(report.scores, zip(*(row.values for row in report.pairs), strict=True), strict=True):
        assert score.value == pytest.approx(np.mean(values), rel=1e-14)
        assert score.std == pytest.approx(np.std(values), rel=1e-10)
        assert (score.min, score.max, score.images) == (min(values), max(values), 9)


@pytest.mark.parametrize("workers", [0, 1, 2, 7])
def test_is_the_same_for_any_number_of_workers(folders, workers):
    pairing = pair(*folders([f"{i}.png" for i in range(40)]))
    expected = evaluate_pairs(pairing, ALL, workers=1)
    found = evaluate_pairs(pairing, ALL, workers=workers)
    assert (found.pairs, found.scores) == (expected.pairs, expected.scores)


def test_equal_images_are_infinite_and_counted(tmp_path, save, rng):
    image = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    for side in ("real", "fake"):
        save(tmp_path / side / "same.png", pixels=image)
        save(tmp_path / side / "other.png")
    report = evaluate_pairs(pair(tmp_path / "real", tmp_path / "fake"), ["psnr", "lfd", "ssim"])
    psnr, lfd, ssim = report.scores
    assert (psnr.value, psnr.std, psnr.infinite, psnr.max) == (math.inf, None, 1, math.inf)
    assert (lfd.min, lfd.infinite, ssim.max) == (0.0, 0, pytest.approx(1, abs=1e-12))
    assert report.worst(1)[0].real == "other.png"


def test_the_worst_pairs_come_first_in_either_direction(folders):
    pairing = pair(*folders([f"{i}.png" for i in range(6)]))
    by_lfd, by_psnr = (evaluate_pairs(pairing, [name]).worst(6) for name in ("lfd", "psnr"))
    assert [row.real for row in by_lfd] == [row.real for row in by_psnr]
    assert by_lfd[0].values > by_lfd[-1].values
    assert by_psnr[0].values < by_psnr[-1].values


def test_digest_tells_names_and_sizes_of_the_files(folders):
    real, fake = folders(["a.png", "b.png"])
    first = evaluate_pairs(pair(real, fake), ["lfd"])
    assert evaluate_pairs(pair(real, fake), ["lfd"]).real.digest == first.real.digest
    (real / "b.png").write_bytes((real / "b.png").read_bytes() + b"more")
    longer = evaluate_pairs(pair(real, fake), ["lfd"])
    assert longer.real.digest != first.real.digest
    assert longer.fake.digest == first.fake.digest


def test_mixed_sizes_are_listed_and_warned_about(tmp_path, save):
    for side in ("real", "fake"):
        save(tmp_path / side / "a.png", size=(20, 30))
        save(tmp_path / side / "b.png", size=(12, 16))
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    report = evaluate_pairs(pairing, ["lfd", "psnr"])
    assert report.real.sizes == ((12, 16), (20, 30))
    assert [warning for warning in report.warnings if "2 sizes" in warning]
    assert evaluate_pairs(pairing, ["psnr"]).warnings == ()


def test_dropped_alpha_is_one_warning(tmp_path, save):
    for side in ("real", "fake"):
        for name in "abc":
            save(tmp_path / side / f"{name}.png", mode="RGBA")
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    (warning,) = evaluate_pairs(pairing, ["lfd"]).warnings
    assert "alpha channel of 6 images" in warning
    assert evaluate_pairs(pairing, ["lfd"], reading=Reading(alpha="white")).warnings == ()


def test_an_image_too_small_for_a_metric_is_named(folders):
    with pytest.raises(ShapeError, match=r"a\.png: SSIM needs images of at least 11x11 pixels, got 8x30"):
        evaluate_pairs(pair(*folders(["a.png"], size=(8, 30))), ["ssim"])


def test_progress_sees_every_pair_of_a_known_number(folders):
    seen = []

    def progress(items, total):
        for item in items:
            seen.append(total)
            yield item

    evaluate_pairs(pair(*folders()), ["lfd"], progress=progress)
    assert seen == [3, 3, 3]


def test_side_by_side_equals_two_folders(tmp_path, save, rng):
    save_both_ways(tmp_path, "ab", save, rng)
    together = evaluate_pairs(pair(tmp_path / "both", side_by_side=True), ALL)
    assert together.scores == evaluate_pairs(pair(tmp_path / "real", tmp_path / "fake"), ALL).scores
    assert together.real.sizes == ((12, 12),)


def test_equals_the_authors_code_on_odd_pairs(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())["extra"]
    extra = shared / "reference" / "inputs" / "extra"
    for name, row in golden.items():
        if name == "gray16_128x128":  # the authors read 8 bits of it; see test_deep.py
            continue
        report = evaluate_pairs(pair(extra / f"{name}_real.png", extra / f"{name}_fake.png"), ALL)
        for metric, value in zip(ALL, report.pairs[0].values, strict=True):
            tolerance = {"abs": 1e-12} if metric == "ssim" else {"rel": 1e-9}
            assert value == pytest.approx(float(row[f"official_{metric}"]), **tolerance), (name, metric)


def test_equals_the_authors_code_on_the_reference_pairs(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())
    inputs = shared / "reference" / "inputs"
    report = evaluate_pairs(pair(inputs / "real", inputs / "fake"), ALL)
    for row in report.pairs:
        for metric, value in zip(ALL, row.values, strict=True):
            official = float(golden["pairs"][row.real][f"official_{metric}"])
            tolerance = {"abs": 1e-12} if metric == "ssim" else {"rel": 1e-9}
            assert value == pytest.approx(official, **tolerance), (row.real, metric)
    means = {score.metric: score.value for score in report.scores}
    for metric in ("mse", "ssim", "lfd"):
        assert means[metric] == pytest.approx(golden["mean_over_pairs"][f"official_{metric}"], rel=1e-12)
    assert means["psnr"] == math.inf
