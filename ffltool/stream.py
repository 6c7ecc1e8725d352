"""Work on many items ahead of the one asked for, on all cores, in memory that does not grow with their number."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ffltool.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

_FEW = 4  # from how many items on starting workers pays
_AHEAD = 4  # chunks that a worker may be ahead of the one that is asked for


def stream(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    workers: int,
    chunk: int = 1,
    processes: bool = False,
) -> Iterator[Result]:
    """Return an iterator over ``work(item)`` of each item, in order.

    Parameters
    ----------
    workers : how many; for fewer than two, or a handful of items, the caller does the work itself.
    chunk : items that a worker takes at a time. Workers are ahead by a few chunks each.
    processes : fork processes, in place of threads. Threads are right for work that leaves the interpreter's lock,
        such as decoding a large image; small ones spend their time in the interpreter, where processes share nothing.
        Results must be picklable; items and work need not, they are there at the fork. This process must have one
        thread only.

    Raises
    ------
    What `work` raises, at its item's place; InputError if a process dies.
    """
    if workers < 2 or len(items) < _FEW:
        return map(work, items)
    if processes:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        pool = ProcessPoolExecutor(workers, get_context("fork"), initializer=_inherit, initargs=(work, items))
        return _results(pool, _inherited_chunk, len(items), chunk, workers * _AHEAD)
    return _results(ThreadPoolExecutor(workers), partial(_chunk, work, items), len(items), chunk, workers * _AHEAD)


def _results(
    pool: Executor, run: Callable[[int, int], list[Result]], count: int, chunk: int, ahead: int
) -> Iterator[Result]:
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for start in range(0, count, chunk):
            waiting.append(pool.submit(run, start, start + chunk))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenExecutor as error:
        raise InputError("a worker process was killed, perhaps for want of memory; try fewer --workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _chunk(work: Callable[[Item], Result], items: Sequence[Item], start: int, stop: int) -> list[Result]:
    return [work(item) for item in items[start:stop]]


# In a forked worker: the work and the items that were there at the fork
_inherited: Callable[[int, int], list] | None = None


def _inherit(work: Callable[[Item], Result], items: Sequence[Item]) -> None:
    global _inherited
    _inherited = partial(_chunk, work, items)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's business


def _inherited_chunk(start: int, stop: int) -> list:
    return _inherited(start, stop)
