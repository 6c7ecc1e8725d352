from pathlib import Path

import pytest

from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.sources import Selection, Source, common_size


@pytest.fixture
def two(folders):
    return folders([f"{number}.png" for number in range(1, 11)])


def names(source):
    return [path.name for path in source.files]


def test_each_input_is_a_set_under_its_name(two, save, tmp_path):
    single = save(tmp_path / "one.png")
    real, fake, one = Selection().sets([*two, single])[0]
    assert [real.label, fake.label, one.label] == ["real", "fake", "one.png"]
    assert names(real) == [f"{number}.png" for number in range(1, 11)]
    assert one.files == (single,)


def test_inputs_of_one_name_are_told_apart_by_their_paths(two, tmp_path):
    inputs = [tmp_path / "real", tmp_path / "fake" / ".." / "real"]
    assert [source.label for source in Selection().sets(inputs)[0]] == [str(path) for path in inputs]


def test_a_link_that_leads_to_itself_is_an_error(tmp_path):
    link = tmp_path / "link.png"
    link.symlink_to(link)
    with pytest.raises(InputError, match=r"link\.png"):
        Selection().sets([link])


def test_limit_takes_the_first_and_a_seed_draws(two):
    assert names(Selection(limit=3).sets(two)[0][0]) == ["1.png", "2.png", "3.png"]
    drawn = [names(Selection(limit=3, seed=seed).sets(two)[0][0]) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(len(set(each)) == 3 for each in drawn)
    assert drawn[0] == sorted(drawn[0], key=lambda name: int(name[:-4]))


def test_more_than_there_are_is_all(two):
    assert len(Selection(limit=99, seed=0).sets(two)[0][0].files) == 10


def test_pairs_are_single_images_real_and_fake_in_turn(two):
    sets = Selection(layout="pairs").sets(two)[0]
    assert [source.label for source in sets] == ["real", "fake"] * 4
    assert [names(source) for source in sets[:4]] == [["1.png"], ["1.png"], ["2.png"], ["2.png"]]
    assert len(Selection(layout="pairs", limit=6).sets(two)[0]) == 12


def test_two_images_are_a_pair(save, tmp_path):
    images = [save(tmp_path / name) for name in ("a.png", "b.png")]
    assert [source.files for source in Selection(layout="pairs").sets(images)[0]] == [(path,) for path in images]


@pytest.mark.parametrize("count", [1, 3])
def test_pairs_of_other_than_two_inputs_are_an_error(two, count):
    with pytest.raises(InputError, match=f"pairs are of two inputs, REAL and FAKE, not of {count}"):
        Selection(layout="pairs").sets([two[0]] * count)


def test_folders_without_a_pair_are_an_error(folders):
    with pytest.raises(NothingComparedError, match="have no pair"):
        Selection(layout="pairs").sets(folders(["a.png"], ["b.png"]))


def test_batches_are_the_first_four_of_each_set_the_last_one_short(two):
    sets = Selection(layout="batch", batch_size=4).sets(two)[0]
    labels = ["images 1-4", "images 5-8", "images 9-10"]
    assert [(source.given, source.label) for source in sets] == [(n, x) for n in ("real", "fake") for x in labels]
    assert len(Selection(layout="batch", batch_size=1).sets(two)[0]) == 8


def test_no_input_is_an_error():
    with pytest.raises(InputError, match=r"INPUT is missing: give images or folders of images$"):
        Selection().sets([])


@pytest.mark.parametrize("workers", [1, 2])
def test_the_common_size_is_the_smallest_height_and_width(save, tmp_path, workers):
    sizes = [(12, 16), (9, 40), (30, 8), (12, 16), (20, 20)]
    files = tuple(save(tmp_path / f"{number}.png", size=size) for number, size in enumerate(sizes))
    size, warnings = common_size([Source("a", files, "a")], workers=workers)
    assert size == (9, 8)
    assert warnings == ["the images have 4 sizes; each was cut about its centre to 9x8 (2.png is among the smallest)"]
    assert common_size([Source("a", files[:1], "a"), Source("b", files[3:4], "b")]) == ((12, 16), [])


def test_the_size_is_that_of_the_image_as_it_is_turned(save, tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", size=(8, 24), exif=exif)
    assert common_size([Source("a", (path,), "a")])[0] == (24, 8)


def test_a_broken_image_is_an_error_or_left_out(save, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    sets = [Source("a", (broken, save(tmp_path / "a.png", size=(5, 6))), "a")]
    with pytest.raises(BrokenImageError, match=r"broken\.png"):
        common_size(sets)
    assert common_size(sets, skip_broken=True)[0] == (5, 6)
    with pytest.raises(NothingComparedError):
        common_size([Source("a", (Path(broken),), "a")], skip_broken=True)
