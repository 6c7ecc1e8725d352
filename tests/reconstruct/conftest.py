"""A clock of our own."""

from itertools import count

import pytest


@pytest.fixture
def a_second_each_time(monkeypatch):
    """A clock that says one second more whenever it is looked at."""
    monkeypatch.setattr("ffltool.reconstruct.time.perf_counter", count().__next__)
