"""Downloads from a server on this machine that breaks off, answers nonsense, or has moved away."""

import errno
import io
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
import requests

from ffltool import downloads
from ffltool.errors import WeightsError

TWO_AT_ONCE = """
import sys
from pathlib import Path
from ffltool.downloads import fetch
fetch(sys.argv[1], Path(sys.argv[2]), size=int(sys.argv[3]), sha256=sys.argv[4])
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small chunks, and no wait between attempts."""
    monkeypatch.setattr(downloads, "_CHUNK", 256)
    monkeypatch.setattr(pooch.core, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "weights" / "small.pth"


@pytest.fixture
def fetch(server, target):
    """Return a function that fetches what the server has."""

    def fetch(**changes):
        settings = {"size": len(server.content), "sha256": server.sha256} | changes
        downloads.fetch(server.url, target, **settings)

    return fetch


def error_of(fetch, **changes):
    with pytest.raises(WeightsError) as caught:
        fetch(**changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_arrives_whole_and_nothing_else(server, target, fetch):
    fetch()
    assert target.read_bytes() == server.content
    assert list(target.parent.iterdir()) == [target]
    assert server.requests == [None]


def test_nothing_is_printed(fetch, capfd):
    fetch()
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_there_is_not_fetched_again_and_a_damaged_one_is(server, target, fetch):
    fetch()
    fetch()
    assert len(server.requests) == 1
    target.write_bytes(server.content[:-1])
    fetch()
    assert len(server.requests) == 2
    assert target.read_bytes() == server.content


def test_progress_wraps_the_chunks_that_are_still_to_come(server, target, fetch):
    counts, sizes = [], []

    def progress(chunks, count):
        counts.append(count)
        for chunk in chunks:
            sizes.append(len(chunk))
            yield chunk

    server.cuts = (1000,)
    fetch(progress=progress)
    assert counts == [16, 13]
    assert sizes == [256] * 16
    assert target.read_bytes() == server.content


# connections that break


@pytest.mark.parametrize("announced", [True, False])
def test_an_attempt_goes_on_where_the_one_before_broke_off(server, target, fetch, announced):
    server.announced = announced
    server.cuts = (1024,)
    fetch()
    assert server.requests == [None, "bytes=1024-"]
    assert target.read_bytes() == server.content


def test_a_fetch_that_broke_off_is_taken_up_by_the_next(server, target, fetch):
    server.cuts = (600, 300, 0)
    line = error_of(fetch)
    kept = "the connection broke off; 768 of 4096 bytes are kept for the next attempt"
    assert line == f"{server.url} cannot be fetched: {kept}"
    assert [path.name for path in target.parent.iterdir()] == ["small.pth.part"]
    fetch()
    assert server.requests == [None, "bytes=512-", "bytes=768-", "bytes=768-"]
    assert target.read_bytes() == server.content
    assert list(target.parent.iterdir()) == [target]


def test_a_server_that_knows_no_ranges_starts_again(server, target, fetch):
    server.ranges = False
    server.cuts = (1000,)
    fetch()
    assert server.requests == [None, "bytes=768-"]
    assert target.read_bytes() == server.content


@pytest.mark.parametrize(
    ("part", "requested"),
    [(b"", [None]), (b"wrong", ["bytes=5-", None]), (bytes(4096), [None]), (bytes(5000), [None])],
    ids=["empty", "of another file", "as long", "too long"],
)
def test_whatever_part_is_there_the_file_arrives(server, target, fetch, part, requested):
    target.parent.mkdir(parents=True)
    target.with_name("small.pth.part").write_bytes(part)
    fetch()
    assert server.requests == requested
    assert target.read_bytes() == server.content
    assert list(target.parent.iterdir()) == [target]


def test_a_part_that_is_whole_needs_no_request(server, target, fetch):
    target.parent.mkdir(parents=True)
    target.with_name("small.pth.part").write_bytes(server.content)
    fetch()
    assert server.requests == []
    assert target.read_bytes() == server.content


def test_an_interrupt_keeps_what_came(server, target, fetch):
    def interrupted(chunks, count):
        yield next(iter(chunks))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(progress=interrupted)
    assert not target.exists()
    fetch()
    assert server.requests == [None, "bytes=256-"]
    assert target.read_bytes() == server.content


# answers that are not the file


def test_another_hash_is_an_error_and_leaves_nothing(server, target, fetch):
    line = error_of(fetch, sha256="0" * 64)
    assert line == f"{server.url} cannot be fetched: what came has another SHA-256 than {'0' * 64}"
    assert len(server.requests) == 3
    assert list(target.parent.iterdir()) == []


def test_another_hash_leaves_the_old_file_alone(target, fetch):
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    error_of(fetch, sha256="0" * 64)
    assert target.read_bytes() == b"old"


def test_another_size_is_an_error_before_anything_is_loaded(server, target, fetch):
    assert error_of(fetch, size=5000) == f"{server.url} cannot be fetched: it has 4096 bytes, not 5000"
    assert len(server.requests) == 1
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (403, 1), (503, 3)])
def test_an_http_error_is_named_and_tried_again_where_that_may_help(server, target, fetch, status, attempts):
    server.status = status
    assert error_of(fetch) == f"{server.url} cannot be fetched: HTTP status {status}"
    assert len(server.requests) == attempts
    assert list(target.parent.iterdir()) == []


def test_no_server_is_one_line_and_costs_no_part(server, target, fetch, monkeypatch):
    server.cuts = (600, 0, 0)
    error_of(fetch)
    monkeypatch.setattr(server, "url", "http://127.0.0.1:9/small.pth")
    kept = "512 of 4096 bytes are kept for the next attempt"
    assert error_of(fetch) == f"{server.url} cannot be fetched: the connection failed; {kept}"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.exceptions.ReadTimeout, "no answer in 30 seconds"),
        (requests.exceptions.SSLError, "its certificate is not trusted"),
        (requests.exceptions.TooManyRedirects, "TooManyRedirects"),
    ],
)
def test_the_reason_is_told_in_words(server, fetch, monkeypatch, error, reason):
    def fail(*arguments, **settings):
        raise error

    monkeypatch.setattr(requests, "get", fail)
    assert error_of(fetch) == f"{server.url} cannot be fetched: {reason}"


# folders


def test_a_full_disk_is_one_line_and_leaves_nothing(target, fetch, monkeypatch):
    class Full(io.FileIO):
        def write(self, chunk):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, mode: Full(path, "r+"))
    assert error_of(fetch) == f"{target} cannot be written: No space left on device"
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_one_line(target, fetch, monkeypatch):
    def closed(*arguments, **settings):
        raise PermissionError("as pooch words it, with no number")

    monkeypatch.setattr(pooch.core, "make_local_storage", closed)
    assert error_of(fetch) == f"{target} cannot be written: permission denied"


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, target, fetch):
    (tmp_path / "cache").write_text("a file")
    assert error_of(fetch).startswith(f"{target} cannot be written: ")


def test_two_processes_at_once_both_have_the_file(server, target):
    server.meeting = threading.Barrier(2)
    command = [sys.executable, "-c", TWO_AT_ONCE, server.url, str(target), str(len(server.content)), server.sha256]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert server.requests == [None, None]
    assert target.read_bytes() == server.content
    assert list(target.parent.iterdir()) == [target]
