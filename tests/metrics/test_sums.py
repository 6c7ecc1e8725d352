import math

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.sums import Mean, Placed, Rows, Sums

NUMBERS = torch.arange(14.0).reshape(7, 2)


def test_parts_merged_equal_the_whole():
    values = [3.5, -1.25, math.inf, 8.0, 2.0]
    whole, first, second = Mean(origin=3.5), Mean(origin=3.5), Mean(origin=3.5)
    whole.update(values)
    first.update(values[:2])
    second.update(values[2:])
    first.merge(second)
    assert first.state == whole.state
    assert second.state["count"] == 2, "merging leaves the other as it was"


def test_compute_only_reads():
    mean = Mean()
    mean.update([1.0, 2.0, 6.0])
    assert mean.compute() == mean.compute() == (3.0, pytest.approx(math.sqrt(14 / 3)))


def test_deviation_keeps_its_digits_about_an_origin():
    values = [1e9, 1e9 + 1, 1e9 + 2]
    mean = Mean(origin=1e9)
    mean.update(values)
    assert mean.compute() == (1e9 + 1, pytest.approx(math.sqrt(2 / 3), rel=1e-15))


def test_equal_values_have_no_deviation():
    mean = Mean(origin=0.1)
    mean.update([0.1] * 7)
    assert mean.compute() == (0.1, 0.0)


def test_the_mean_of_nothing_is_an_error():
    mean = Mean()
    mean.update([math.inf])
    with pytest.raises(InputError, match="no finite values"):
        mean.compute()


def test_means_about_different_origins_do_not_merge():
    with pytest.raises(ValueError, match="one origin"):
        Mean(origin=1.0).merge(Mean())


def test_tensors_add_up_in_float64():
    sums = Sums(total=(2,), count=())
    sums.add(total=torch.tensor([1.0, 2.0]), count=1)
    sums.merge(sums)
    assert sums.state["total"].tolist() == [2.0, 4.0]
    assert sums.state["total"].dtype == torch.float64
    assert sums.state["count"] == 2.0


def test_all_reduce_of_one_process_changes_nothing():
    sums = Sums(count=())
    sums.add(count=3)
    sums.all_reduce()
    assert sums.state == {"count": 3.0}


def test_rows_come_back_in_order_as_float32():
    rows, more = Rows(2), Rows(2)
    rows.update(torch.tensor([[1.0, 2.0]], dtype=torch.float64))
    more.update(torch.tensor([[3, 4], [5, 6]]))
    rows.merge(more)
    rows.all_reduce()
    assert rows.compute().tolist() == rows.compute().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert rows.compute().dtype == torch.float32
    assert (rows.state["count"], more.state["count"]) == (3, 2), "merging leaves the other as it was"
    assert Rows(4).compute().shape == (0, 4)


def test_rows_of_another_width_are_an_error():
    with pytest.raises(ShapeError, match=r"shape \(N, 2\), got \(1, 3\)"):
        Rows(2).update(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="one width"):
        Rows(2).merge(Rows(3))


def test_rows_merge_with_rows_alone():
    with pytest.raises(ValueError, match="one width"):
        Rows(2).merge(Sums(count=()))


def test_means_merge_with_means_alone():
    sums = Sums(count=(), total=(), squares=(), infinite=())
    with pytest.raises(ValueError, match="only means"):
        Mean().merge(sums)


def test_rows_keep_no_gradients():
    rows = Rows(2)
    rows.update(torch.ones(1, 2, requires_grad=True))
    assert not rows.compute().requires_grad


def test_placed_rows_come_back_in_order_and_from_arrays():
    placed, again = Placed(2), Placed(2)
    for places in ([6, 0], [3], [5, 4, 2], [1]):
        placed.update(NUMBERS[places].double(), places)
    placed.all_reduce()
    assert torch.equal(placed.compute(), NUMBERS)
    arrays = placed.arrays()
    assert {name: array.dtype for name, array in arrays.items()} == {"rows": np.float32}
    again.update(torch.ones(3, 2), [2, 1, 0])
    again.restore(arrays)
    assert torch.equal(again.compute(), NUMBERS), "what was there has gone"
    again.update(torch.full((1, 2), -1.0), [7])
    assert again.compute()[-1].tolist() == [-1, -1]


def test_sums_of_several_processes_are_those_of_all_in_one_call(in_ranks):
    values = [1.5, math.inf, 4.0, -2.0, 8.25, math.inf]
    whole = Mean(origin=1.5)
    whole.update(values)

    def part(rank):
        mean, sums = Mean(origin=1.5), Sums(outer=(2, 3), count=(), total=(2,), more=())
        mean.update(values[rank::3])
        mean.all_reduce()
        sums.add(outer=torch.arange(6.0).reshape(2, 3) + rank, count=1, total=torch.tensor([rank, 5]), more=10 * rank)
        sums.all_reduce()
        return mean.state, sums.state

    parts, calls = in_ranks(part, world=3)
    assert calls == 2
    for mean, sums in parts:
        assert mean == whole.state
        assert sums["outer"].tolist() == [[3, 6, 9], [12, 15, 18]]
        assert (sums["count"], sums["total"].tolist(), sums["more"]) == (3, [3, 15], 30)
        assert isinstance(sums["count"], float)
        assert sums["outer"].dtype == torch.float64


@pytest.mark.parametrize("shares", [(7, 0, 0), (0, 3, 4), (2, 5, 0), (0, 0, 0)], ids=str)
def test_rows_of_several_processes_are_gathered_one_behind_the_other(in_ranks, shares):
    total = sum(shares)

    def part(rank):
        rows = Rows(2)
        rows.update(NUMBERS[sum(shares[:rank]) :][: shares[rank]])
        rows.all_reduce()
        return rows.compute(), rows.state["count"]

    for rows, count in in_ranks(part, world=3)[0]:
        assert torch.equal(rows, NUMBERS[:total])
        assert rows.dtype == torch.float32
        assert (count, type(count)) == (total, float)


def test_placed_rows_of_several_processes_are_in_order(in_ranks):
    def part(rank):
        placed = Placed(2)
        places = list(range(6 - rank, -1, -2))
        placed.update(NUMBERS[places], places)
        placed.all_reduce()
        return placed.compute()

    for rows in in_ranks(part)[0]:
        assert torch.equal(rows, NUMBERS)
