import numpy as np
import pytest


@pytest.fixture
def pictures(rng):
    """Return images whose spectra fall as those of photographs do, 1 / f, in 8 bits."""

    def pictures(count, side=128):
        v, u = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)
        radius = np.hypot(v, u)
        radius[0, 0] = 1
        fields = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((count, side, side))) / radius, s=(side, side))
        fields = 128 + 20 * fields / fields.std((1, 2), keepdims=True)
        return np.rint(fields).clip(0, 255)

    return pictures
