"""Where weights are looked for, what counts as known, and what a user reads where there are none."""

import json
import os
from pathlib import Path

import pytest
import requests
import torch

from ffltool import checkpoints, user_cache, weights
from ffltool.errors import InputError, NothingComparedError, WeightsError
from ffltool.networks import FILES, SHAPES

REAL = {"alexnet": "alexnet_features.pth", "squeezenet": "squeeze.backbone.pth"}  # the features alone


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


def put(tiny, folder, name=None):
    """Lay the published file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or tiny.file.name)
    path.write_bytes(tiny.published.read_bytes())
    return path


def error_of(function, *arguments, **settings):
    with pytest.raises(WeightsError) as caught:
        function(*arguments, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# the table of files


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


def test_an_unknown_network_lists_the_known():
    for ask in (weights.load, weights.check, weights.fetch):
        with pytest.raises(InputError, match=r"no network 'resnet'; known are alexnet, squeezenet, vgg16, inception"):
            ask("resnet")


# where they are looked for


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


# what is known


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


# fetch


def test_fetch_brings_the_file_into_the_cache_once(tiny, server):
    for _ in range(2):
        found = weights.fetch("alexnet")
        assert found == weights.check("alexnet")
        assert (found.state, found.place) == ("known", "cache")
    assert len(server.requests) == 1


def test_fetch_does_not_bring_what_another_place_has(tiny, server):
    path = put(tiny, tiny.folders["torch hub"])
    assert weights.fetch("alexnet").path == path
    assert server.requests == []


@pytest.mark.parametrize("place", ["cache", "torch hub"])
def test_fetch_mends_a_damaged_file(tiny, place):
    put(tiny, tiny.folders[place]).write_bytes(b"damaged")
    assert "brings the published file" in error_of(weights.load, "alexnet")
    weights.fetch("alexnet")
    assert weights.load("alexnet").found.place == "cache"


def test_fetch_cannot_mend_the_variables_folder_and_says_so_before_it_loads(tiny, server, variable):
    put(tiny, variable).write_bytes(b"damaged")
    assert "is damaged, or no file of weights" in error_of(weights.fetch, "alexnet")
    assert server.requests == []


def test_only_an_explicit_download_reaches_the_network(tiny, server, monkeypatch):
    error_of(weights.load, "alexnet")
    list(weights.survey(["alexnet"]))
    assert server.requests == []
    assert weights.load("alexnet", download=True).found.place == "cache"
    assert len(server.requests) == 1
    monkeypatch.setattr(requests, "get", None)
    assert weights.load("alexnet", download=True).found.place == "cache"


def test_a_file_of_ones_own_is_never_downloaded(tiny, server, tmp_path):
    error_of(weights.load, "alexnet", own=tmp_path / "no.pth", download=True)
    assert server.requests == []


def test_a_cache_that_cannot_be_made_is_one_line(tiny, tmp_path, other):
    (tmp_path / "caches").write_text("a file")
    folder = tiny.folders["cache"]
    for line in (error_of(weights.fetch, "alexnet"), error_of(weights.add, "alexnet", other)):
        assert line == f"{folder} cannot be made: Not a directory"


# add


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


# all of them


def test_a_survey_tells_states_and_reads_on_after_a_damaged_file(tiny, other):
    put(tiny, tiny.folders["cache"]).write_bytes(b"damaged")
    damaged, missing = weights.survey(["alexnet", "vgg16"])
    assert (damaged.state, missing.state) == ("damaged", "missing")
    assert "is damaged" in damaged.problem
    weights.add("alexnet", other)
    assert next(weights.survey(["alexnet"])).state == "own"


def test_what_is_demanded(tiny):
    known, own, damaged, missing = (
        weights.Found(name=state, state=state) for state in ("known", "own", "damaged", "missing")
    )
    weights.demand([known, own, missing], each=False)
    weights.demand([known, own], each=True)
    with pytest.raises(WeightsError, match=r"^1 of 3 networks have no weights that can be used: damaged \(damaged\)$"):
        weights.demand([known, damaged, missing], each=False)
    with pytest.raises(WeightsError, match=r"missing \(missing\)"):
        weights.demand([known, missing], each=True)
    with pytest.raises(NothingComparedError, match="no weight files"):
        weights.demand([missing, missing], each=False)


def test_json_names_files_and_places(tiny):
    put(tiny, tiny.folders["cache"])
    content = json.loads(weights.as_json(list(weights.survey(["alexnet", "vgg16"]))))
    assert content["files"][0]["published"]["file"] == tiny.file.name
    assert [each["state"] for each in content["files"]] == ["known", "missing"]
    assert content["places"][0] == {"place": "$FFLTOOL_WEIGHTS", "folder": None}
