"""Files that are broken or disappear, and sets of which nothing is left."""

import pytest

from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.evaluate import evaluate_pairs
from ffltool.pairing import pair
from tests.evaluate.common import ALL


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


def test_of_two_broken_images_read_at_once_the_real_one_is_named(folders):
    inputs = folders(["a.png"])
    for folder in inputs:
        (folder / "a.png").write_bytes(b"")
    with pytest.raises(BrokenImageError, match=r"real/a\.png is empty"):
        evaluate_pairs(pair(*inputs), ["lfd"], workers=2)


def test_a_file_that_disappears_during_the_run_is_named(folders):
    real, fake = folders([f"{i}.png" for i in range(12)])
    pairing = pair(real, fake)
    (real / "7.png").unlink()
    with pytest.raises(InputError, match=r"real/7\.png does not exist"):
        evaluate_pairs(pairing, ["lfd"])


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
