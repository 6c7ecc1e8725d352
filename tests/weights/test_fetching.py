"""Weights that are fetched, once and only where that is asked for."""

import pytest
import requests

from ffltool import weights
from tests.weights.common import error_of, put


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
