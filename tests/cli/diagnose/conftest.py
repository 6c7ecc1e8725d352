"""Images that have not one size."""

import pytest


@pytest.fixture
def mixed(tmp_path, save):
    """Folders of images of two sizes."""
    for side in ("real", "fake"):
        save(tmp_path / side / "a.png", size=(20, 30))
        save(tmp_path / side / "b.png", size=(12, 16))
    return tmp_path / "real", tmp_path / "fake"
