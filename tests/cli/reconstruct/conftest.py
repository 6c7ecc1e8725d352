"""``ffltool reconstruct`` on a small image, with figures and without."""

import pytest

from ffltool import figures, outputs

FEW = ["--steps", 3, "--size", 16]  # one objective of these takes no time at all


@pytest.fixture
def image(tmp_path, save):
    return save(tmp_path / "image.png", size=(24, 32))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "rebuilt"


@pytest.fixture
def rebuild_and_draw(image, folder, run):
    """Run ``ffltool reconstruct`` on a small image with few steps under "ffl", and return what `run` does."""

    def rebuild(*options, image=image, folder=folder, objective=("--objective", "ffl")):
        return run("reconstruct", image, "-o", folder, *objective, *FEW, *options)

    return rebuild


@pytest.fixture
def without_drawing(monkeypatch):
    """Put something of ours in place of figures, which take longer than all the rest."""

    def save(_figure, path):
        path.write_bytes(f"a drawing with Software\0{outputs.MARK}".encode())

    for name in ("images_over_spectra", "convergence"):
        monkeypatch.setattr(figures, name, lambda *_: None)
    monkeypatch.setattr(figures, "save", save)


@pytest.fixture
def rebuild(rebuild_and_draw, without_drawing):
    """Do the same, but for the figures."""
    return rebuild_and_draw
