"""Weights that a user adds."""

import pytest
import torch

from ffltool import checkpoints, weights
from ffltool.errors import InputError
from tests.weights.common import error_of, put


def test_an_added_file_is_copied_and_comes_before_the_published_one(tiny, other):
    put(tiny, tiny.folders["cache"])
    digest = checkpoints.digest_of_file(other)
    found = weights.add("alexnet", other)
    other.unlink()
    assert found.path == tiny.folders["cache"] / f"alexnet-added-{digest[:8]}.pth"
    assert (found.state, found.place, found.sha256) == ("own", "cache", digest)
    assert weights.load("alexnet").found == found


def test_an_added_file_of_published_tensors_is_known(tiny, tmp_path):
    assert weights.add("alexnet", tiny.save(tmp_path / "features.pth", tiny.tensors)).state == "known"


def test_the_next_add_and_the_next_fetch_replace_an_added_file(tiny, other, tmp_path):
    weights.add("alexnet", other)
    second = tiny.save(tmp_path / "second.pth", {key: tensor + 2 for key, tensor in tiny.tensors.items()})
    found = weights.add("alexnet", second)
    assert list(tiny.folders["cache"].iterdir()) == [found.path]
    assert weights.fetch("alexnet").state == "known"
    assert [path.name for path in tiny.folders["cache"].iterdir()] == [tiny.file.name]


def test_nothing_is_added_behind_the_variables_folder(tiny, variable, other):
    path = put(tiny, variable)
    line = error_of(weights.add, "alexnet", other)
    assert line == f"{path} in $FFLTOOL_WEIGHTS would still be taken before an added file"
    assert not tiny.folders["cache"].exists()


def test_adding_the_added_file_changes_nothing(other):
    found = weights.add("alexnet", other)
    assert weights.add("alexnet", found.path) == found == weights.check("alexnet")


def test_an_added_file_that_changed_is_an_error(tiny, other, tmp_path):
    path = weights.add("alexnet", other).path
    tiny.save(path, {key: tensor + 2 for key, tensor in tiny.tensors.items()})
    assert error_of(weights.load, "alexnet").startswith(f"{path} has changed since it was added: its SHA-256 is ")


def test_a_foreign_file_is_not_added(tiny, tmp_path):
    path = tiny.save(tmp_path / "foreign.pth", {"conv1.weight": torch.ones(2)})
    assert "does not hold alexnet" in error_of(weights.add, "alexnet", path)
    assert not tiny.folders["cache"].exists()


def test_a_name_and_a_file_are_parted_at_the_first_equals_sign(tiny, tmp_path):
    assert weights.named_file("alexnet=~/a=b.pth") == ("alexnet", tmp_path / "a=b.pth")
    for text in ("alexnet", "alexnet=", "=x.pth", "resnet=x.pth"):
        with pytest.raises(InputError, match=r"NAME=FILE|no network"):
            weights.named_file(text)
