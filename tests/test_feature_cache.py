"""Entries of the cache of features."""

import os
import subprocess
import sys

import numpy as np

from ffltool import feature_cache


def test_entries_leave_when_there_are_too_many_the_longest_unused_first(caches, monkeypatch):
    arrays = {"rows": np.arange(1000.0)[:, None]}
    monkeypatch.setattr(feature_cache, "LIMIT", 3 * 9000)
    for second, key in enumerate("abc"):
        feature_cache.keep(key, arrays)
        os.utime(caches / f"{key}.npz", (second, second))
    assert feature_cache.find("a", count=1000, width=1)["rows"].tolist() == arrays["rows"].tolist()
    feature_cache.keep("d", arrays)
    assert sorted(path.stem for path in caches.iterdir()) == ["a", "c", "d"]
    monkeypatch.setattr(feature_cache, "LIMIT", 100)
    feature_cache.keep("e", arrays)
    assert feature_cache.find("e", count=1000, width=1) is None, "one that is larger than all may be is not kept"


def test_processes_that_keep_the_same_at_once_leave_it_whole(caches):
    script = """
import numpy as np
from ffltool import feature_cache
rows = np.arange(100000.0)[:, None]
for _ in range(30):
    feature_cache.keep("a", {"rows": rows})
    assert (feature_cache.find("a", count=100000, width=1)["rows"] == rows).all()
"""
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert [path.name for path in caches.iterdir()] == ["a.npz"]


def test_without_a_home_nothing_is_kept(monkeypatch):
    monkeypatch.setattr("ffltool.user_cache.folder", lambda name: None)
    feature_cache.keep("a", {"rows": np.zeros((3, 1))})
    assert feature_cache.find("a", count=3, width=1) is None


def test_the_digest_of_files_is_of_their_content_in_order(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"2")):
        (tmp_path / name).write_bytes(content)
    files = {name: tmp_path / name for name in "abcd"}
    first = feature_cache.digest_of_files([files["a"], files["b"]])
    assert first == feature_cache.digest_of_files([files["c"], files["d"]])
    assert first != feature_cache.digest_of_files([files["b"], files["a"]])
    assert feature_cache.digest_of_files([files["a"], tmp_path / "gone"]) is None


ROWS, SUMS = np.ones((2, 3)), {"count": np.array(5.0), "total": np.ones(3), "outer": np.ones((3, 3))}
UNFIT = {
    "nothing": {},
    "rows alone, of fewer images": {"rows": ROWS},
    "sums alone": SUMS,
    "sums without a product": {"rows": ROWS, "count": SUMS["count"], "total": SUMS["total"]},
    "more than there should be": {"rows": ROWS, **SUMS, "other": ROWS},
    "rows of another width": {"rows": ROWS[:, :2], **SUMS},
    "one number as rows": {"rows": np.array(1.0), **SUMS},
    "texts": {"rows": np.full((2, 3), "x"), **SUMS},
    "whole numbers": {"rows": ROWS.astype(int), **SUMS},
    "what is not finite": {"rows": ROWS, **SUMS, "outer": np.full((3, 3), np.nan)},
    "sums of another width": {"rows": ROWS, **SUMS, "total": np.ones(2)},
    "several counts": {"rows": ROWS, **SUMS, "count": np.full(2, 5.0)},
    "another count": {"rows": ROWS, **SUMS, "count": np.array(6.0)},
}


def test_an_entry_that_somebody_changed_is_none(caches):
    feature_cache.keep("whole", {"rows": ROWS, **SUMS})
    assert feature_cache.find("whole", count=7, width=3)["count"] == 5
    for key, arrays in UNFIT.items():
        feature_cache.keep(key, arrays)
        assert feature_cache.find(key, count=7, width=3) is None, key
