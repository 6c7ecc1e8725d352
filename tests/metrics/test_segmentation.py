import json
import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.errors import InputError, NothingComparedError, ShapeError
from ffltool.label_maps import MOST, LabelMaps
from ffltool.metrics.segmentation import Confusion, confusion_of, miou, of_labels, pixel_accuracy

REAL, FAKE = np.array([[0, 0], [1, 255]]), np.array([[0, 1], [1, 1]])


@pytest.fixture
def maps_of(rng):
    """Return a function that makes two label maps of some classes, a tenth of the pixels ignored on either side."""

    def maps_of(*shape, classes=5):
        real, fake = rng.integers(0, classes, (2, *shape))
        fake = np.where(rng.random(shape) < 0.5, real, fake)
        for labels in (real, fake):
            labels[rng.random(shape) < 0.1] = 255
        return real.astype(np.uint8), fake.astype(np.uint8)

    return maps_of


def slow(real, fake, *, classes):
    """The definitions, pixel by pixel: matrix, IoU of each class (NaN where absent), right pixels."""
    matrix = [[0] * classes for _ in range(classes)]
    missed = [0] * classes
    for one, other in zip(real.ravel().tolist(), fake.ravel().tolist(), strict=True):
        if one != 255 and other == 255:
            missed[one] += 1
        elif one != 255:
            matrix[one][other] += 1
    iou = []
    for label in range(classes):
        union = sum(matrix[label]) + sum(row[label] for row in matrix) - matrix[label][label] + missed[label]
        iou.append(matrix[label][label] / union if union else math.nan)
    return matrix, iou, sum(matrix[label][label] for label in range(classes))


def test_by_hand():
    # class 0: 1 pixel of 2 in common; class 1: 1 of 2, for the ignored pixel is no false find
    assert miou(REAL, FAKE) == 1 / 2
    assert pixel_accuracy(REAL, FAKE) == 2 / 3
    assert pixel_accuracy(REAL, FAKE, accuracy_over="all") == 2 / 4


def test_absent_classes_are_left_out_or_count_0():
    assert miou(REAL, FAKE, classes=4) == miou(REAL, FAKE) == 1 / 2
    assert miou(REAL, FAKE, classes=4, absent="zero") == 1 / 4
    found = confusion_of(REAL, FAKE, LabelMaps(classes=4)).compute()
    np.testing.assert_equal(found.iou, [1 / 2, 1 / 2, math.nan, math.nan])
    np.testing.assert_equal(found.accuracy, [1 / 2, 1, math.nan, math.nan])


def test_a_class_that_the_fake_alone_has_is_there_and_0():
    real, fake = np.array([[0, 0]]), np.array([[0, 1]])
    assert miou(real, fake) == (1 / 2 + 0) / 2
    found = confusion_of(real, fake, LabelMaps()).compute()
    np.testing.assert_equal((found.iou, found.accuracy), ([1 / 2, 0], [1 / 2, math.nan]))


def test_a_fake_pixel_of_the_ignore_index_is_missed_and_no_false_find():
    real, fake = np.array([[0, 0], [1, 1]]), np.array([[0, 255], [1, 1]])
    assert miou(real, fake) == (1 / 2 + 1) / 2
    assert pixel_accuracy(real, fake) == 3 / 4
    both = np.array([[255, 0]])
    assert pixel_accuracy(both, both, accuracy_over="all") == 1 / 2, "an ignored pixel is never right"


def test_a_class_that_is_the_ignore_index_is_none():
    real, fake = np.array([[0, 0, 1, 2]]), np.array([[1, 2, 1, 1]])
    assert miou(real, fake, classes=3, ignore_index=0, absent="zero") == (1 / 2 + 0) / 2
    assert confusion_of(real, fake, LabelMaps(ignore_index=0)).compute().labels.tolist() == [1, 2]


def test_minus_1_ignores_nothing_or_what_has_it():
    real = np.array([[0, 255]], dtype=np.uint8)
    assert miou(real, real[:, ::-1], ignore_index=-1) == 0
    assert pixel_accuracy(np.array([[0, -1]]), np.array([[0, 0]]), ignore_index=-1) == 1


@pytest.mark.parametrize("shape", [(1, 1), (7, 12), (2, 9, 16)], ids=str)
@pytest.mark.parametrize("classes", [1, 5])
def test_equals_the_slow_definition(maps_of, shape, classes):
    real, fake = maps_of(*shape, classes=classes)
    real.flat[0] = fake.flat[0] = 0
    matrix, iou, right = slow(real, fake, classes=classes + 2)
    found = confusion_of(real, fake, LabelMaps(classes=classes + 2))
    assert found.matrix[1:, 1:].tolist() == matrix
    np.testing.assert_equal(found.compute().iou, iou)
    assert miou(real, fake) == pytest.approx(np.nanmean(iou), rel=1e-14)
    mean = np.nan_to_num(iou).mean()
    assert miou(real, fake, classes=classes + 2, absent="zero") == pytest.approx(mean, rel=1e-14)
    assert pixel_accuracy(real, fake) == right / (real != 255).sum()
    assert pixel_accuracy(real, fake, accuracy_over="all") == right / real.size


def test_identical_maps_are_1_and_disjoint_ones_0(maps_of):
    real, _ = maps_of(8, 9)
    assert (miou(real, real), pixel_accuracy(real, real)) == (1, 1)
    other = np.where(real == 255, real, (real + 1) % 5).astype(np.uint8)
    assert (miou(real, other), pixel_accuracy(real, other)) == (0, 0)


def test_types_do_not_matter_and_tensors_will_do(maps_of):
    real, fake = maps_of(8, 9)
    for dtype in (np.uint16, np.int64):
        assert miou(real.astype(dtype), fake.astype(dtype)) == miou(real, fake)
    assert miou(torch.from_numpy(real), torch.from_numpy(fake)) == miou(real, fake)
    with pytest.raises(ShapeError, match="labels must be integers, got float64"):
        miou(real / 1, fake)


@pytest.mark.parametrize("classes", [None, 6])
def test_parts_merged_equal_the_whole_though_they_know_other_labels(maps_of, classes):
    maps = LabelMaps(classes=classes)
    pairs = [maps_of(6, 7, classes=count) for count in (2, 5, 3)]
    whole, first, second = Confusion(maps), Confusion(maps), Confusion(maps)
    for number, each in enumerate(pairs):
        whole.update(*each)
        (first, second)[number > 0].update(*each)
    before = second.matrix.copy()
    first.merge(second)
    np.testing.assert_equal(first.matrix, whole.matrix)
    np.testing.assert_equal(second.matrix, before)
    assert first.matrix.sum() == 3 * 42
    for name in ("miou", "pixel_accuracy"):
        assert of_labels(name, first.compute(), maps) == of_labels(name, first.compute(), maps)
    smaller = Confusion(maps)
    smaller.update(*pairs[0])
    whole.merge(smaller)
    assert whole.matrix.sum() == 4 * 42


@pytest.mark.parametrize("classes", [None, 6])
@pytest.mark.parametrize("counts", [(2, 5), (5, 2), (3, 3)], ids=str)
def test_matrices_of_two_processes_add_up_though_they_know_other_labels(maps_of, in_ranks, counts, classes):
    maps = LabelMaps(classes=classes)
    pairs, whole = [maps_of(6, 7, classes=count) for count in counts], Confusion(maps)
    for each in pairs:
        whole.update(*each)

    def part(rank):
        confusion = Confusion(maps)
        confusion.update(*pairs[rank])
        confusion.all_reduce()
        return confusion.matrix

    for matrix in in_ranks(part)[0]:
        np.testing.assert_equal(matrix, whole.matrix)


def test_two_processes_may_know_the_largest_label_or_none(in_ranks):
    labels = [np.array([MOST - 1]), np.array([], dtype=int)]

    def part(rank):
        confusion = Confusion(LabelMaps())
        confusion.update(labels[rank], labels[rank])
        confusion.all_reduce()
        return confusion.matrix.shape, confusion.matrix[-1, -1], confusion.matrix.sum()

    assert in_ranks(part)[0] == [((1 + MOST, 1 + MOST), 1, 1)] * 2


def test_what_the_metrics_of_labels_return_cannot_be_changed():
    found = confusion_of(REAL, FAKE, LabelMaps()).compute()
    with pytest.raises(FrozenInstanceError):
        found.pixels = 0


def test_a_label_beyond_the_classes_is_an_error():
    with pytest.raises(InputError, match="label 5 is no class: 5 classes are 0 to 4, and 255 is ignored"):
        miou(np.array([0, 4]), np.array([5, 7]), classes=5)
    with pytest.raises(InputError, match="label 4096 is no class: at most 4096 classes are counted"):
        miou(np.array([0, 4096]), np.array([0, 0]))
    with pytest.raises(InputError, match="label -1 is no class"):
        miou(np.array([0, -1]), np.array([0, 0]))


def test_nothing_but_ignored_pixels_is_an_error():
    with pytest.raises(NothingComparedError, match="every pixel of the real label maps is the ignore index 255"):
        miou(np.full((2, 2), 255), FAKE)
    with pytest.raises(NothingComparedError):
        pixel_accuracy(np.full((2, 2), 255), FAKE, accuracy_over="all")
    with pytest.raises(NothingComparedError):
        miou(np.zeros((0, 2), dtype=int), np.zeros((0, 2), dtype=int))


def test_maps_of_different_shapes_are_an_error():
    with pytest.raises(ShapeError, match=r"one shape, got \(2, 2\) and \(2, 3\)"):
        miou(REAL, np.zeros((2, 3), dtype=int))


@pytest.mark.parametrize("classes", [5, 7])
def test_equals_the_authors_code_of_both_conventions(shared, classes):
    golden = json.loads((shared / "reference" / "segmentation.json").read_text())[f"classes{classes}"]
    labels = shared / "reference" / "inputs" / "labels"
    real, fake = (np.asarray(Image.open(labels / f"{name}.png")) for name in ("gt", "pred"))
    found = confusion_of(real, fake, LabelMaps(classes=classes))
    assert found.matrix[1:, 1:].tolist() == golden["confusion_rows_gt"]
    expected = [math.nan if value is None else value for value in golden["drn_iou"]]
    np.testing.assert_allclose(found.compute().iou, expected, rtol=1e-14)
    assert np.nanmean(found.compute().accuracy) == pytest.approx(golden["mean_class_accuracy"], rel=1e-14)
    assert miou(real, fake, classes=classes) == pytest.approx(golden["drn_miou_nanmean"], rel=1e-14)
    # theirs has 1e-10 pixels in its denominators
    mean = golden["csail_miou_mean_absent_as_0"]
    assert miou(real, fake, classes=classes, absent="zero") == pytest.approx(mean, rel=1e-12)
    assert pixel_accuracy(real, fake) == pytest.approx(golden["pixel_accuracy_ignoring_255"], rel=1e-14)
    over_all = pixel_accuracy(real, fake, accuracy_over="all")
    assert over_all == pytest.approx(golden["pixel_accuracy_all_pixels"], rel=1e-14)
