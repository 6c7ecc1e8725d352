"""Batches under way on a device; those on a GPU are in test_cuda.py."""

import threading

import numpy as np
import pytest
import torch

from ffltool import ranks
from ffltool.ahead import Ahead


def test_results_are_those_of_their_work_and_errors_too():
    with Ahead("cpu") as ahead:
        images = [np.full((3, 2, 2), number, dtype=np.uint8) for number in range(4)]
        under_way = [
            ahead.start(lambda image=image: {"sum": ahead.tensor([image, image]).sum((1, 2, 3))}) for image in images
        ]
        assert [each()["sum"].tolist() for each in under_way] == [[12 * number] * 2 for number in range(4)]
        with pytest.raises(ZeroDivisionError):
            ahead.start(lambda: 1 / 0)()


def test_each_core_takes_a_batch_of_its_own(monkeypatch):
    monkeypatch.setattr(ranks, "cores", lambda: 2)
    meeting = threading.Barrier(2, timeout=30)
    with Ahead("cpu") as ahead:
        under_way = [ahead.start(lambda: {"met": torch.tensor(meeting.wait())}) for _ in range(2)]
        assert sorted(each()["met"].item() for each in under_way) == [0, 1]


def test_what_is_not_asked_for_any_more_is_not_begun(monkeypatch):
    monkeypatch.setattr(ranks, "cores", lambda: 1)
    begun, going = [], threading.Event()

    def work(number):
        going.wait(30)
        begun.append(number)
        return {}

    with Ahead("cpu") as ahead:
        for number in range(5):
            ahead.start(lambda number=number: work(number))
        threading.Timer(0.1, going.set).start()
    assert begun in ([0], [])
