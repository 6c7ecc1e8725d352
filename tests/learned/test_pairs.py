"""LPIPS of pairs of files, in any batches and sizes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.evaluate import evaluate_pairs
from ffltool.images import Reading, read
from ffltool.looking import Looking, Sources
from ffltool.metrics.lpips import load
from ffltool.pairing import pair
from tests.learned.common import in_batches

pytestmark = pytest.mark.usefixtures("one_thread", "caches")


@pytest.mark.parametrize("backbone", ["alex", "squeeze"])
def test_lpips_of_files_is_that_of_their_tensors(folders, alex, backbone):
    real, fake = folders([f"{i}.png" for i in range(5)], size=(40, 33))
    looking = replace(alex, backbone=backbone)
    report = evaluate_pairs(pair(real, fake), ["lpips"], looking=looking)
    network = load(backbone, own=alex.sources.own[{"alex": "alexnet"}.get(backbone, "squeezenet")])
    for row in report.pairs:
        both = (torch.from_numpy(read(side / row.real).planes())[None] for side in (real, fake))
        assert row.values == pytest.approx([network(*both).item()], abs=1e-6)
    (score,) = report.scores
    assert score.value == pytest.approx(np.mean([row.values[0] for row in report.pairs]))
    assert score.settings["backbone"] == backbone


@pytest.mark.parametrize("size", [1, 3, 20])
def test_lpips_stands_among_the_others_in_any_batches_and_sizes(tmp_path, save, alex, size):
    for number, shape in enumerate([(40, 33), (31, 50), (40, 33), (40, 33), (31, 50)]):
        for side in ("real", "fake"):
            save(tmp_path / side / f"{number}.png", size=shape, mode="L" if (number, side) == (2, "real") else "RGB")
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    metrics = ["psnr", "lpips", "lfd"]
    expected = evaluate_pairs(pairing, metrics, looking=alex)
    found = evaluate_pairs(pairing, metrics, looking=in_batches(alex, size), workers=3)
    for one, other in zip(expected.pairs, found.pairs, strict=True):
        assert (one.real, one.height) == (other.real, other.height)
        assert one.values == pytest.approx(other.values, rel=1e-5)
    plain = evaluate_pairs(pairing, ["psnr", "lfd"])
    assert [row.values for row in plain.pairs] == [row.values[::2] for row in found.pairs]


def test_equal_images_have_an_lpips_of_0_and_broken_ones_none(folders, alex):
    real, _ = folders(size=(40, 40))
    report = evaluate_pairs(pair(real, real), ["lpips"], looking=alex)
    assert [row.values for row in report.pairs] == [(0.0,)] * 3
    (real / "b.png").write_bytes(b"junk")
    report = evaluate_pairs(pair(real, real), ["lpips", "mse"], looking=alex, skip_broken=True)
    assert [row.real for row in report.pairs] == ["a.png", "c.png"]


def test_lpips_is_of_fitted_images(tmp_path, save, alex):
    save(tmp_path / "real" / "a.png", size=(40, 50))
    save(tmp_path / "fake" / "a.png", size=(44, 40))
    pairing = pair(tmp_path / "real", tmp_path / "fake")
    with pytest.raises(InputError, match="--fit"):
        evaluate_pairs(pairing, ["lpips"], looking=alex)
    report = evaluate_pairs(pairing, ["lpips"], looking=alex, reading=Reading(fit="crop"))
    assert (report.pairs[0].height, report.pairs[0].width) == (40, 40)


def test_an_image_too_small_for_the_backbone_is_named(folders, alex):
    pairing = pair(*folders(["a.png"], size=(30, 40)))
    with pytest.raises(ShapeError, match=r"real/a\.png: LPIPS alex needs images of at least 31x31 pixels, got 30x40"):
        evaluate_pairs(pairing, ["lpips"], looking=alex)


def test_the_reference_pairs_have_the_authors_lpips(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())
    inputs = shared / "reference" / "inputs"
    looking = Looking(sources=Sources(own={"alexnet": shared / "weights" / "alexnet_features.pth"}))
    report = evaluate_pairs(pair(inputs / "real", inputs / "fake"), ["lpips"], looking=looking)
    for row in report.pairs:
        assert row.values[0] == pytest.approx(golden["pairs"][row.real]["official_lpips"], abs=1e-6)
    assert report.scores[0].settings["weights_file"] == "alexnet_features.pth (published)"
