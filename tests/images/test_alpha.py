"""Alpha channels: dropped, composited, refused."""

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from ffltool.errors import InputError
from ffltool.images import read
from tests.images.common import pixels


class TestAlpha:
    @pytest.fixture
    def path(self, tmp_path):
        rgba = np.full((3, 4, 4), (200, 100, 50, 128), np.uint8)
        Image.fromarray(rgba).save(tmp_path / "x.png")
        return tmp_path / "x.png"

    def test_is_dropped_and_told(self, path):
        picture = read(path)
        assert pixels(picture)[0, 0].tolist() == [200, 100, 50]
        assert picture.alpha_dropped

    @pytest.mark.parametrize(("ground", "level"), [("white", 255), ("black", 0)])
    def test_is_composited(self, path, ground, level):
        cover = 128 / 255
        expected = [round(colour * cover + level * (1 - cover)) for colour in (200, 100, 50)]
        picture = read(path, alpha=ground)
        np.testing.assert_allclose(pixels(picture)[0, 0], expected, atol=1)
        assert not picture.alpha_dropped

    def test_is_refused(self, path):
        with pytest.raises(InputError, match=r"x\.png has an alpha channel"):
            read(path, alpha="error")

    def test_of_palettes_and_grey_counts_too(self, tmp_path):
        Image.new("LA", (4, 4), (90, 10)).save(tmp_path / "la.png")
        Image.new("P", (4, 4)).save(tmp_path / "p.png", transparency=0)
        assert read(tmp_path / "la.png").alpha_dropped
        assert pixels(read(tmp_path / "la.png")).tolist() == [[90] * 4] * 4
        assert read(tmp_path / "p.png").alpha_dropped

    @pytest.mark.parametrize("mode", ["LA", "RGBA"])
    def test_of_tiff_may_be_in_the_colours_already(self, tmp_path, mode):
        if mode == "LA" and ("La", "La") not in TiffImagePlugin.OPEN_INFO.values():
            pytest.skip("this version of Pillow does not read it")
        Image.new(mode, (4, 4), (*[50] * (len(mode) - 1), 128)).save(tmp_path / "a.tif")
        content = (tmp_path / "a.tif").read_bytes()
        apart, inside = (b"\x52\x01\x03\x00\x01\x00\x00\x00" + bytes([kind, 0]) for kind in (2, 1))  # ExtraSamples
        assert content.count(apart) == 1
        (tmp_path / "a.tif").write_bytes(content.replace(apart, inside))
        picture = read(tmp_path / "a.tif")
        assert picture.alpha_dropped
        np.testing.assert_allclose(pixels(picture), 50 * 255 / 128, atol=1)
