"""How inputs lie in memory, how much of them is worked on at a time, and that they stay as they were."""

import pytest
import torch
from focal_frequency_loss import FocalFrequencyLoss as Package

from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from tests.loss.common import KINDS, assert_all_near, assert_near, each_kind, graded, images

pytestmark = pytest.mark.usefixtures("one_thread")

LAYOUTS = {
    "channels last": lambda batch: batch.to(memory_format=torch.channels_last),
    "every other column": lambda batch: batch.repeat_interleave(2, -1)[..., ::2],
    "part of a larger image": lambda batch: torch.nn.functional.pad(batch, (1, 2, 3, 4))[..., 3:-4, 1:-2],
    "transposed": lambda batch: batch.mT.contiguous().mT,
    "batch of views": lambda batch: batch.movedim(0, -1).contiguous().movedim(-1, 0),
}


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_order_in_memory_does_not_matter(layout, patch_factor, kind):
    pair = images(2, 3, 6, 8)
    strange = [layout(batch) for batch in pair]
    assert not any(batch.is_contiguous() for batch in strange)
    for given in (strange, (strange[0], pair[1])):
        actual, expected = (
            graded(focal_frequency_loss, *pair, patch_factor=patch_factor, **kind) for pair in (given, pair)
        )
        assert_all_near(actual, expected, 1e-13)


def test_one_image_may_stand_for_a_whole_batch():
    pred, target = images(4, 3, 6, 8)
    target = target[:1].expand_as(pred)
    assert_near(focal_frequency_loss(pred, target), focal_frequency_loss(pred, target.contiguous()), 1e-13)


@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"alpha": 0.5, "exclude_dc": True}], ids=str)
@pytest.mark.parametrize("matrix", [None, "one for each image"])
@pytest.mark.parametrize("block", [1, 4 * 6 * 8 + 5, 2**40], ids=["a plane at a time", "with a rest", "all at once"])
def test_blocks_do_not_change_the_result(monkeypatch, block, matrix, options):
    pair = images(2, 3, 6, 8)
    if matrix is not None:
        matrix, _ = images(2, 4, 3, 3, 4, seed=2) if "patch_factor" in options else images(2, 3, 6, 8, seed=2)
    expected = graded(focal_frequency_loss, *pair, matrix=matrix, **options)
    monkeypatch.setattr("ffltool.distances._BLOCK", block)
    assert_all_near(graded(focal_frequency_loss, *pair, matrix=matrix, **options), expected, 1e-14)


def test_the_largest_weight_of_a_batch_is_taken_over_all_blocks(monkeypatch):
    monkeypatch.setattr("ffltool.distances._BLOCK", 1)
    pair = images(3, 2, 6, 8)
    ours, package = (Loss(batch_matrix=True) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair))


@each_kind
@pytest.mark.parametrize("options", [{}, {"log_matrix": True, "alpha": 2.0}, {"patch_factor": 2}], ids=str)
def test_what_is_given_stays_as_it_was(options, kind):
    pair = images(2, 3, 6, 8)
    matrix, _ = images(3, 4, seed=2) if "patch_factor" in options else images(2, 3, 6, 8, seed=2)
    copies = [tensor.clone() for tensor in (*pair, matrix)]
    exclude_dc = kind != KINDS["pixels"]
    for given in (None, matrix):
        graded(focal_frequency_loss, *pair, matrix=given, **options, **kind)
        focal_frequency_loss(*pair, given, exclude_dc=exclude_dc, **options, **kind)
    assert all(torch.equal(*both) for both in zip((*pair, matrix), copies, strict=True))
