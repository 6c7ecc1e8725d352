"""The images of a small experiment, what it found, and where; no test changes them."""

import pytest
import torch

from ffltool.datasets import load
from ffltool.trials import run
from tests.experiment.common import DESIGN, JUDGING, PLAN
from tests.runs.common import REAL


@pytest.fixture(scope="session")
def sets():
    return load(REAL, size=32).held_out(4)


@pytest.fixture(scope="session")
def found(sets, tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = run(PLAN, DESIGN, *sets, tmp_path_factory.mktemp("experiment") / "out", judging=JUDGING)
    torch.set_num_threads(threads)
    return found


@pytest.fixture(scope="session")
def folder(found):
    return found.trials[0].run.place.path.parents[1]
