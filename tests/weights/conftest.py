"""A folder of the user's, and weights of the user's own."""

import pytest


@pytest.fixture
def variable(tiny, tmp_path, monkeypatch):
    """Set $FFLTOOL_WEIGHTS to a folder, and return that."""
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("FFLTOOL_WEIGHTS", str(tmp_path / "mine"))
    return tmp_path / "mine"


@pytest.fixture
def other(tiny, tmp_path):
    """Save weights of the network that are not the published ones."""
    return tiny.save(tmp_path / "other.pth", {key: tensor + 1 for key, tensor in tiny.tensors.items()})
