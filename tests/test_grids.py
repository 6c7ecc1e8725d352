import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import grids
from ffltool.errors import InputError, NothingComparedError
from ffltool.excess import Excess
from ffltool.loading import Loading
from ffltool.peaks import find_peaks
from ffltool.sources import Selection, is_jpeg

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def noisy(rng, save):
    """Save images of grey noise with a grid of 8 pixels of some levels, and return their folder."""

    def noisy(folder, *, count=4, size=(64, 80), levels=0.0, suffix=".png", **settings):
        for number in range(count):
            pixels = 128 + 10 * rng.standard_normal(size)
            pixels[::8] += levels
            pixels[:, ::8] += levels
            save(folder / f"{number}{suffix}", pixels=np.rint(pixels).clip(0, 255).astype(np.uint8), **settings)
        return folder

    return noisy


def search(*inputs, reference=None, selection=None, loading=None, **seeking):
    return grids.search(
        inputs,
        selection or Selection(),
        grids.Seeking(**seeking),
        loading or Loading(workers=1),
        reference=reference,
    )


def kinds(finding):
    return {peak.kind for peak in finding.peaks if peak.lattice}


def test_each_input_is_a_set_of_its_own(tmp_path, noisy):
    clean, marred = noisy(tmp_path / "clean"), noisy(tmp_path / "marred", levels=20)
    found = search(clean, marred, marred / "0.png")
    assert [each.input for each in found.findings] == ["clean", "marred", "0.png"]
    assert [each.images for each in found.findings] == [4, 4, 1]
    assert [each.found for each in found.findings] == [False, True, True]
    assert found.found
    assert not search(clean).found
    assert grids.grid_of(found.findings[1].peaks) == 8


def test_peaks_are_those_of_the_evidence_of_the_files(tmp_path, noisy):
    folder = noisy(tmp_path / "marred", levels=20, mode="L")
    (finding,) = search(folder).findings
    pixels = np.stack([np.asarray(Image.open(folder / f"{number}.png")) for number in range(4)])
    sums = Excess(64, 80, images=4)
    sums.update(torch.as_tensor(pixels)[:, None])
    assert finding.peaks == find_peaks(sums.compute())
    assert finding.size == (64, 80)


def test_sizes_are_cut_to_what_all_have_in_common_in_steps_of_16(tmp_path, noisy):
    folder = noisy(tmp_path / "some", count=2, size=(75, 100))
    noisy(tmp_path / "some" / "more", count=1, size=(90, 70))
    found = search(folder)
    assert found.findings[0].size == (64, 64)
    assert found.warnings == ("some: images of several sizes were cut about their centres to 64x64",)
    assert search(folder / "more").warnings == ()
    assert search(folder / "more").findings[0].size == (80, 64)


def test_large_images_are_cut_to_1024_pixels(tmp_path, noisy):
    assert search(noisy(tmp_path / "one", count=1, size=(64, 1100))).findings[0].size == (64, 1024)


def test_a_reference_has_a_say_in_the_size_and_in_what_counts(tmp_path, noisy):
    fake, real = noisy(tmp_path / "fake", levels=20), noisy(tmp_path / "real", levels=20, size=(96, 96))
    found = search(fake, reference=real)
    assert (found.reference, found.found) == ("real", False)
    assert found.findings[0].size == (64, 80)
    assert kinds(found.findings[0]) == {"as-reference"}
    assert search(fake, reference=noisy(tmp_path / "clean", count=8)).found


def test_a_reference_of_one_image_does_not_change_z(tmp_path, noisy):
    fake, real = noisy(tmp_path / "fake", levels=10), noisy(tmp_path / "real", count=1)
    alone, beside = (search(fake, reference=each).findings[0].peaks for each in (None, real))
    assert [(peak.u, peak.v, peak.z) for peak in alone] == [(peak.u, peak.v, peak.z) for peak in beside]


def test_jpeg_is_known_by_its_content(tmp_path, noisy):
    files = noisy(tmp_path / "a", count=1, suffix=".jpg", format="PNG") / "0.jpg"
    named = noisy(tmp_path / "b", count=1, suffix=".png", format="JPEG") / "0.png"
    assert (is_jpeg(files), is_jpeg(named), is_jpeg(tmp_path / "nowhere")) == (False, True, False)


def test_the_grid_of_jpeg_files_does_not_count_and_is_told(tmp_path, noisy):
    folder = noisy(tmp_path / "photos", levels=20, format="JPEG", quality=95)
    found = search(folder)
    assert (found.found, found.findings[0].jpeg) == (False, 4)
    assert kinds(found.findings[0]) == {"jpeg-grid"}
    (warning,) = found.warnings
    assert warning.startswith("photos: 4 of 4 files are JPEG, whose own grid repeats every 8 pixels")
    real = noisy(tmp_path / "real", format="JPEG", quality=95)
    assert search(folder, reference=real).found


@pytest.mark.parametrize(("jpeg", "exempt"), [(1, False), (2, False), (3, True)])
def test_a_few_jpeg_files_do_not_exempt_a_set(tmp_path, noisy, jpeg, exempt):
    folder = noisy(tmp_path / "fake", count=20 - jpeg, levels=20)
    noisy(folder / "photos", count=jpeg, format="JPEG", quality=95)
    found = search(folder)
    assert (found.found, found.findings[0].jpeg) == (not exempt, jpeg)
    assert kinds(found.findings[0]) == {"jpeg-grid" if exempt else "artefact"}


def test_a_few_jpeg_files_in_a_reference_tell_nothing_of_the_codec(tmp_path, noisy):
    folder = noisy(tmp_path / "photos", levels=20, format="JPEG", quality=95)
    real = noisy(tmp_path / "real", count=10)
    noisy(real / "photos", count=1, format="JPEG", quality=95)
    assert not search(folder, reference=real).found


@pytest.mark.parametrize("size", [(31, 64), (64, 20)], ids=str)
def test_small_images_are_an_error(tmp_path, noisy, size):
    folder = noisy(tmp_path / "small", size=size)
    text = f"small: {size[0]}x{size[1]} pixels .* peaks are looked for in 32x32 and more"
    with pytest.raises(InputError, match=text):
        search(folder)


def test_images_without_a_residual_are_told_and_no_reference(tmp_path, noisy, save):
    folder = noisy(tmp_path / "some", count=2)
    save(tmp_path / "some" / "white.png", pixels=np.full((64, 80), 255, np.uint8))
    found = search(folder)
    assert (found.findings[0].images, found.findings[0].blank) == (2, 1)
    assert "some: 1 of 3 images have no residual to look at" in found.warnings[0]
    with pytest.raises(InputError, match=r"white.png is no reference: its images have no residual"):
        search(folder, reference=tmp_path / "some" / "white.png")


@pytest.mark.parametrize("kind", ["constant", "checkerboard"])
def test_a_set_in_which_nothing_can_be_looked_at_is_an_error(tmp_path, noisy, save, kind):
    board = np.add.outer(np.arange(64), np.arange(80)) % 2 * 8 * (kind == "checkerboard")
    for number in range(2):
        save(tmp_path / "fake" / f"{number}.png", pixels=(100 + board).astype(np.uint8))
    fake = tmp_path / "fake"
    text = "fake: no image has a residual to look at; each is constant, or a bare checkerboard, which --residual gauss"
    for inputs, reference in (((fake,), None), ((noisy(tmp_path / "clean"), fake), None), ((fake,), fake)):
        with pytest.raises(NothingComparedError, match=text):
            search(*inputs, reference=reference)
    if kind == "checkerboard":
        assert search(fake, residual="gauss").found


def test_broken_images_are_left_out_when_told(tmp_path, noisy):
    folder = noisy(tmp_path / "some")
    (folder / "broken.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"broken\.png"):
        search(folder)
    found = search(folder, loading=Loading(skip_broken=True, workers=1))
    assert found.warnings == ("some: 1 broken image was left out: broken.png",)


def test_originals_are_silent_and_their_codec_is_named(shared):
    """In one photograph the 8-pixel grid of its codec is plain."""
    folder = shared / "data" / "dtd_full"
    assert not search(folder).found
    found = search(folder / "cobwebbed_0078.jpg")
    assert not found.found
    assert kinds(found.findings[0]) == {"jpeg-grid"}
    places = {(peak.u, peak.v) for peak in found.findings[0].peaks}
    assert {(0.0, 0.125), (0.0, 0.25), (0.25, 0.0)} <= places
