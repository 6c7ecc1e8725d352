"""What tests share: small images of their own, the command line as a function, the reference data where it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool.cli import main

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="module")
def one_thread():
    """Compute on one thread: on a busy machine two wait for one another, many times longer than they work here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip("the reference data are not beside this checkout")
    return SHARED


@pytest.fixture
def save(rng) -> Callable[..., Path]:
    """Save an image of random pixels, or of those given, and return its path."""

    def save(path: Path, *, size=(12, 16), pixels=None, mode="RGB", **settings):
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path, **settings)
        return path

    return save


@pytest.fixture
def folders(tmp_path, save):
    """Return a function that makes real/ and fake/ with images of these names, and returns both folders."""

    def folders(reals=("a.png", "b.png", "c.png"), fakes=None, **settings):
        for name in reals:
            save(tmp_path / "real" / name, **settings)
        for name in reals if fakes is None else fakes:
            save(tmp_path / "fake" / name, **settings)
        return tmp_path / "real", tmp_path / "fake"

    return folders


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line and returns its status, standard output and standard error."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
