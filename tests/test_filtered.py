import numpy as np
import pytest
import torch

from ffltool import figures, filtered
from ffltool.bandlimit import Filter, filters, wave

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the figures."""
    seen = {}
    monkeypatch.setattr(figures, "images_over_spectra", lambda panels, **scale: seen.update(panels=panels, **scale))
    monkeypatch.setattr(figures, "slices_of_cube", lambda *slices: seen.update(slices=slices))
    return seen


def random(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def shown(image):
    """Return an image (C, H, W) as the figure has it: (H, W) or (H, W, 3)."""
    return np.moveaxis(image.clamp(0, 1).numpy(), 0, -1).squeeze()


def log_amplitude(image):
    amplitudes = np.abs(np.fft.fft2(255 * image.double().numpy()))
    return np.fft.fftshift(np.log(1 + amplitudes), axes=(-2, -1)).mean(0)


@pytest.mark.parametrize("shape", ["ideal", "gaussian", "butterworth"])
@pytest.mark.parametrize("size", [(3, 20, 21), (1, 21, 20), (3, 1, 20)], ids=str)
def test_the_figure_shows_the_image_and_what_each_filter_leaves_with_its_spectrum(drawn, size, shape):
    image, chosen = random(*size), filters(shape=shape)
    kept = filtered.draw_filters(image, chosen).images
    assert drawn["lowest"] == 0
    assert list(kept) == ["point-stop", "low-pass", "high-pass", "band-stop"]
    original, *panels = drawn["panels"]
    np.testing.assert_array_equal(original.image.squeeze(), shown(image))
    np.testing.assert_allclose(original.spectrum, log_amplitude(image), rtol=1e-5, atol=1e-4)
    for panel, each in zip(panels, chosen, strict=True):
        left = each.apply(image.double())
        np.testing.assert_allclose(panel.spectrum, log_amplitude(left), rtol=1e-4, atol=1e-3)
        expected = left + 0.5 * (each.name in ("point-stop", "high-pass"))
        np.testing.assert_allclose(panel.image.squeeze(), shown(expected), atol=1e-6)
        torch.testing.assert_close(kept[each.name].double(), expected, rtol=0, atol=1e-6)


def test_what_is_stopped_is_0_in_the_spectrum_and_nothing_else_is(drawn):
    filtered.draw_filters(random(3, 20, 20), [Filter("low-pass", (0.1,))])
    kept = np.fft.fftshift(Filter("low-pass", (0.1,)).gain(20, 20).numpy())
    np.testing.assert_array_equal(drawn["panels"][1].spectrum > 0, kept > 0)


def test_titles_say_what_was_stopped_and_how(drawn):
    image = random(1, 20, 20)
    chosen = [
        *filters(cutoffs=[0.1, 1 / 3], point=(2, -3)),
        Filter("band-pass", (0.1, 0.25), "gaussian"),
        Filter("low-pass", (0.1,), "butterworth", 4),
    ]
    filtered.draw_filters(image, chosen)
    assert [panel.title.split("\n") for panel in drawn["panels"]] == [
        ["original"],
        ["point-stop", "at (2, -3)"],
        ["low-pass", "below 0.1 c/px"],
        ["high-pass", "from 0.1 c/px on"],
        ["band-stop", "0.1 to 0.333 c/px"],
        ["band-pass", "0.1 to 0.25 c/px", "gaussian"],
        ["low-pass", "below 0.1 c/px", "butterworth, order 4"],
    ]


def test_a_point_that_is_stopped_is_ringed_with_its_opposite(drawn):
    filtered.draw_filters(random(1, 10, 20), filters(point=(2, -3)))
    assert [list(panel.rings) for panel in drawn["panels"]] == [[], [(0.1, -0.3), (-0.1, 0.3)], [], [], []]


def test_slices_go_from_the_mean_to_the_image_by_octaves(drawn):
    image = random(3, 128, 64)
    kept = filtered.draw_slices(image).images
    assert list(kept) == filtered.names_of_slices() == ["mean", "64px", "32px", "16px", "8px", "4px", "2px", "all"]
    images, labels = drawn["slices"]
    assert labels == ["0 (mean)", "1/64", "1/32", "1/16", "1/8", "1/4", "1/2", "all"]
    for left, array in zip(kept.values(), images, strict=True):
        np.testing.assert_array_equal(array, shown(left))
    torch.testing.assert_close(kept["mean"][:, 5, 5], image.mean((1, 2)))
    torch.testing.assert_close(kept["all"], image)
    # one period over 64 pixels is in, as are one and two over 128, and none more
    rows, columns = (np.abs(np.fft.fft2(kept["64px"][0].numpy())) > 0.1).nonzero()
    periods = set(zip(np.minimum(columns, 64 - columns), np.minimum(rows, 128 - rows), strict=True))
    assert periods == {(0, 0), (0, 1), (0, 2), (1, 0)}


def test_waves_are_about_mid_grey_over_their_own_spectrum(drawn):
    points = [(1, 0), (3, -2), (0, 0)]
    kept = filtered.draw_waves(points).images
    assert list(kept) == filtered.names_of_waves(points) == ["wave_1_0", "wave_3_-2", "wave_0_0"]
    assert [panel.title for panel in drawn["panels"]] == [
        "(1, 0)\nperiod 64 px",
        "(3, -2)\nperiod 17.8 px",
        "(0, 0)\nconstant",
    ]
    for panel, image, (u, v) in zip(drawn["panels"], kept.values(), points, strict=True):
        pixels = wave(u, v, height=64, width=64) / 2
        torch.testing.assert_close(image, pixels[None] + 0.5)
        np.testing.assert_array_equal(panel.image, image[0])
        places = {(32 + v, 32 + u), (32 - v, 32 - u)}
        assert set(map(tuple, np.argwhere(panel.spectrum > 1e-6))) == places
        for place in places:
            assert panel.spectrum[place] == pytest.approx(np.log1p(255 * 64**2 / 2 / len(places)))
