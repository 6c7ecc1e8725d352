"""Each image is read once, some at the same time, and its header is not believed blindly."""

import threading

import pytest
import torch
from PIL import Image

from ffltool import images, measure
from ffltool.errors import InputError
from ffltool.evaluate import evaluate_pairs
from ffltool.pairing import pair
from tests.evaluate.common import ALL, SETS


@pytest.mark.parametrize("workers", [1, 3])
def test_every_image_is_decoded_once(folders, decoded, workers):
    real, fake = folders([f"{i}.png" for i in range(9)])
    evaluate_pairs(pair(real, fake), [*SETS, *ALL], bands=4, error_map=True, workers=workers)
    assert sorted(decoded) == sorted([*real.iterdir(), *fake.iterdir()])


def test_threads_of_torch_are_as_many_as_before(folders):
    before = torch.get_num_threads()
    evaluate_pairs(pair(*folders()), ["lsd"])
    assert torch.get_num_threads() == before


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
