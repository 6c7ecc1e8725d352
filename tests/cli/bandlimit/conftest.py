"""``ffltool bandlimit`` on a small image, with the figure and without."""

import pytest

from ffltool import figures, outputs


@pytest.fixture
def image(tmp_path, save):
    return save(tmp_path / "image.png", size=(20, 32))


@pytest.fixture
def figure(tmp_path):
    return tmp_path / "figure.png"


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def limit_and_draw(image, figure, run):
    """Run ``ffltool bandlimit`` on a small image, and return what `run` does."""

    def limit(*options, image=image):
        return run("bandlimit", image, "-o", figure, *options)

    return limit


@pytest.fixture
def without_drawing(monkeypatch):
    """Put something of ours in place of figures, which take longer than all the rest."""
    monkeypatch.setattr(figures, "images_over_spectra", lambda *_, **__: None)
    monkeypatch.setattr(figures, "save", lambda _, path: path.write_bytes(f"Software\0{outputs.MARK}".encode()))


@pytest.fixture
def limit(limit_and_draw, without_drawing):
    """Do the same, but for the figure."""
    return limit_and_draw
