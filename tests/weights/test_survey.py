"""All of them: their states, what is demanded, and as JSON."""

import json

import pytest

from ffltool import weights
from ffltool.errors import NothingComparedError, WeightsError
from tests.weights.common import put


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
