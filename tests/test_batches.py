import numpy as np
import pytest
import torch

from ffltool import batches, ranks
from ffltool.batches import Batch, few_threads
from ffltool.errors import ShapeError
from ffltool.outcomes import FAILED, MEASURED, Facts, Outcome, Table


def images(rng, *shapes):
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]


def test_images_of_one_shape_are_handed_on_together_and_in_order(rng, monkeypatch):
    monkeypatch.setattr(batches, "_BATCH", 3 * 12)
    taken = []
    batch = Batch(taken.append)
    given = images(rng, *[(3, 2, 2)] * 4, (1, 2, 2), (3, 2, 2))
    for image in given:
        batch.add(image)
    batch.flush()
    batch.flush()
    assert [tuple(each.shape) for each in taken] == [(3, 3, 2, 2), (1, 3, 2, 2), (1, 1, 2, 2), (1, 3, 2, 2)]
    found = [image for each in taken for image in each.numpy()]
    assert all((one == other).all() for one, other in zip(found, given, strict=True))


def test_partners_stay_together(rng):
    taken = []
    batch = Batch(lambda *pair: taken.append(pair))
    (one, other), (third, fourth) = images(rng, (3, 4, 4), (3, 4, 4)), images(rng, (3, 4, 4), (3, 4, 4))
    batch.add(one, other)
    batch.add(third, fourth)
    batch.flush()
    ((reals, fakes),) = taken
    assert reals.tolist() == [one.tolist(), third.tolist()]
    assert fakes.tolist() == [other.tolist(), fourth.tolist()]


def test_images_of_8_and_16_bits_do_not_meet_in_a_batch(rng):
    taken = []
    batch = Batch(taken.append)
    batch.add(np.zeros((1, 2, 2), dtype=np.uint8))
    batch.add(np.ones((1, 2, 2)))
    batch.flush()
    assert [each.dtype for each in taken] == [torch.uint8, torch.float64]


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (8, 2)])
def test_a_quarter_of_the_cores_computes_while_the_others_decode(monkeypatch, cores, threads):
    before = torch.get_num_threads()
    monkeypatch.setattr(ranks, "cores", lambda: cores)
    with few_threads():
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("measured", [0, 1, 2])
def test_a_failure_is_in_the_table_even_behind_the_last_item(measured):
    def outcomes():
        yield from [Outcome(MEASURED, Facts(1, 2, 3), Facts(4, 5, 6), 7, (8.0,))] * measured
        raise ShapeError("what is wrong")

    table = Table(items=2, values=1)
    table.fill(outcomes())
    assert len(table.numbers) == 2 * table.width
    assert [outcome.state for outcome in table.outcomes()].count(FAILED) == 1
    with pytest.raises(ShapeError, match="what is wrong"):
        table.all_reduce()


def test_rows_of_a_table_are_outcomes_without_images():
    row = Outcome(MEASURED, Facts(1, 2, 3), Facts(4, 5, 6), 7, (8.0, 9.0), cut=(np.zeros(1), None))
    table = Table(items=1, values=2)
    table.fill([row])
    assert list(table.outcomes()) == [row._replace(cut=(None, None))]
