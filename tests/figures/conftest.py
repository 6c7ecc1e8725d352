"""Images over spectra to draw."""

import pytest

from ffltool.figures import Panel


@pytest.fixture
def panels(rng):
    def panels(*titles, size=(8, 9), colour=True):
        shape = (*size, 3) if colour else size
        return [Panel(title, rng.random(shape), scale * rng.random(size)) for scale, title in enumerate(titles, 1)]

    return panels
