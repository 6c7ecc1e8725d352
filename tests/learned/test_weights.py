"""Weights come first: found, fetched, left out or refused; and what a result says of them."""

from dataclasses import replace

import pytest
import torch

from ffltool import checkpoints
from ffltool.errors import InputError, MissingWeightsError, WeightsError
from ffltool.evaluate import evaluate_pairs
from ffltool.looking import Computing, Looking, Sources
from ffltool.pairing import pair
from tests.learned.common import SETS, scores

pytestmark = pytest.mark.usefixtures("one_thread", "caches")


def test_a_result_names_all_that_makes_it_comparable(folders, means, alex):
    own = means.looking.sources.own | alex.sources.own
    looking = replace(means.looking, preset="clean", seed=3, sources=Sources(own=own))
    pairing = pair(*folders([f"{i}.png" for i in range(10)], size=(40, 40)))
    report = evaluate_pairs(pairing, ["lpips", *SETS], looking=looking)
    found = {score.metric: score.settings for score in report.scores}
    digest = checkpoints.digest_of_tensors({"one": torch.ones(1)})
    network = {"network": "inception", "weights": digest, "weights_file": "means.pth (own)", "precision": "float32"}
    assert found["fid"] == network | {"preset": "clean", "layer": "64"}
    assert found["kid"] == found["fid"] | {"seed": 3}
    assert found["is"] == found["kid"] | {"layer": "logits_unbiased"}
    assert (found["lpips"]["network"], found["lpips"]["heads"]) == ("alexnet", "v0.1")
    assert report.environment["torch"] == torch.__version__
    assert report.environment["device"] == "cpu"
    assert report.environment["lpips"]
    assert all(score.images == 10 for score in report.scores)


def test_missing_weights_end_a_run_before_an_image_is_read(folders, tiny, monkeypatch):
    monkeypatch.setattr("ffltool.images.read", None)
    monkeypatch.setattr("ffltool.measure.read", None)
    with pytest.raises(MissingWeightsError, match="`ffltool weights fetch alexnet` brings it"):
        evaluate_pairs(pair(*folders()), ["mse", "lpips"])


def test_missing_weights_can_be_left_out_with_a_warning(folders, tiny):
    looking = Looking(sources=Sources(skip_missing=True))
    report = evaluate_pairs(pair(*folders()), ["mse", "lpips", "fid", "kid"], looking=looking)
    assert [score.metric for score in report.scores] == ["mse"]
    assert [warning.partition(" left out, for ")[0] for warning in report.warnings] == ["lpips:", "fid, kid:"]
    with pytest.raises(MissingWeightsError):
        evaluate_pairs(pair(*folders()), ["lpips"], looking=looking)


@pytest.mark.parametrize("status", [404, 500])
def test_weights_that_cannot_be_fetched_are_missing(folders, tiny, server, status):
    server.status = status
    looking = Looking(sources=Sources(download=True, skip_missing=True))
    report = evaluate_pairs(pair(*folders()), ["mse", "lpips"], looking=looking)
    assert [score.metric for score in report.scores] == ["mse"]
    assert report.warnings == (f"lpips: left out, for {server.url} cannot be fetched: HTTP status {status}",)


def test_damaged_weights_are_never_left_out(folders, tmp_path):
    (tmp_path / "bad.pth").write_bytes(b"junk")
    sources = Sources(own={"alexnet": tmp_path / "bad.pth"}, skip_missing=True)
    with pytest.raises(WeightsError, match="is damaged"):
        evaluate_pairs(pair(*folders()), ["mse", "lpips"], looking=Looking(sources=sources))


def test_weights_are_fetched_where_that_is_allowed(folders, tiny, server, monkeypatch):
    class Nothing(torch.nn.Module):
        def __init__(self, backbone, tensors):
            super().__init__()

        def check(self, *shape):
            pass

        def forward(self, real, fake):
            return torch.zeros(len(real))

    monkeypatch.setattr("ffltool.loaded.Lpips", Nothing)
    chunks = []
    sources = Sources(download=True, progress=lambda items, total: (chunks.append(each) or each for each in items))
    assert scores(evaluate_pairs(pair(*folders()), ["lpips"], looking=Looking(sources=sources))) == {"lpips": 0}
    assert chunks
    assert evaluate_pairs(pair(*folders()), ["lpips"]).scores[0].value == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"backbone": "vgg19"}, "no backbone of LPIPS 'vgg19'; known are alex, vgg, squeeze"),
        ({"preset": "best"}, "no preset 'best'; known are pytorch-fid, torch-fidelity, clean"),
        ({"layer": "1024"}, "no layer of features '1024'; known are 64, 192, 768, 2048$"),
        ({"computing": Computing(half=True)}, "half precision is for a GPU"),
    ],
)
def test_what_there_is_not_is_an_error_before_weights_are_looked_for(folders, change, said):
    with pytest.raises(InputError, match=said):
        evaluate_pairs(pair(*folders()), ["lpips"], looking=Looking(**change))
