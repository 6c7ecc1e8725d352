"""What counts as known, and what as the user's own."""

import os

import pytest
import torch

from ffltool import checkpoints, weights
from ffltool.networks import FILES, SHAPES
from tests.weights.common import error_of, put

REAL = {"alexnet": "alexnet_features.pth", "squeezenet": "squeeze.backbone.pth"}  # the features alone


@pytest.mark.parametrize("name", FILES)
def test_the_published_name_carries_the_first_digits_of_the_pinned_hash(name):
    file = FILES[name]
    assert len(file.sha256) == 64
    assert file.name.endswith(f"-{file.sha256[:8]}.pth")
    assert file.url.startswith("https://")
    assert set(SHAPES) == set(FILES)


@pytest.mark.parametrize("name", REAL)
def test_real_features_alone_are_known_by_their_tensors(name, shared):
    loaded = weights.load(name, own=shared / "weights" / REAL[name])
    assert loaded.found.state == "known"
    assert {key: tuple(tensor.shape) for key, tensor in loaded.tensors.items()} == SHAPES[name]


def test_weights_are_the_tensors_that_count(tiny):
    put(tiny, tiny.folders["cache"])
    tensors = weights.load("alexnet").tensors
    assert list(tensors) == list(SHAPES["alexnet"])
    assert all(torch.equal(tensors[key], tensor) for key, tensor in tiny.tensors.items())


def test_other_weights_are_own_where_the_user_says_so(other):
    found = weights.load("alexnet", own=other).found
    assert (found.state, found.path) == ("own", other)
    assert found.sha256 == checkpoints.digest_of_file(other)


@pytest.mark.parametrize("place", ["cache", "torch hub"])
def test_other_weights_under_the_published_name_are_an_error(tiny, other, place):
    path = put(tiny, tiny.folders[place])
    path.write_bytes(other.read_bytes())
    line = error_of(weights.load, "alexnet")
    digest = checkpoints.digest_of_file(other)
    assert line.startswith(f"{path} is not the published {tiny.file.name}: its SHA-256 is {digest}, not ")
    assert f"`ffltool weights add alexnet={path}` takes it as your own" in line
    assert line.endswith("; `ffltool weights fetch alexnet` brings the published file")


def test_a_file_of_ones_own_that_is_not_there_or_holds_another_network_is_an_error(tiny, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        assert error_of(weights.add, "alexnet", path) == f"{path} is no file of weights"
    line = error_of(weights.load, "alexnet", own=tmp_path / "no.pth")
    assert line == f"{tmp_path / 'no.pth'} cannot be read: No such file or directory"
    path = tiny.save(tmp_path / "foreign.pth", {"conv1.weight": torch.ones(2)})
    assert "2 of 2 tensors are missing" in error_of(weights.load, "alexnet", own=path)
