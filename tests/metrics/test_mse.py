import json

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.errors import ShapeError
from ffltool.metrics.mse import mse, mse_of_images


def test_value_known_by_hand():
    real = torch.zeros(2, 1, 2, 2)
    fake = real.clone()
    fake[1, 0, 0, 0] = 4.0
    assert mse(real, fake).tolist() == [0.0, 4.0]


def test_equals_the_definition_in_numpy(rng):
    real, fake = rng.random((2, 3, 2, 5, 4))
    expected = ((real - fake) ** 2).mean((1, 2, 3))
    assert mse(torch.from_numpy(real), torch.from_numpy(fake)).numpy() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("shape", [(1, 1), (7, 12), (5, 3, 3)])
def test_of_8_bit_images_equals_the_exact_mean_of_integer_squares(rng, shape):
    real, fake = rng.integers(0, 256, (2, *shape), dtype=np.uint8)
    expected = ((real.astype(int) - fake) ** 2).sum() / real.size
    assert mse_of_images(Image.fromarray(real), Image.fromarray(fake)) == expected


def test_largest_possible_8_bit_error_is_exact():
    black, white = Image.new("RGB", (300, 200), "black"), Image.new("RGB", (300, 200), "white")
    assert mse_of_images(black, white) == 255**2


def test_of_16_bit_images_is_on_the_scale_of_8_bit_ones(rng):
    real, fake = rng.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    deep = [image.astype(np.uint16) * np.uint16(257) for image in (real, fake)]
    assert mse_of_images(*deep) == pytest.approx(mse_of_images(*map(Image.fromarray, (real, fake))), rel=1e-15)


def test_of_images_of_fractions_of_levels_equals_that_of_whole_ones(rng):
    real, fake = rng.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    expected = mse_of_images(*map(Image.fromarray, (real, fake)))
    assert mse_of_images(real.astype(float), fake.astype(float)) == pytest.approx(expected, rel=1e-15)


def test_largest_possible_16_bit_error_does_not_overflow():
    black, white = np.zeros((400, 300, 3), np.uint16), np.full((400, 300, 3), 65535, np.uint16)
    assert mse_of_images(black, white) == 255**2


def test_integers_do_not_wrap_around():
    real, fake = torch.tensor([[[[0]]]], dtype=torch.uint8), torch.tensor([[[[255]]]], dtype=torch.uint8)
    assert mse(real, fake).tolist() == [255.0**2]
    assert mse(real, fake).dtype == torch.float64


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_keeps_the_floating_type(dtype):
    assert mse(torch.rand(1, 3, 4, 4, dtype=dtype), torch.rand(1, 3, 4, 4, dtype=dtype)).dtype == dtype


def test_shapes_that_differ_or_are_not_batches_are_an_error():
    with pytest.raises(ShapeError, match=r"real \(1, 3, 4, 4\) and fake \(1, 3, 4, 5\)"):
        mse(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 5))
    with pytest.raises(ShapeError):
        mse(torch.rand(3, 4, 4), torch.rand(3, 4, 4))


def test_equals_the_authors_code_on_the_reference_pairs(shared):
    from ffltool.images import Reading, read_pair

    golden = json.loads((shared / "reference" / "pairs.json").read_text())["pairs"]
    inputs = shared / "reference" / "inputs"
    for name, row in golden.items():
        real, fake = read_pair(inputs / "real" / name, inputs / "fake" / name, Reading())
        assert mse_of_images(real.pixels, fake.pixels) == pytest.approx(row["official_mse"], rel=1e-9), name
