import math

import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.sums import Mean, Rows, Sums


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
