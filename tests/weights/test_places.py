"""Where weights are looked for, and what a user reads where there are none."""

import os
from pathlib import Path

import pytest
import torch

from ffltool import checkpoints, user_cache, weights
from ffltool.errors import InputError
from tests.weights.common import error_of, put


def test_an_unknown_network_lists_the_known():
    for ask in (weights.load, weights.check, weights.fetch):
        with pytest.raises(InputError, match=r"no network 'resnet'; known are alexnet, squeezenet, vgg16, inception"):
            ask("resnet")


def test_the_places_come_in_order(tiny, variable):
    hub = put(tiny, tiny.folders["torch hub"])
    found = [weights.load("alexnet").found]
    cached = put(tiny, tiny.folders["cache"])
    found.append(weights.load("alexnet").found)
    mine = put(tiny, variable)
    found.append(weights.load("alexnet").found)
    own = put(tiny, variable.parent, "own.pth")
    found.append(weights.load("alexnet", own=own).found)
    assert [each.place for each in found] == ["torch hub", "cache", "$FFLTOOL_WEIGHTS", "--weights"]
    assert [each.path for each in found] == [hub, cached, mine, own]
    assert {each.state for each in found} == {"known"}
    assert {each.sha256 for each in found} == {tiny.file.sha256}


@pytest.mark.parametrize("name", ["alexnet.pth", "alexnet_features.pth"])
def test_the_variables_folder_may_name_a_file_after_its_network(tiny, variable, name):
    path = tiny.save(variable / name, tiny.tensors)
    found = weights.check("alexnet")
    assert (found.path, found.state) == (path, "known")
    assert found.sha256 == checkpoints.digest_of_file(path) != tiny.file.sha256


def test_torchs_folder_follows_its_variables(tiny, tmp_path, monkeypatch):
    assert weights.folders()["torch hub"] == tmp_path / "caches" / "torch" / "hub" / "checkpoints"
    monkeypatch.setenv("TORCH_HOME", "~/torch")
    assert weights.folders()["torch hub"] == tmp_path / "torch" / "hub" / "checkpoints"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert str(weights.folders()["torch hub"].parent) == torch.hub.get_dir()


def test_a_missing_file_is_one_line_that_tells_how_to_get_it(tiny, tmp_path):
    line = error_of(weights.load, "alexnet")
    searched = ", ".join(f"{place} ({folder or 'not set'})" for place, folder in tiny.folders.items())
    brings = f"`ffltool weights fetch alexnet` brings it from {tiny.file.url} (SHA-256 {tiny.file.sha256})"
    assert line == f"{tiny.file.name} is not in {searched}; {brings}"
    assert "$FFLTOOL_WEIGHTS (not set), cache" in line


def test_without_a_home_the_caches_are_not_set(tiny, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user without a home
    for found in (
        user_cache.user_cache_path,
        lambda *_, **__: Path("~/.cache/ffltool"),
    ):  # newer and older platformdirs
        monkeypatch.setattr(user_cache, "user_cache_path", found)
        assert set(weights.folders().values()) == {None}
    assert "cache (not set), torch hub (not set)" in error_of(weights.load, "alexnet")
    assert error_of(weights.fetch, "alexnet").startswith("there is no home folder to keep weights in")


def test_a_variable_that_names_no_folder_is_an_error(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("FFLTOOL_WEIGHTS", str(tmp_path / "gone"))
    assert error_of(weights.load, "alexnet") == f"$FFLTOOL_WEIGHTS is {tmp_path / 'gone'}, which is no folder"
