import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ffltool import ranks
from ffltool.errors import InputError
from ffltool.stream import stream


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("chunk", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 4, 50])
def test_yields_every_result_in_order(workers, chunk, count):
    results = stream(range(count), lambda item: item * item, workers=workers, chunk=chunk)
    assert list(results) == [item * item for item in range(count)]


def test_there_is_a_worker_for_each_core_by_default(monkeypatch):
    monkeypatch.setattr(ranks, "cores", lambda: 3)
    three = threading.Barrier(3)  # which three at a time pass, and fewer never
    assert list(stream(range(6), lambda item: three.wait(timeout=60) >= 0)) == [True] * 6


def test_is_only_a_little_ahead():
    done = []
    results = stream(range(1000), done.append, workers=2)
    next(results)
    # four items ahead for each of two workers, the one that was asked for, and one that is being handed in
    assert len(done) <= 10
    results.close()


def test_a_handful_of_items_starts_no_thread():
    threads = stream(range(3), lambda _: threading.current_thread(), workers=8)
    assert set(threads) == {threading.main_thread()}


def test_a_thread_may_ask_too():
    found = []
    thread = threading.Thread(target=lambda: found.extend(stream(range(9), lambda item: -item, workers=2)))
    thread.start()
    thread.join()
    assert found == [-item for item in range(9)]


def test_an_exception_comes_at_its_items_place():
    results = stream(range(20), lambda item: 1 / (item - 7), workers=2, chunk=1)
    assert len([next(results) for _ in range(7)]) == 7
    with pytest.raises(ZeroDivisionError):
        next(results)


FORKED = """
import os, sys, threading, time
from multiprocessing import get_context
from ffltool.stream import stream
from ffltool.errors import InputError

both = get_context("fork").Barrier(2)
parent = os.getpid()
place = {place}
def work(item):
    if item in (0, 4):  # the first of the first two chunks wait for each other, so that each worker has one
        both.wait(timeout=60)
    if item == 33 and place == "raise":
        raise InputError("item 33")
    if item == 33 and place == "die":
        os._exit(1)
    return item * item, os.getpid()

results = stream(range(50), work, workers=2, chunk=4, processes=True)
# what the caller does now comes after the fork: with a thread running it would be a warning, here an error
threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
squares, workers = zip(*results)
assert list(squares) == [item * item for item in range(50)]
assert len(set(workers)) <= 2 and parent not in workers  # on a busy machine one may do all
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
@pytest.mark.parametrize(
    ("place", "message"),
    [("", ""), ("raise", "InputError: item 33"), ("die", "InputError: a worker process was killed")],
)
def test_forked_processes_do_the_same(place, message):
    script = FORKED.format(place=repr(place))
    result = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert message in result.stderr
    assert (result.returncode == 0) == (not message)


def test_no_more_workers_are_started_than_there_are_chunks():
    assert list(stream(range(9), str, workers=10**30, chunk=3)) == list("012345678")


def test_a_thread_that_cannot_be_started_is_an_error(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(InputError, match=r"a worker cannot be started \(can't start new thread\); try fewer --workers"):
        stream(range(9), str, workers=2)


NO_MORE = """
import os, threading
from ffltool.stream import stream

fork, forked = os.fork, []
def fork_twice():
    if len(forked) == 2:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    forked.append(fork())
    return forked[-1]

def refuse(thread):
    raise RuntimeError("can't start new thread")

os.fork = fork_twice
if {no_thread}:
    os.register_at_fork(after_in_child=lambda: setattr(threading.Thread, "start", refuse))
list(stream(range(50), str, workers={workers}, chunk=4, processes=True))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
@pytest.mark.parametrize(
    ("workers", "no_thread", "message"),
    [
        (3, False, r"a worker cannot be started \(Resource temporarily unavailable\); try fewer --workers"),
        (2, True, "a worker (process was killed|cannot be started)"),
    ],
)
def test_where_there_may_be_no_more_processes_the_run_ends_and_says_so(workers, no_thread, message):
    script = NO_MORE.format(workers=workers, no_thread=no_thread)
    # the limit on the time is there because Python waits at its end for processes that wait for work
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert re.search(f"InputError: {message}", result.stderr)
    assert "Exception in initializer" not in result.stderr


ORPHANS = """
import os, sys, time
from ffltool.stream import stream

def work(item):
    time.sleep(0.01)
    return os.getpid()

results = stream(range(10_000), work, workers=2, chunk=4, processes=True)
workers = {next(results) for _ in range(40)}
print(*workers, flush=True)
for _ in results:
    pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_workers_end_with_a_parent_that_was_killed():
    process = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True)
    workers = [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.communicate()
    assert workers
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}/cmdline").exists() and is_alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "orphans"
        time.sleep(0.1)


def is_alive(pid):
    """Tell a process from one that only waits for its status to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
