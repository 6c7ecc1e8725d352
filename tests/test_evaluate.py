import json
import math
import threading
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import images, measure
from ffltool.errors import BrokenImageError, InputError, NothingComparedError, ShapeError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading, read
from ffltool.metrics import METRICS
from ffltool.metrics.bands import BandSums
from ffltool.metrics.spectral import gain, lsd, sde
from ffltool.pairing import pair

ALL = ["mse", "psnr", "ssim", "lfd"]


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


@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_broken_image_stops_the_run_and_is_named(folders, place):
    real, fake = folders([f"{i}.png" for i in range(12)])
    (fake / f"{place}.png").write_bytes(b"junk")
    with pytest.raises(BrokenImageError, match=f"fake/{place}.png"):
        evaluate_pairs(pair(real, fake), ["lfd"])


def test_broken_images_can_be_left_out_by_name(folders):
    real, fake = folders([f"{i}.png" for i in range(8)])
    (fake / "2.png").write_bytes(b"junk")
    (real / "5.png").unlink(missing_ok=False)
    (real / "5.png").write_bytes(b"")
    report = evaluate_pairs(pair(real, fake), ALL, skip_broken=True)
    assert report.warnings == ("2 pairs with a broken image were left out: 2.png, 5.png",)
    assert [row.real for row in report.pairs] == [f"{i}.png" for i in (0, 1, 3, 4, 6, 7)]
    assert report.real.images == report.scores[0].images == 6


def test_nothing_left_is_an_error_of_its_own(folders):
    real, fake = folders(["a.png"])
    (fake / "a.png").write_bytes(b"junk")
    with pytest.raises(NothingComparedError):
        evaluate_pairs(pair(real, fake), ["lfd"], skip_broken=True)


def test_a_file_that_disappears_during_the_run_is_named(folders):
    real, fake = folders([f"{i}.png" for i in range(12)])
    pairing = pair(real, fake)
    (real / "7.png").unlink()
    with pytest.raises(InputError, match=r"real/7\.png does not exist"):
        evaluate_pairs(pairing, ["lfd"])


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
    for name in "ab":
        image = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
        save(tmp_path / "both" / f"{name}.png", pixels=image)
        save(tmp_path / "real" / f"{name}.png", pixels=image[:, :12])
        save(tmp_path / "fake" / f"{name}.png", pixels=image[:, 12:])
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


# metrics of sets


SETS = ["lsd", "sde", "gain"]


def scores_of(*arguments, **settings):
    """Return the scores by name, of a report that is checked for what a metric of sets has."""
    report = evaluate_pairs(*arguments, **settings)
    for score in report.scores:
        if score.metric not in ALL:
            assert (score.std, score.min, score.max, score.images) == (None, None, None, report.fake.images)
    return {score.metric: score.value for score in report.scores}


def batch(paths):
    return torch.stack([torch.from_numpy(read(path).planes()) for path in sorted(paths)])


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


def test_an_image_turned_by_its_orientation_has_the_size_of_what_is_seen(tmp_path, save):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a.jpg", "b.png"):
        save(tmp_path / "real" / name, size=(12, 20), exif=exif)
    save(tmp_path / "fake" / "a.png", size=(20, 12))
    assert evaluate_pairs(pair(tmp_path / "real", tmp_path / "fake", by="none"), ["lsd"]).warnings == ()


def test_a_header_that_tells_a_larger_size_is_an_error(tmp_path, save, monkeypatch):
    real, fake = (save(tmp_path / name, size=(12, 20)) for name in ("r.png", "f.png"))
    monkeypatch.setattr("ffltool.sizes.size_of", lambda path: (20, 20))
    with pytest.raises(InputError, match="is 12x20, but its header says that it is larger"):
        evaluate_pairs(pair(real, fake, by="none"), ["lsd"])


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
    for name in "abc":
        image = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
        save(tmp_path / "both" / f"{name}.png", pixels=image)
        save(tmp_path / "real" / f"{name}.png", pixels=image[:, :12])
        save(tmp_path / "fake" / f"{name}.png", pixels=image[:, 12:])
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


def test_broken_images_of_sets_are_left_out_by_name(folders):
    real, fake = folders([f"{i}.png" for i in range(4)])
    (fake / "2.png").write_bytes(b"junk")
    sets = pair(real, fake, by="none")
    with pytest.raises(BrokenImageError, match=r"fake/2\.png"):
        evaluate_pairs(sets, ["lsd"])
    report = evaluate_pairs(sets, ["lsd"], skip_broken=True)
    assert report.warnings == ("1 broken image was left out: 2.png",)
    assert (report.real.images, report.fake.images) == (4, 3)


@pytest.mark.parametrize("broken", ["real", "fake", "both"])
def test_a_set_of_which_nothing_is_left_is_an_error(folders, broken):
    for folder in folders(["a.png"]):
        if broken in (folder.name, "both"):
            (folder / "a.png").write_bytes(b"junk")
    with pytest.raises(NothingComparedError):
        evaluate_pairs(pair(folder, folder.parent / "real", by="none"), ["lsd"], skip_broken=True)


def test_metrics_of_pairs_want_pairs(folders):
    sets = pair(*folders(), by="none")
    with pytest.raises(InputError, match="psnr, lfd: these want pairs of images"):
        evaluate_pairs(sets, ["psnr", "lsd", "lfd"])
    with pytest.raises(InputError, match="bands: these want pairs"):
        evaluate_pairs(sets, ["lsd"], bands=4)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_image_is_decoded_once(folders, monkeypatch, workers):
    seen = []

    def note(path, **settings):
        seen.append(path)
        return read(path, **settings)

    monkeypatch.setattr("ffltool.measure.read", note)
    monkeypatch.setattr("ffltool.images.read", note)
    real, fake = folders([f"{i}.png" for i in range(9)])
    evaluate_pairs(pair(real, fake), [*SETS, *ALL], bands=4, error_map=True, workers=workers)
    assert sorted(seen) == sorted([*real.iterdir(), *fake.iterdir()])


def test_threads_of_torch_are_as_many_as_before(folders):
    before = torch.get_num_threads()
    evaluate_pairs(pair(*folders()), ["lsd"])
    assert torch.get_num_threads() == before


# bands


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


@pytest.mark.parametrize(("pairs", "workers", "at_once"), [(1, 2, True), (3, 2, True), (1, 1, False), (4, 2, False)])
def test_both_images_of_a_handful_of_pairs_are_read_at_once(folders, monkeypatch, pairs, workers, at_once):
    threads, read = set(), measure.read

    def noted(path, *, alpha):
        threads.add((threading.current_thread().name.startswith("ThreadPool"), path.parent.name))
        return read(path, alpha=alpha)

    monkeypatch.setattr(measure, "read", noted)
    monkeypatch.setattr(images, "read", noted)
    inputs = folders([f"{number}.png" for number in range(pairs)])
    evaluate_pairs(pair(*inputs), ["lfd"], workers=workers)
    assert ({(False, "real"), (True, "fake")} == threads) is at_once


def test_of_two_broken_images_read_at_once_the_real_one_is_named(folders):
    inputs = folders(["a.png"])
    for folder in inputs:
        (folder / "a.png").write_bytes(b"")
    with pytest.raises(BrokenImageError, match=r"real/a\.png is empty"):
        evaluate_pairs(pair(*inputs), ["lfd"], workers=2)


def test_the_map_of_the_error_of_images_side_by_side_has_the_size_of_one(tmp_path, save):
    save(tmp_path / "both" / "a.png", size=(10, 24))
    report = evaluate_pairs(pair(tmp_path / "both", side_by_side=True), ["lfd"], bands=4, error_map=True)
    assert report.error_map.shape == (10, 12)
