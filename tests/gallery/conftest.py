"""Figures that are left out, or looked at before they are drawn."""

import pytest

from ffltool import figures


@pytest.fixture
def without_drawing(monkeypatch):
    """Leave figures out, which take longer than all the rest."""
    for name in ("images_over_spectra", "convergence", "save"):
        monkeypatch.setattr(figures, name, lambda *_: None)


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the figures."""
    seen = {}
    monkeypatch.setattr(figures, "images_over_spectra", lambda panels: seen.update(panels=panels))
    monkeypatch.setattr(figures, "convergence", lambda *curves: seen.update(curves=curves))
    monkeypatch.setattr(figures, "save", lambda *_: None)
    return seen
