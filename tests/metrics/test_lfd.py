import json
import math

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.metrics.lfd import lfd, lfd_from_mse, psnr_from_lfd
from ffltool.metrics.mse import mse
from ffltool.metrics.psnr import psnr_from_mse


def slow_lfd(real, fake):
    """Eq. 11 by its definition: the unnormalised DFT of each channel in float64, on the 0..255 scale."""
    distance = np.fft.fft2(np.asarray(real, dtype=np.float64)) - np.fft.fft2(np.asarray(fake, dtype=np.float64))
    return np.log(np.mean(distance.real**2 + distance.imag**2) + 1)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 12), (67, 101)])
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_the_slow_definition(rng, size, channels):
    real, fake = rng.integers(0, 256, (2, 4, channels, *size)).astype(np.float64)
    expected = [slow_lfd(*images) for images in zip(real, fake, strict=True)]
    np.testing.assert_allclose(lfd(torch.tensor(real), torch.tensor(fake)), expected, rtol=1e-12)


@pytest.mark.parametrize("size", [(8, 8), (7, 12)])
def test_equals_log_of_mse_by_parseval(size):
    real, fake = 255 * torch.rand(2, 4, 3, *size, dtype=torch.float64)
    expected = torch.log(size[0] * size[1] * mse(real, fake) + 1)
    torch.testing.assert_close(lfd(real, fake), expected, rtol=1e-12, atol=0)


def test_one_level_in_one_pixel_is_ln_2_for_every_size():
    for height, width in [(1, 1), (5, 9), (64, 64)]:
        assert lfd_from_mse(1 / (height * width), height=height, width=width) == pytest.approx(math.log(2), rel=1e-15)


def test_is_zero_for_equal_images():
    image = torch.rand(2, 3, 4, 4)
    assert lfd(image, image).tolist() == [0.0, 0.0]
    assert lfd_from_mse(0.0, height=4, width=4) == 0.0


@pytest.mark.parametrize("shape", [(), (8,), (8, 8)])
def test_what_is_no_batch_of_images_is_an_error(shape):
    with pytest.raises(ShapeError):
        lfd(torch.zeros(shape), torch.zeros(shape))


def test_tiny_errors_keep_their_digits():
    assert lfd_from_mse(1e-20, height=1, width=1) == 1e-20


def test_does_not_change_with_the_scale():
    real, fake = torch.rand(2, 3, 3, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(lfd(real, fake, peak=1.0), lfd(255 * real, 255 * fake))


def test_from_64_to_256_pixels_a_side_adds_ln_16():
    small, large = (lfd_from_mse(100.0, height=side, width=side) for side in (64, 256))
    # the + 1 in the logarithm is 1 / (64 * 64 * 100) of the smaller sum
    assert large - small == pytest.approx(math.log(16), abs=2.5e-6)


def test_the_psnr_it_corresponds_to_is_the_psnr():
    for error in (1e-3, 1.0, 5000.0):
        value = lfd_from_mse(error, height=67, width=101)
        assert psnr_from_lfd(value, height=67, width=101) == pytest.approx(psnr_from_mse(error), rel=1e-10)
    assert psnr_from_lfd(0.0, height=8, width=8) == math.inf


def test_published_rows_satisfy_the_identity(shared):
    rows = json.loads((shared / "reference" / "published_anchors.json").read_text())
    rows = rows["paper_rows_psnr_lfd"]["rows_size_psnr_lfd"]
    assert len(rows) == 23
    off = []
    for side, psnr, published in rows:
        value = lfd_from_mse(255**2 / 10 ** (psnr / 10), height=side, width=side)
        # three printed decimals of each: half a unit of LFD, and half a unit of PSNR times ln(10)/10
        if abs(value - published) > 0.0005 + 0.0005 * math.log(10) / 10 + 1e-9:
            off.append([side, psnr, published])
    # Table 7, SpReg: off by 0.005, the one exception
    assert off == [[64, 19.974, 14.796]]


def test_equals_the_authors_code_on_the_reference_pairs(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())
    for row in (*golden["pairs"].values(), *golden["extra"].values()):
        height, width = row["size_hw"]
        value = lfd_from_mse(row["official_mse"], height=height, width=width)
        assert value == pytest.approx(row["official_lfd"], rel=1e-12)
