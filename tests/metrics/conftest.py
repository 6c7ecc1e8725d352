"""Processes that add up their sums, as threads: quicker to start, and to look into."""

import threading
from array import array
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ffltool import ranks

PATIENCE = 20  # seconds that one waits for the others, whose sums then are not asked for in the same order


@pytest.fixture
def in_ranks(monkeypatch):
    """Return a function that works once per rank, each a thread that takes itself for a process, and tells the results.

    The results are in the order of the ranks; beside them is how many sums were added up over all.
    """

    def in_ranks(work, *, world=2):
        me, meeting = threading.local(), threading.Barrier(world, timeout=PATIENCE)
        given, calls = {}, []

        def all_reduce(values):
            flat = torch.frombuffer(values, dtype=torch.float64) if isinstance(values, array) else values
            given[me.rank] = flat.clone()
            meeting.wait()
            total = torch.stack([given[rank] for rank in range(world)]).sum(0)
            meeting.wait()
            flat.copy_(total)
            calls.append(me.rank)

        def one(rank):
            me.rank = rank
            return work(rank)

        with monkeypatch.context() as patched, ThreadPoolExecutor(world) as pool:
            patched.setattr(ranks, "world", lambda: world)
            patched.setattr(ranks, "rank", lambda: me.rank)
            patched.setattr(ranks, "all_reduce", all_reduce)
            return list(pool.map(one, range(world))), calls.count(0)

    return in_ranks
