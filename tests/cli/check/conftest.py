"""Where ``ffltool check`` runs, and on what."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """Work in a folder without a project, on no GitHub runner."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def noisy(tmp_path, save, rng):
    """Return a function that makes real/ and a folder of the same images with noise, and returns both."""
    pixels = [rng.integers(30, 220, (16, 16, 3)) for _ in range(8)]

    def noisy(deviation, name="fake"):
        generator = np.random.default_rng(1)
        for place, each in enumerate(pixels):
            spoilt = (each + generator.normal(0, 1, each.shape) * deviation * (1 + place % 3)).round().clip(0, 255)
            save(tmp_path / "real" / f"{place}.png", pixels=each.astype(np.uint8))
            save(tmp_path / name / f"{place}.png", pixels=spoilt.astype(np.uint8))
        return tmp_path / "real", tmp_path / name

    return noisy
