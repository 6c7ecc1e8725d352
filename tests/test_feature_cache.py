"""Entries of the cache of features."""

import os
import subprocess
import sys

import numpy as np

from ffltool import feature_cache


def test_entries_leave_when_there_are_too_many_the_longest_unused_first(caches, monkeypatch):
    arrays = {"rows": np.arange(1000.0)}
    monkeypatch.setattr(feature_cache, "LIMIT", 3 * 9000)
    for second, key in enumerate("abc"):
        feature_cache.keep(key, arrays)
        os.utime(caches / f"{key}.npz", (second, second))
    assert feature_cache.find("a")["rows"].tolist() == arrays["rows"].tolist()
    feature_cache.keep("d", arrays)
    assert sorted(path.stem for path in caches.iterdir()) == ["a", "c", "d"]
    monkeypatch.setattr(feature_cache, "LIMIT", 100)
    feature_cache.keep("e", arrays)
    assert feature_cache.find("e") is None, "one that is larger than all may be is not kept"


def test_processes_that_keep_the_same_at_once_leave_it_whole(caches):
    script = """
import numpy as np
from ffltool import feature_cache
rows = np.arange(100000.0)
for _ in range(30):
    feature_cache.keep("a", {"rows": rows})
    assert (feature_cache.find("a")["rows"] == rows).all()
"""
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert [path.name for path in caches.iterdir()] == ["a.npz"]


def test_without_a_home_nothing_is_kept(monkeypatch):
    monkeypatch.setattr("ffltool.user_cache.folder", lambda name: None)
    feature_cache.keep("a", {"rows": np.zeros(3)})
    assert feature_cache.find("a") is None


def test_the_digest_of_files_is_of_their_content_in_order(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"2")):
        (tmp_path / name).write_bytes(content)
    files = {name: tmp_path / name for name in "abcd"}
    first = feature_cache.digest_of_files([files["a"], files["b"]])
    assert first == feature_cache.digest_of_files([files["c"], files["d"]])
    assert first != feature_cache.digest_of_files([files["b"], files["a"]])
    assert feature_cache.digest_of_files([files["a"], tmp_path / "gone"]) is None
