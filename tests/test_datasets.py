import errno
import os

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import datasets
from ffltool.datasets import Batches, load, seed_of, to_unit
from ffltool.errors import BrokenImageError, InputError, NothingComparedError
from ffltool.images import read
from ffltool.loading import Loading
from ffltool.run_folder import RunFolder

CPU = torch.device("cpu")


def numbered(count, size=2):
    """Return images each of which has its number for a level."""
    return torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, size, size).clone()


def levels(batch):
    return [round(127.5 * (value + 1)) for value in batch[:, 0, 0, 0].tolist()]


def test_the_shorter_side_is_resized_and_the_centre_cut_out(tmp_path, save):
    save(tmp_path / "wide.png", size=(24, 50))
    (image,) = load(tmp_path, size=12).pixels
    whole = read(tmp_path / "wide.png").resize(12, 25)
    assert torch.equal(image, torch.from_numpy(whole.crop(0, 6, 12, 12).planes()))


def test_images_of_the_size_keep_their_pixels_and_grey_ones_get_three_channels(tmp_path, save, rng):
    pixels = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    save(tmp_path / "grey.png", pixels=pixels, mode="L")
    (image,) = load(tmp_path, size=16).pixels
    assert all(torch.equal(plane, torch.from_numpy(pixels)) for plane in image)


def test_pixels_of_16_bits_are_rounded_to_8(tmp_path):
    Image.fromarray(np.array([[0, 257], [64 * 257 + 128, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert load(tmp_path, size=2).pixels[0, 0].tolist() == [[0, 1], [64, 255]]


def test_names_are_relative_to_the_folder_and_without_suffix(tmp_path, save):
    for name in ("b.png", "a/c.jpg", "a/d.png"):
        save(tmp_path / name, size=(8, 8))
    assert load(tmp_path, size=8).names == ("a/c", "a/d", "b")


def test_names_that_differ_in_their_suffix_alone_keep_it(tmp_path, save):
    for name in ("a.png", "a.bmp", "b.png"):
        save(tmp_path / name, size=(8, 8))
    assert load(tmp_path, size=8).names == ("a.bmp", "a.png", "b.png")


def test_too_few_images_for_one_to_be_tested_with_are_an_error(tmp_path, save):
    for number in range(4):
        save(tmp_path / f"{number}.png", size=(8, 8))
    with pytest.raises(InputError, match="holds 4 images; 5 are wanted, one to be tested with"):
        load(tmp_path, size=8).held_out(5)
    assert [len(part) for part in load(tmp_path, size=8).held_out(4)] == [3, 1]


def test_an_image_smaller_than_the_size_is_an_error_that_names_it(tmp_path, save):
    save(tmp_path / "small.png", size=(40, 31))
    with pytest.raises(InputError, match=r"small\.png is 40x31, smaller than --size 32"):
        load(tmp_path, size=32)


def test_a_broken_image_is_an_error_or_left_out(tmp_path, save):
    save(tmp_path / "a.png", size=(8, 8))
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(BrokenImageError, match=r"b\.png"):
        load(tmp_path, size=8)
    loaded = load(tmp_path, size=8, loading=Loading(skip_broken=True))
    assert (len(loaded), len(loaded.pixels), loaded.names) == (1, 1, ("a",))
    assert loaded.warnings == (f"{tmp_path}: 1 broken image was left out: b.png",)
    (tmp_path / "a.png").unlink()
    with pytest.raises(NothingComparedError, match="every image is broken"):
        load(tmp_path, size=8, loading=Loading(skip_broken=True))


def test_a_dropped_alpha_channel_is_said(tmp_path, save):
    save(tmp_path / "a.png", size=(8, 8), mode="RGBA")
    assert load(tmp_path, size=8).warnings == (f"{tmp_path}: the alpha channel of 1 image was dropped",)


def test_images_beyond_the_memory_lie_in_a_file_that_no_folder_shows(tmp_path, save, monkeypatch):
    for name in "abcde":
        save(tmp_path / "images" / f"{name}.png", size=(8, 8))
    expected = load(tmp_path / "images", size=8).pixels
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    monkeypatch.setattr(datasets, "_SHARE", 0)
    found = load(tmp_path / "images", size=8).pixels
    assert torch.equal(found, expected)
    assert not list((tmp_path / "scratch").iterdir())


def test_a_disk_without_room_for_them_is_an_error(tmp_path, save, monkeypatch):
    save(tmp_path / "a.png", size=(8, 8))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(datasets, "_SHARE", 0)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"no room for .* of pixels: No space left on device"):
        load(tmp_path, size=8)


def test_every_level_survives_the_way_to_unit_and_into_a_file(tmp_path):
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    unit = to_unit(pixels)
    assert (unit.min(), unit.max(), unit.dtype) == (-1, 1, torch.float32)
    RunFolder(tmp_path).write_generated([unit])
    assert torch.equal(torch.tensor(read(tmp_path / "generated" / "000001.png").planes()), pixels[0])


def test_an_epoch_shows_every_image_once_but_for_what_makes_no_batch():
    batches = Batches(numbered(11), 3, seed=1, device=CPU)
    seen = [levels(batches.batch(step)) for step in range(1, 4)]
    assert (batches.of_epoch, [len(each) for each in seen]) == (3, [3, 3, 3])
    assert len({level for each in seen for level in each}) == 9
    assert [batches.epoch_of(step) for step in range(1, 8)] == [1, 1, 1, 2, 2, 2, 3]


def test_the_batch_of_a_step_depends_on_seed_and_step_alone():
    one, other = (Batches(numbered(50), 10, seed=seed, device=CPU) for seed in (1, 2))
    forwards = [levels(one.batch(step)) for step in range(1, 11)]
    again = Batches(numbered(50), 10, seed=1, device=CPU)
    assert [levels(again.batch(step)) for step in range(10, 0, -1)] == forwards[::-1]
    assert [levels(other.batch(step)) for step in range(1, 11)] != forwards
    assert forwards[:5] != forwards[5:], "epochs have orders of their own"


def test_processes_share_a_batch(monkeypatch):
    whole = levels(Batches(numbered(20), 6, seed=1, device=CPU).batch(2))
    shares = []
    for rank in range(2):
        monkeypatch.setattr(datasets.ranks, "share", lambda items, rank=rank: items[rank::2])
        shares.append(levels(Batches(numbered(20), 6, seed=1, device=CPU).batch(2)))
    assert [len(share) for share in shares] == [3, 3]
    assert sorted(shares[0] + shares[1]) == sorted(whole)


def test_what_is_held_out_is_every_so_manyth_and_nothing_is_lost(tmp_path, save):
    for number in range(11):
        save(tmp_path / f"{number}.png", size=(8, 8))
    images = load(tmp_path, size=8)
    kept, tested = images.held_out(5)
    assert tested.names == ("4", "9")
    assert sorted([*kept.names, *tested.names]) == sorted(images.names)
    assert torch.equal(tested.pixels, images.pixels[[4, 9]])
    assert len({images.digest, kept.digest, tested.digest}) == 3


def test_what_is_held_out_of_images_beyond_the_memory_takes_none_either(tmp_path, save, monkeypatch):
    for number in range(10):
        save(tmp_path / f"{number}.png", size=(8, 8))
    monkeypatch.setattr(datasets, "_SHARE", 0)
    images = load(tmp_path, size=8)
    rooms = []
    monkeypatch.setattr(os, "posix_fallocate", lambda file, start, length: rooms.append(length))
    monkeypatch.setattr(np, "memmap", lambda file, dtype, mode, shape: np.zeros(shape, dtype))
    kept, tested = images.held_out(5)
    assert rooms == [each.pixels.numel() for each in (kept, tested)] == [8 * 192, 2 * 192]
    assert torch.equal(tested.pixels, images.pixels[[4, 9]])


def test_seeds_of_different_things_differ_and_fit_into_a_generator():
    seeds = [seed_of(seed, "noise", step) for seed in range(3) for step in range(100)]
    assert len(set(seeds)) == 300
    assert all(0 <= seed < 2**63 for seed in seeds)
