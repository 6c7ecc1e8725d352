"""A diagnosis as JSON, its warnings, and its progress."""

import json

import pytest

from ffltool.diagnose import as_json, diagnose
from ffltool.pairing import Pairing
from tests.diagnose.common import (
    PAIRS,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_json_holds_what_was_found_but_for_the_weight_matrix(pairing):
    found = diagnose(pairing(*PAIRS["set"]))
    content = json.loads(as_json(found))
    assert content["schema"] == "ffltool.diagnose/1"
    assert content["pairs"] == 3
    assert content["sizes"] == [[12, 16]]
    assert content["mse"] == found.mse
    assert content["effects"] == [vars(effect) for effect in found.effects]
    assert content["bands"] == [vars(band) for band in found.bands]
    assert "weight" not in content
    assert found.weight is not None, "the report itself stays as it was"


def test_what_there_is_not_is_null_in_json(pairing):
    ((real, _),) = PAIRS["colour"]
    content = json.loads(as_json(diagnose(pairing((real, real)))))
    assert content["effects"][0]["dc_share"] is None
    assert content["effects"][0]["weight_for_mse"] is None
    assert content["bands"][0]["mse_share"] is None


def test_warnings_about_the_pairing_come_first(pairing):
    pairs = pairing(*PAIRS["sizes"])
    found = diagnose(Pairing(pairs.real, pairs.fake, pairs.pairs, ("something was left out",)))
    assert found.warnings[0] == "something was left out"
    assert len(found.warnings) == 2


def test_progress_is_given_the_number_of_pairs(pairing):
    seen = []

    def progress(items, total):
        for item in items:
            seen.append(total)
            yield item

    diagnose(pairing(*PAIRS["set"]), progress=progress)
    assert seen == [3, 3, 3]
