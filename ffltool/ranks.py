"""The process among those that torchrun started: its rank, its share of a list, sums over all of them."""

from __future__ import annotations

import os
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributed import Store  # type: ignore[attr-defined]  # torch does not say that it offers it

Item = TypeVar("Item")
_joinings = count()
# The group that ended last, kept until the next one ends: torch < 2.8, freeing a group, waits for its threads while it
# holds the GIL, and such a thread may need that to let go of what was summed last
_ended: deque[object] = deque(maxlen=1)
_RENDEZVOUS = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def world() -> int:
    """Return how many processes share the work; 1 unless a launcher says how they find each other."""
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in _RENDEZVOUS) else 1


def rank() -> int:
    """Return this process's place among them, 0 to world() - 1; 0 reports."""
    return int(os.environ["RANK"]) if world() > 1 else 0


def local() -> int:
    """Return this process's place among those of its machine, which is that of its GPU."""
    return int(os.environ.get("LOCAL_RANK", rank()))


@overload
def share(items: Tensor) -> Tensor: ...


@overload
def share(items: Sequence[Item]) -> Sequence[Item]: ...


def share(items: Sequence[Item] | Tensor) -> Sequence[Item] | Tensor:
    """Return every world()-th item from the rank()-th on: each item goes to exactly one process."""
    return items[rank() :: world()]


def cores() -> int:
    """Return how many processor cores this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", 1))))


@contextmanager
def group(device: str = "cpu") -> Iterator[None]:
    """Join the processes while the body runs; does nothing where there is one, or where they have joined.

    With `device` "cuda" tensors on GPUs are added up among these; those on the CPU always among processes.
    """
    if world() == 1:
        yield
        return
    from torch import distributed

    joined = distributed.is_initialized()
    if not joined:
        # addresses under a name of their own, or processes that join again find those of before and wait for ever
        prefix = f"ffltool {next(_joinings)}"
        store = distributed.PrefixStore(prefix, _store())  # type: ignore[attr-defined]  # as above
        backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
        distributed.init_process_group(backend, store=store, rank=rank(), world_size=world())
    try:
        yield
    finally:
        if not joined:
            _ended.append(distributed.group.WORLD)
            distributed.destroy_process_group()


def wait() -> None:
    """Wait until all processes of the group have come here."""
    if world() > 1:
        import torch

        all_reduce(torch.zeros(1))


@cache
def _store() -> Store:
    """Return where processes leave their addresses for one another."""
    from torch.distributed.rendezvous import rendezvous

    store: Store = next(rendezvous("env://"))[0]
    return store


def all_reduce(values: array[float] | Tensor) -> None:
    """Add up `values`, an ``array("d")`` or a tensor, over all processes, in place; for one, leave it."""
    if world() == 1 or not len(values):
        return
    import torch

    flat = torch.frombuffer(values, dtype=torch.float64) if isinstance(values, array) else values
    torch.distributed.all_reduce(flat)
