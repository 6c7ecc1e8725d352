"""Sets that are known: from the cache of an earlier run, or out of a file of statistics."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ffltool import feature_cache
from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading
from ffltool.looking import Sources
from ffltool.pairing import pair
from ffltool.set_statistics import MARK

SETS = ["fid", "kid", "is"]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def sets(folders):
    """Return two folders of 12 images."""
    return folders([f"{i}.png" for i in range(12)])


@pytest.fixture
def look(means, sets):
    """Return a function that runs metrics over both folders, and returns the report and how many images were seen."""

    def look(metrics=SETS, *, pairing=None, reading=None, skip_broken=False, save_statistics=None, **changes):
        means.network.seen = 0
        report = evaluate_pairs(
            pairing or pair(*sets, by="none"),
            metrics,
            reading=reading,
            looking=replace(means.looking, **changes),
            skip_broken=skip_broken,
            save_statistics=save_statistics,
        )
        return report, means.network.seen

    return look


def without_time(report):
    return replace(report, seconds=0)


# the cache


def test_a_second_run_reads_no_image_and_says_the_same(look, sets, monkeypatch):
    first, seen = look()
    assert seen == 24
    monkeypatch.setattr("ffltool.measure.read", None)
    second, seen = look()
    assert seen == 0
    assert without_time(first) == without_time(second)


def test_features_are_found_again_under_other_names_and_in_pairs(look, sets, tmp_path):
    first, _ = look(["fid"])
    moved = tmp_path / "moved"
    sets[0].rename(moved)
    second, seen = look(["fid", "psnr"], pairing=pair(moved, sets[1]))
    assert seen == 0
    assert second.scores[0] == first.scores[0]
    assert second.real.path == str(moved)


def test_what_is_missing_is_gathered(look):
    assert look(["fid"])[1] == 24
    report, seen = look(["fid", "kid"])
    assert seen == 24
    assert report.scores == look(["fid", "kid"])[0].scores
    assert look(["is"])[1] == 12
    assert look(SETS)[1] == 0


def test_another_file_weights_preset_layer_or_alpha_is_another_key(look, sets, save, means, tmp_path):
    look(["fid"])
    assert look(["fid"], preset="clean")[1] == 24
    assert look(["fid"], layer="192")[1] == 24
    assert look(["fid"], reading=Reading(alpha="white"))[1] == 24
    torch.save({"one": torch.full((1,), 2.0)}, tmp_path / "other.pth")
    assert look(["fid"], sources=Sources(own={"inception": tmp_path / "other.pth"}))[1] == 24
    save(sets[0] / "0.png")
    assert look(["fid"])[1] == 12
    assert look(["fid"])[1] == 0


def test_a_broken_image_takes_its_partner_along_whatever_is_kept(look, sets, means):
    look(["fid"])
    (sets[1] / "0.png").write_bytes(b"")
    (sets[1] / "1.png").write_bytes(b"")
    pairing = pair(*sets)
    found, _ = look(["fid", "psnr"], pairing=pairing, skip_broken=True)
    sources = replace(means.looking.sources, cached=False)
    assert found.scores == look(["fid", "psnr"], pairing=pairing, skip_broken=True, sources=sources)[0].scores


def test_another_version_is_another_key(look, monkeypatch):
    look(["fid"])
    monkeypatch.setattr("ffltool.features.__version__", "9.9.9")
    assert look(["fid"])[1] == 24


def test_without_the_cache_nothing_is_kept(look, means, caches):
    looking = replace(means.looking.sources, cached=False)
    assert [look(["fid"], sources=looking)[1] for _ in range(2)] == [24, 24]
    assert not caches.exists()


def test_a_damaged_entry_is_made_again(look, caches):
    expected, _ = look(["fid"])
    for path, content in zip(caches.iterdir(), (b"", b"PK\x03\x04 no archive"), strict=True):
        path.write_bytes(content)
    report, seen = look(["fid"])
    assert (seen, report.scores) == (24, expected.scores)
    (entry, *_) = caches.iterdir()
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 1  # a bit of the features
    entry.write_bytes(content)
    report, seen = look(["fid"])
    assert (seen, report.scores) == (12, expected.scores)
    assert look(["fid"])[1] == 0


def test_more_images_than_features_come_back_too(folders, means):
    pairing = pair(*folders([f"{i}.png" for i in range(70)]), by="none")
    first, second = (evaluate_pairs(pairing, ["fid", "kid"], looking=means.looking) for _ in range(2))
    assert means.network.seen == 140
    assert first.scores == second.scores


def test_files_that_had_to_be_spoken_of_are_read_each_time(look, sets, save, rng):
    save(sets[0] / "0.png", pixels=rng.integers(0, 256, (12, 16, 4), dtype=np.uint8), mode="RGBA")
    warnings = [look(["fid"])[0].warnings for _ in range(2)]
    assert warnings[0] == warnings[1]
    assert "alpha channel of 1 image was dropped" in warnings[0][0]


def test_a_cache_that_cannot_be_written_is_a_warning(look, caches):
    caches.parent.mkdir(parents=True)
    caches.write_text("a file in its place")
    report, _ = look(["fid"])
    (warning,) = report.warnings
    assert warning.startswith(f"features were not kept for later runs: {caches} cannot be made")
    assert report.scores[0].value > 0


def test_a_full_disk_is_a_warning_and_leaves_nothing(look, caches, monkeypatch):
    def full(path, content):
        raise InputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr("ffltool.outputs.write", full)
    (warning,) = look(["fid"])[0].warnings
    assert warning.endswith("No space left on device")
    assert list(caches.iterdir()) == []


# statistics


@pytest.mark.parametrize("metrics", [["fid"], SETS])
def test_statistics_stand_for_the_real_images(look, sets, tmp_path, metrics):
    path = tmp_path / "real.npz"
    expected, _ = look(metrics, save_statistics=path)
    assert MARK.encode() in path.read_bytes()[-4096:]
    sources = Sources(own={"inception": tmp_path / "means.pth"}, cached=False)
    found, seen = look(metrics, pairing=pair(path, sets[1], by="none"), sources=sources)
    assert seen == 12
    for one, other in zip(expected.scores, found.scores, strict=True):
        # a root of the covariance in place of the features themselves
        assert one.value == pytest.approx(other.value, rel=1e-9)
        assert one.settings == other.settings
    assert found.real == replace(expected.real, path=str(path))


def test_statistics_can_be_kept_of_features_that_were(look, sets, tmp_path):
    look(["fid", "kid"])
    report, seen = look(["fid", "kid"], save_statistics=tmp_path / "real.npz")
    assert seen == 0
    again, _ = look(["fid", "kid"], pairing=pair(tmp_path / "real.npz", sets[1], by="none"))
    assert [score.value for score in again.scores] == pytest.approx([score.value for score in report.scores], rel=1e-9)


def test_statistics_without_features_are_not_for_kid(look, sets, tmp_path):
    path = tmp_path / "real.npz"
    look(["fid"], save_statistics=path)
    with pytest.raises(InputError, match=r"real\.npz holds no features, which KID draws its subsets from"):
        look(["kid"], pairing=pair(path, sets[1], by="none"))
    assert look(["is"], pairing=pair(path, sets[1], by="none"))[1] == 12


def test_statistics_of_another_way_to_look_are_refused(look, sets, tmp_path):
    path = tmp_path / "real.npz"
    look(["fid"], save_statistics=path)
    sets = pair(path, sets[1], by="none")
    with pytest.raises(InputError, match="was made with preset pytorch-fid, not with clean"):
        look(["fid"], pairing=sets, preset="clean")
    with pytest.raises(InputError, match="was made with layer 64, not with 192"):
        look(["fid"], pairing=sets, layer="192")


def test_statistics_that_are_not_finite_are_refused(look, sets, tmp_path):
    path = tmp_path / "real.npz"
    look(["fid"], save_statistics=path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["mean"][3] = math.nan
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"real\.npz holds values that are not finite"):
        look(["fid"], pairing=pair(path, sets[1], by="none"))


def test_statistics_pair_with_no_images(look, sets, tmp_path):
    path = tmp_path / "real.npz"
    look(["fid"], save_statistics=path)
    with pytest.raises(InputError, match="which pair with no images"):
        pair(path, sets[1])
    with pytest.raises(InputError, match="lsd: these want real images"):
        look(["fid", "lsd"], pairing=pair(path, sets[1], by="none"))
    with pytest.raises(InputError, match="can stand for REAL alone"):
        pair(sets[0], path, by="none")


def test_statistics_that_cannot_be_made_end_a_run_before_any_image_is_read(look, sets, tmp_path):
    path = tmp_path / "real.npz"
    look(["fid"], save_statistics=path)
    again = tmp_path / "again.npz"
    with pytest.raises(InputError, match="there are no real images, but their statistics already"):
        look(["fid"], pairing=pair(path, sets[1], by="none"), save_statistics=again)
    with pytest.raises(InputError, match="made by fid, which is not among the metrics"):
        look(["kid"], save_statistics=again)
    absent = Sources(skip_missing=True)
    with pytest.raises(InputError, match="made by fid, which is not among the metrics"):
        look(["fid", "lsd"], save_statistics=again, sources=absent)
    for name in ("again.png", "-"):
        with pytest.raises(InputError, match=r"the name of a file of statistics ends in \.npz"):
            look(["fid"], save_statistics=tmp_path / name)


def test_too_few_images_are_told_before_any_is_read(look, sets, tmp_path, monkeypatch):
    monkeypatch.setattr("ffltool.measure.read", None)
    for metric, limit, side in (("fid", 1, 0), ("kid", 1, 0), ("is", 9, 1)):
        with pytest.raises(InputError) as caught:
            look([metric], pairing=pair(*sets, by="none", limit=limit))
        least = 10 if metric == "is" else 2
        assert str(caught.value) == f"{metric} needs at least {least} images, and of {sets[side]} there are {limit}"


def test_the_command_saves_statistics_and_takes_them(sets, means, run, tmp_path):
    path, own = tmp_path / "real.npz", ["--layer", "64", "--weights", f"inception={means.path}", "--device", "cpu"]
    status, out, err = run("metrics", *sets, "-m", "fid", *own, "--save-stats", path)
    assert (status, err) == (0, "")
    status, again, err = run("metrics", path, sets[1], "-m", "fid", *own)
    assert (status, err) == (0, "")
    assert again.splitlines()[0] == f"12 real and 12 fake images, 12x16: {path} and {sets[1]}"
    assert again.splitlines()[1:] == out.splitlines()[1:]
    report = json.loads(run("metrics", path, sets[1], "-m", "fid", *own, "--json", "-")[1])
    assert (
        report["real"]["digest"]
        == json.loads(run("metrics", *sets, "-m", "fid", *own, "--json", "-")[1])["real"]["digest"]
    )
    assert run("metrics", *sets, "-m", "fid", *own, "--save-stats", path)[0] == 0, "over an earlier one"
    np.savez(path, ffltool=np.array(feature_cache.SCHEMA))
    assert run("metrics", *sets, "-m", "fid", *own, "--save-stats", path)[0] == 2, "not over another archive"
    same = tmp_path / "same.npz"
    assert run("metrics", *sets, "-m", "fid", *own, "--save-stats", same, "--json", same)[0] == 2
    assert not same.exists()
