"""``ffltool reconstruct --swap`` as a user types it."""

import numpy as np
import pytest

from tests.cli.common import error_of, pixels_of
from tests.cli.reconstruct.common import contents, lanczos, names

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def swap(tmp_path, save, image, folder, run):
    usual = save(tmp_path / "other.png", size=(12, 16))

    def swap(*options, other=usual):
        return run("reconstruct", image, "-o", folder, "--swap", other, "--size", 16, *options)

    return swap


SWAPPED = {"original", "other", "phase-only", "amplitude-only", "amplitude-of-other", "phase-of-other", "figure"}


def test_swap_writes_its_files_and_a_figure(swap, tmp_path, image, folder):
    status, out, err = swap()
    assert (status, err) == (0, "")
    assert names(folder) == {f"{name}.png" for name in SWAPPED}
    assert out.startswith("wrote original.png, other.png, ")
    assert out.endswith(f" to {folder}\n")
    original, other = pixels_of(folder / "original.png"), pixels_of(folder / "other.png")
    np.testing.assert_array_equal(original, lanczos(image, (12, 16)))
    np.testing.assert_array_equal(other, pixels_of(tmp_path / "other.png"))

    spectra = [np.fft.fft2(pixels.astype(float), axes=(0, 1)) for pixels in (original, other)]
    mixed = np.fft.ifft2(np.abs(spectra[1]) * np.exp(1j * np.angle(spectra[0])), axes=(0, 1)).real
    found = pixels_of(folder / "amplitude-of-other.png").astype(float)
    assert np.abs(found - mixed.clip(0, 255)).max() < 0.51, "rounding to a level and no more"
    assert min(pixels_of(folder / "figure.png").shape[:2]) > 300


def test_swap_twice_gives_the_same_files(swap, folder):
    swap()
    before = contents(folder)
    assert swap()[0] == 0
    assert contents(folder) == before


def test_swapping_images_of_two_sizes_is_an_error_that_names_both(swap, tmp_path, image, folder, save):
    other = save(tmp_path / "square.png", size=(20, 20))
    line = error_of(swap(other=other))
    expected = f"{image} is 12x16 but {other} is 16x16 (height x width, after --size); one size is wanted"
    assert line == f"ffltool: {expected}\n"
    assert not folder.exists()


def test_swapping_with_a_missing_image_is_one_line(swap, tmp_path, folder):
    assert f"{tmp_path / 'no.png'} does not exist" in error_of(swap(other=tmp_path / "no.png"))
    assert not folder.exists()


def test_swap_protects_somebody_elses_files_too(swap, folder):
    folder.mkdir()
    (folder / "phase-only.png").write_text("mine")
    assert "phase-only.png exists and is no earlier output" in error_of(swap())
    assert names(folder) == {"phase-only.png"}
    assert swap("--force")[0] == 0


@pytest.mark.parametrize("option", [["--steps", 300], ["--objective", "ffl"], ["--animate"], ["--init", "grey"]])
def test_what_swapping_does_not_heed_is_an_error(tmp_path, image, run, option):
    line = error_of(run("reconstruct", image, "--swap", image, "-o", tmp_path / "new", *option))
    assert f"{option[0]} does not go with --swap" in line
    assert not (tmp_path / "new").exists()
