import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.inception_score import inception_score


def slow_score(logits):
    """The definition, class by class, of one split."""
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    mean = shares.mean(0)
    return math.exp(np.mean([sum(p * math.log(p / q) for p, q in zip(row, mean, strict=True)) for row in shares]))


@pytest.mark.parametrize(("count", "splits"), [(12, 1), (12, 5), (7, 3), (4, 4)])
def test_equals_the_slow_definition(rng, count, splits):
    logits = rng.normal(size=(count, 6))
    order = np.random.RandomState(5).permutation(count)
    edges = [part * count // splits for part in range(splits + 1)]
    scores = [slow_score(logits[order[low:high]]) for low, high in pairwise(edges)]
    found = inception_score(torch.as_tensor(logits), splits=splits, seed=5)
    assert found == pytest.approx((np.mean(scores), np.std(scores)), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("side", ["real", "fake"])
@pytest.mark.parametrize("splits", [1, 2, 10])
def test_equals_torch_fidelity_on_the_same_logits(shared, side, splits):
    golden = json.loads((shared / "reference" / "fid_seeded_network.json").read_text())["torch_fidelity_0.4.0"]
    with np.load(shared / "reference" / "fid_seeded_features.npz") as file:
        logits = torch.as_tensor(file[f"torch_fidelity_logits_unbiased_{side}"])
    for shuffled, seed in ((True, 2020), (False, None)):
        expected = golden[f"isc_{side}_splits{splits}_shuffle{shuffled}"]
        assert inception_score(logits, splits=splits, seed=seed) == pytest.approx(expected, rel=1e-6)


def test_is_1_where_all_images_are_alike_and_the_number_of_classes_where_they_cover_all():
    assert inception_score(torch.rand(1, 9).expand(20, -1)) == pytest.approx((1, 0), abs=1e-12)
    of_all_classes = 1e4 * torch.eye(9).repeat(10, 1)
    assert inception_score(of_all_classes, seed=None) == pytest.approx((9, 0), abs=1e-12)


def test_a_seed_gives_the_same_and_another_another(rng):
    logits = torch.as_tensor(rng.normal(size=(30, 6)))
    assert inception_score(logits) == inception_score(logits)
    assert inception_score(logits) != inception_score(logits, seed=1)


def test_fewer_images_than_splits_are_an_error():
    with pytest.raises(InputError, match="10 splits needs at least 10 images, got 9"):
        inception_score(torch.zeros(9, 4))
    with pytest.raises(InputError, match="one split or more, got 0"):
        inception_score(torch.zeros(9, 4), splits=0)


def test_logits_that_are_not_finite_are_an_error():
    with pytest.raises(InputError, match="not finite"):
        inception_score(torch.full((10, 4), math.nan))


def test_other_shapes_are_an_error():
    with pytest.raises(ShapeError, match=r"\(N, classes\), got \(4,\)"):
        inception_score(torch.zeros(4))


def test_the_usual_splits_are_those_of_torch_fidelity(rng):
    logits = torch.as_tensor(rng.normal(size=(30, 6)))
    assert inception_score(logits) == inception_score(logits, splits=10, seed=2020)
