"""Images for runs."""

import pytest

from ffltool.datasets import Dataset, load
from tests.runs.common import REAL


@pytest.fixture(scope="module")
def images() -> Dataset:
    return load(REAL, size=16)
