import numpy as np
import pytest
import torch

from ffltool import figures
from ffltool.metrics.bands import BandSums


def scores_of(parts):
    """What the energies of one image, shape (bands, 4), say of each band."""
    sums = BandSums(len(parts) - 2)
    sums.add(count=1, parts=parts)
    return sums.compute()


@pytest.fixture
def scores():
    """Bands of a comparison: shares that add up to 1, the last band without power in the real image."""
    parts = torch.tensor([[4.0, 0.0, 9.0, 9.0], [1.0, 3.0, 2.0, 4.0], [0.0, 0.0, 1.0, 0.5], [8.0, 4.0, 0.0, 1.0]])
    return scores_of(parts.double())


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (1, 5)], ids=str)
def test_the_error_is_drawn_over_frequencies_in_decibel(rng, scores, size):
    error = 10 ** rng.uniform(-1, 4, size)
    axes, _, _, bar = figures.error_in_bands(error, scores).axes
    drawn = axes.images[0]
    np.testing.assert_allclose(drawn.get_array(), 10 * np.log10(error))
    left, right, bottom, top = drawn.get_extent()
    columns, rows = (
        start + (np.arange(count) + 0.5) * (end - start) / count
        for start, end, count in ((left, right, size[1]), (top, bottom, size[0]))
    )
    np.testing.assert_allclose(columns, np.fft.fftshift(np.fft.fftfreq(size[1])), atol=1e-12)
    np.testing.assert_allclose(rows, np.fft.fftshift(np.fft.fftfreq(size[0])), atol=1e-12)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("u (cycles per pixel)", "v (cycles per pixel)")
    assert bar.get_ylabel() == "mean |F_real - F_fake|² / HW (dB)"


def test_the_edges_of_bands_are_circles(rng, scores):
    axes = figures.error_in_bands(rng.random((8, 9)), scores).axes[0]
    assert [(patch.center, patch.radius) for patch in axes.patches] == [((0, 0), 0.25), ((0, 0), 0.5)]


def test_no_error_at_a_frequency_is_the_end_of_a_scale_of_80_decibels(tmp_path, scores):
    error = np.zeros((8, 8))
    error[4, 4] = 100
    drawn = figures.error_in_bands(error, scores).axes[0].images[0]
    assert drawn.get_clim() == (-60, 20)
    figures.save(figures.error_in_bands(np.zeros((8, 8)), scores), tmp_path / "x.png")


def test_bars_are_the_shares_of_amplitude_and_phase(scores):
    _, shares, gains, _ = figures.error_in_bands(np.ones((8, 8)), scores).axes
    amplitude, phase = ([bar.get_width() for bar in bars] for bars in shares.containers)
    assert amplitude == pytest.approx([0.2, 0.05, 0, 0.4])
    assert phase == pytest.approx([0, 0.15, 0, 0.2])
    assert [bar.get_x() for bar in shares.containers[1]] == pytest.approx(amplitude)
    assert [text.get_text() for text in shares.get_legend().get_texts()] == ["amplitude", "phase"]
    assert [label.get_text() for label in shares.get_yticklabels()] == ["dc", "0-0.25", "0.25-0.5", "corner"]
    assert (shares.get_xlabel(), shares.get_ylabel()) == ("share of the squared error", "band (cycles per pixel)")
    expected = [0, 10 * np.log10(2), -10 * np.log10(2), np.nan]
    assert [bar.get_width() for bar in gains.containers[0]] == pytest.approx(expected, nan_ok=True)
    assert gains.get_xlabel() == "gain (dB)"
    assert shares.get_ylim() == gains.get_ylim() == (3.6, -0.6)


def test_a_hundred_bands_are_drawn_and_not_all_are_named(tmp_path):
    scores = scores_of(torch.ones(102, 4, dtype=torch.float64))
    figure = figures.error_in_bands(np.ones((8, 8)), scores)
    assert len(figure.axes[1].containers[0]) == 102
    assert len(figure.axes[1].get_yticks()) == 34
    figures.save(figure, tmp_path / "x.png")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_data_give_the_same_file(tmp_path, scores, suffix):
    for name in ("a", "b"):
        figures.save(figures.error_in_bands(np.ones((8, 8)), scores), (tmp_path / name).with_suffix(suffix))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
