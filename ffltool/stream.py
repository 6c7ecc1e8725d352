"""Work on many items ahead of the one asked for, on all cores, in memory that does not grow with their number.

Threads decode; for a hundred small files and more they are forked processes where the system has them, since threads
then wait for the interpreter.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from threading import Event
from typing import Any, Protocol, TypeVar

from ffltool import ranks
from ffltool.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
_FEW = 4  # from how many items on starting workers pays
_LOOK = 0.5  # seconds between two looks for the parent
_MOST = 1024  # workers, which is more than there are cores
_AHEAD = 4  # chunks that a worker may be ahead of the one that is asked for


class Progress(Protocol):
    """What is told how far work is: given an iterable and its length, it passes on what that yields."""

    def __call__(self, items: Iterable[Item], total: int, /) -> Iterable[Item]:
        """Wrap the iterable."""


def watched(items: Iterable[Item], total: int, progress: Progress | None) -> Iterable[Item]:
    """Return items as they are, or passed on by what is told how far work is."""
    return progress(items, total) if progress else items


def workers_of(wanted: int | None) -> int:
    """Return how many workers are wanted: one for each core that this process may use where nothing else is said."""
    return ranks.cores() if wanted is None else wanted


def starts_workers(items: int, workers: int) -> bool:
    """Tell whether so many items start workers, or whether the caller does the work itself."""
    return workers >= 2 and items >= _FEW


def stream(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    workers: int | None = None,
    chunk: int = 1,
    processes: bool = False,
) -> Iterator[Result]:
    """Return an iterator over ``work(item)`` of each item, in order.

    Parameters
    ----------
    workers : how many, 1024 at most, and by default one for each core; for fewer than two, or a handful of items, the
        caller does the work itself.
    chunk : items that a worker takes at a time. Workers are ahead by a few chunks each.
    processes : fork processes, in place of threads. Threads are right for work that leaves the interpreter's lock,
        such as decoding a large image; small ones spend their time in the interpreter, where processes share nothing.
        Results must be picklable; items and work need not, they are there at the fork. This process must have one
        thread only.

    Raises
    ------
    What `work` raises, at its item's place; InputError if a process dies, or no more of them can be started.
    """
    workers = workers_of(workers)
    if not starts_workers(len(items), workers):
        return map(work, items)
    stopped = threading.Event()
    run = partial(_chunk, work, items, stopped)
    task = _inherited_chunk if processes else run

    # the first chunks are handed in here and now: what the caller does before it takes results may start threads
    places = range(0, len(items), chunk)
    workers, starts = min(workers, len(places), _MOST), iter(places)
    with _interrupts_held(), _all_or_none(stopped, processes=processes):
        pool = _forked(workers, run) if processes else ThreadPoolExecutor(workers)
        waiting = deque(pool.submit(task, start, start + chunk) for start in islice(starts, workers * _AHEAD))
    return _results(pool, waiting, (pool.submit(task, start, start + chunk) for start in starts), stopped)


def _results(
    pool: Executor, waiting: deque[Future[list[Result]]], others: Iterator[Future[list[Result]]], stopped: Event
) -> Iterator[Result]:
    try:
        while waiting:
            yield from waiting.popleft().result()
            waiting.extend(islice(others, 1))
    except BrokenExecutor as error:
        raise InputError("a worker process was killed, perhaps for want of memory; try fewer --workers") from error
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _chunk(
    work: Callable[[Item], Result], items: Sequence[Item], stopped: Event, start: int, stop: int
) -> list[Result]:
    return [work(item) for item in items[start:stop] if not stopped.is_set()]


def _forked(workers: int, run: Callable[[int, int], list[Result]]) -> Executor:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, get_context("fork"), initializer=_inherit, initargs=(run, os.getpid()))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back an interrupt while workers start; forked ones never see it, for it is the parent's business."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def _all_or_none(stopped: Event, *, processes: bool) -> Iterator[None]:
    """Where a worker cannot be started, as there may be no more of them, end the others and say so.

    Python would wait for them at its own end, and they for work.
    """
    if processes:
        from multiprocessing import active_children
    others = active_children() if processes else []
    try:
        yield
    except (RuntimeError, OSError) as error:
        stopped.set()
        for worker in set(active_children() if processes else []).difference(others):
            worker.kill()
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"a worker cannot be started ({reason}); try fewer --workers") from error


# In a forked worker: how it does a chunk of the items that were there at the fork, whatever these are
_inherited: Callable[[int, int], list[Any]]


def _inherit(run: Callable[[int, int], list[Any]], parent: int) -> None:
    global _inherited
    _inherited = run
    gc.freeze()  # what was there at the fork stays where it is, in memory that is shared until it is touched
    try:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    except RuntimeError:  # there may be no more threads; the parent says that a worker ended
        os._exit(1)


def _end_with(parent: int) -> None:
    """End this process soon after its parent is gone, however that went."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def _inherited_chunk(start: int, stop: int) -> list[Any]:
    return _inherited(start, stop)
