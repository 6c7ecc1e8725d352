import re

import pytest

from ffltool.errors import InputError
from ffltool.pairing import find, pair


def names(pairing):
    return [(pair.real, pair.fake) for pair in pairing.pairs]


def test_finds_recursively_in_natural_order_with_suffixes_in_any_case(tmp_path, save):
    for name in ("10.png", "2.PNG", "1.jpg", "sub/3.JPeG", "sub/deep/x.TIFF"):
        save(tmp_path / name, format="PNG")
    (tmp_path / "notes.txt").write_text("no image")
    assert find(tmp_path) == ["1.jpg", "2.PNG", "10.png", "sub/3.JPeG", "sub/deep/x.TIFF"]
    assert find(tmp_path, recursive=False) == ["1.jpg", "2.PNG", "10.png"]


def test_passes_over_hidden_files_and_folders(tmp_path, save):
    for name in ("a.png", "._a.png", ".thumbs/a.png"):
        save(tmp_path / name)
    assert find(tmp_path) == ["a.png"]


def test_follows_links_but_not_in_circles(tmp_path, save):
    save(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "circle").symlink_to(tmp_path / "set")
    assert find(tmp_path / "set") == ["linked/a.png"]


def test_a_link_to_a_sibling_is_followed_whatever_its_name(tmp_path, save):
    save(tmp_path / "b" / "0.png")
    for name in ("a", "z"):
        (tmp_path / name).symlink_to(tmp_path / "b")
    assert find(tmp_path) == ["a/0.png", "b/0.png", "z/0.png"]


def test_links_that_lead_to_each_other_come_to_an_end(tmp_path, save):
    for one, other in (("a", "b"), ("b", "a")):
        save(tmp_path / one / "0.png")
        (tmp_path / one / "over").symlink_to(tmp_path / other)
    assert find(tmp_path) == ["a/0.png", "a/over/0.png", "b/0.png", "b/over/0.png"]


def test_natural_order_is_by_folder_first(tmp_path, save):
    for name in ("a2/1.png", "a/0.png", "a10/0.png"):
        save(tmp_path / name)
    assert find(tmp_path) == ["a/0.png", "a2/1.png", "a10/0.png"]


def test_a_relative_folder_with_a_slash_gives_the_same_names(tmp_path, save, monkeypatch):
    save(tmp_path / "real" / "sub" / "a.png")
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    assert find(Path("real/")) == find(Path("./real")) == find(Path("real/../real")) == ["sub/a.png"]


def test_pairs_by_stem_across_suffixes_and_subfolders(folders):
    real, fake = folders(["1.png", "s/1.png", "10.png", "2.png"], ["s/1.jpg", "2.bmp", "1.webp", "10.png"])
    assert names(pair(real, fake)) == [
        ("1.png", "1.webp"),
        ("2.png", "2.bmp"),
        ("10.png", "10.png"),
        ("s/1.png", "s/1.jpg"),
    ]


def test_pairs_by_name_wants_the_same_suffix(folders):
    real, fake = folders(["a.png", "a.jpg"], ["a.jpg", "a.png"])
    assert names(pair(real, fake, by="name")) == [("a.jpg", "a.jpg"), ("a.png", "a.png")]
    with pytest.raises(InputError, match=re.escape("holds both a.jpg and a.png")):
        pair(real, fake)


def test_pairs_by_natural_order(folders):
    real, fake = folders(["x2.png", "x10.png"], ["10.png", "9.png"])
    assert names(pair(real, fake, by="order")) == [("x2.png", "9.png"), ("x10.png", "10.png")]


def test_left_over_files_of_both_sides_are_counted_and_the_first_three_named(folders):
    real, fake = folders([f"r{i}.png" for i in range(5)] + ["both.png"], ["both.png", "f1.png"])
    message = rf"5 of 6 images in {real} \(r0.png, r1.png, r2.png, …\) and 1 of 2 images in {fake} \(f1.png\)"
    with pytest.raises(InputError, match=message + " have no partner; --allow-unpaired compares the 1 that match"):
        pair(real, fake)


def test_left_over_files_can_be_left_out_and_are_told(folders):
    real, fake = folders(["a.png", "b.png"], ["b.png"])
    pairing = pair(real, fake, allow_unpaired=True)
    assert names(pairing) == [("b.png", "b.png")]
    assert pairing.warnings == (
        f"1 of 2 images in {real} (a.png) and 0 of 1 images in {fake} have no partner and were left out",
    )


def test_order_counts_what_is_left_over(folders):
    real, fake = folders(["a.png", "b.png", "c.png"], ["x.png"])
    with pytest.raises(InputError, match=r"2 of 3 images .* \(b.png, c.png\) and 0 of 1 images"):
        pair(real, fake, by="order")


def test_no_match_at_all_points_to_the_option(folders):
    real, fake = folders(["a.png"], ["x.png"])
    with pytest.raises(InputError, match="see --pair"):
        pair(real, fake)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_a_number_of_pairs(folders, limit):
    with pytest.raises(InputError, match=f"limit must be 1 or more, but is {limit}"):
        pair(*folders(["a.png", "b.png"]), limit=limit)


def test_limit_takes_the_first_pairs(folders):
    real, fake = folders([f"{i}.png" for i in range(12)])
    assert [one for one, _ in names(pair(real, fake, limit=3))] == ["0.png", "1.png", "2.png"]


def test_two_files_are_a_pair_whatever_their_names(tmp_path, save):
    pairing = pair(save(tmp_path / "x.png"), save(tmp_path / "y.jpg"))
    assert names(pairing) == [("x.png", "y.jpg")]


def test_a_side_by_side_folder_or_file_is_its_own_partner(tmp_path, save):
    file = save(tmp_path / "set" / "a.png")
    for given in (file, tmp_path / "set"):
        pairing = pair(given, side_by_side=True)
        assert [pairing.files(only) for only in pairing.pairs] == [(file, None)]


def test_files_are_found_from_their_names(tmp_path, folders):
    real, fake = folders(["s/a.png"], ["s/a.jpg"])
    for pairing in (pair(real, fake), pair(real / "s" / "a.png", fake / "s" / "a.jpg")):
        assert pairing.files(pairing.pairs[0]) == (real / "s" / "a.png", fake / "s" / "a.jpg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing", "real"), "missing does not exist"),
        (("real", "missing"), "missing does not exist"),
        (("real", None), "FAKE is missing"),
        (("real", "empty"), "empty holds no images"),
        (("real/a.png", "real"), "is a file and .* a folder"),
        (("real", "real/a.png"), "is a file and .* a folder"),
        (("real/a.png", "mistyped.png"), "mistyped.png does not exist"),
        (("mistyped.png", "real/a.png"), "mistyped.png does not exist"),
        (("real/a.png", "/dev/null"), "/dev/null is no file with an image in it"),
    ],
)
def test_what_cannot_be_paired_is_a_clear_error(tmp_path, folders, arguments, message):
    folders(["a.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        pair(*(name and tmp_path / name for name in arguments))


def test_an_unknown_way_of_pairing_lists_the_known_ones(tmp_path):
    with pytest.raises(InputError, match="known are stem, name, order, none"):
        pair(tmp_path, tmp_path, by="guess")


def test_two_folders_of_side_by_side_images_are_an_error(tmp_path):
    with pytest.raises(InputError, match="two were given"):
        pair(tmp_path, tmp_path, side_by_side=True)


def test_sets_are_not_paired(folders):
    real, fake = folders(["1.png", "10.png", "2.png"], ["2.png", "x.png"])
    sets = pair(real, fake, by="none")
    assert not sets.paired
    assert [sets.names(each) for each in sets.pairs] == [
        *((name, None) for name in ("1.png", "2.png", "10.png")),
        *((None, name) for name in ("2.png", "x.png")),
    ]
    assert [sets.files(each) for each in sets.pairs][2:4] == [(real / "10.png", None), (None, fake / "2.png")]
    assert [sets.names(each) for each in pair(real, fake, by="none", limit=1).pairs] == [
        ("1.png", None),
        (None, "2.png"),
    ]


def test_an_image_is_a_set_of_one(folders):
    real, fake = folders(["1.png", "2.png"])
    sets = pair(real, fake / "2.png", by="none")
    assert [sets.files(each) for each in sets.pairs] == [
        (real / "1.png", None),
        (real / "2.png", None),
        (None, fake / "2.png"),
    ]


def test_side_by_side_images_stay_pairs(tmp_path, save):
    save(tmp_path / "a.png", size=(4, 8))
    pairing = pair(tmp_path, side_by_side=True, by="none")
    assert pairing.paired
    assert [pairing.names(each) for each in pairing.pairs] == [("a.png", "a.png")]
