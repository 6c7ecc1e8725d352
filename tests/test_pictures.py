"""Image files into tensors, and tensors into folders of images."""

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import pictures
from ffltool.errors import InputError

pytestmark = pytest.mark.usefixtures("one_thread")


def test_an_image_keeps_its_size_unless_told(tmp_path, save):
    path = save(tmp_path / "x.png", size=(300, 20), mode="RGBA")
    image, warnings = pictures.load(path, size=None)
    assert (image.shape, image.dtype) == ((3, 300, 20), torch.float32)
    assert warnings == ["the alpha channel of 1 image was dropped"]
    assert pictures.load(path, size=30)[0].shape == (3, 30, 2)


def test_images_are_written_under_their_names_into_a_new_folder_cut_to_what_8_bits_hold(tmp_path, rng):
    images = {"a": rng.random((3, 8, 9)), "b": 2 * rng.random((1, 5, 1)) - 0.5}
    pictures.write_images(tmp_path / "new", {name: torch.as_tensor(image) for name, image in images.items()})
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.png", "b.png"]
    for name, image in images.items():
        levels = np.moveaxis(np.rint(255 * image.clip(0, 1)), 0, -1)
        with Image.open(tmp_path / "new" / f"{name}.png") as written:
            np.testing.assert_array_equal(np.asarray(written).reshape(levels.shape), levels)
    pictures.check(tmp_path / "new", ["a.png", "b.png"], force=False)


def test_a_folder_that_cannot_be_filled_is_taken_away_again(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        pictures.write_images(tmp_path / "new", {"a": torch.zeros(1, 8, 9), "no/b": torch.zeros(1, 8, 9)})
    assert list(tmp_path.iterdir()) == []
