"""Pictures as tensors, and shrunk."""

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.images import Picture, read


class TestTensor:
    @pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
    def test_of_8_bits_is_levels_over_255(self, tmp_path, save, mode, channels):
        path = save(tmp_path / "x.png", size=(7, 5), mode=mode)
        tensor = read(path).tensor()
        assert (tensor.shape, tensor.dtype) == ((channels, 7, 5), torch.float32)
        with Image.open(path) as image:
            expected = torch.as_tensor(np.asarray(image).reshape(7, 5, channels) / 255).movedim(-1, 0)
        assert torch.equal(tensor, expected.float())

    @pytest.mark.parametrize("channels", [1, 3])
    def test_of_16_bits_is_levels_over_65535(self, rng, channels):
        levels = rng.integers(0, 65536, (7, 5, channels), dtype=np.uint16)
        tensor = Picture(levels).tensor()
        assert (tensor.shape, tensor.dtype) == ((channels, 7, 5), torch.float32)
        np.testing.assert_allclose(tensor.numpy(), np.moveaxis(levels, -1, 0) / 65535, rtol=1e-6, atol=0)

    @pytest.mark.parametrize(
        "pixels",
        [Image.new("L", (3, 2)), Image.new("RGB", (3, 2)), np.zeros((2, 3, 1), np.uint16)],
        ids=["grey", "colour", "16 bits"],
    )
    def test_spans_0_to_1_and_can_be_written_to(self, pixels):
        black = Picture(pixels).tensor()
        assert (black == 0).all()
        black += 1
        white = Picture(np.full((2, 3, 1), 65535, np.uint16)).tensor()
        assert (white == 1).all()
        assert (Picture(Image.new("RGB", (3, 2), (255,) * 3)).tensor() == 1).all()


class TestShrink:
    @pytest.mark.parametrize(
        ("size", "longest", "expected"),
        [
            ((40, 60), 30, (20, 30)),
            ((60, 40), 30, (30, 20)),
            ((50, 50), 8, (8, 8)),
            ((41, 60), 30, (20, 30)),  # 20.5, rounded to even
            ((1, 100), 8, (1, 8)),  # no side is lost
        ],
    )
    @pytest.mark.parametrize("deep", [False, True])
    def test_brings_the_longest_side_down(self, rng, size, longest, expected, deep):
        levels = rng.integers(100, 156, (*size, 3), dtype=np.uint8)  # so that nothing has to be clipped
        picture = Picture(levels.astype(np.uint16) * 257 if deep else Image.fromarray(levels), True, 7)
        small = picture.shrink(longest)
        assert (small.size, small.is_8_bit) == (expected, not deep)
        assert (small.alpha_dropped, small.file_bytes) == (True, 7)
        lanczos = Image.fromarray(levels).resize(expected[::-1], Image.Resampling.LANCZOS)
        # Pillow rounds 8-bit pixels after each of two passes
        np.testing.assert_allclose(small.planes(), np.moveaxis(np.asarray(lanczos), -1, 0), atol=1.01 if deep else 0)

    @pytest.mark.parametrize("longest", [16, 17, 1000])
    def test_does_not_enlarge(self, longest):
        picture = Picture(Image.new("RGB", (16, 12)))
        assert picture.shrink(longest) is picture

    def test_keeps_16_bits(self):
        ramp = np.linspace(20_000, 20_100, 64).astype(np.uint16)
        small = Picture(np.broadcast_to(ramp[:, None], (64, 64, 1))).shrink(16)
        assert small.pixels.dtype == np.uint16
        assert len(np.unique(small.pixels)) == 16, "8 bits would know one level of these"
