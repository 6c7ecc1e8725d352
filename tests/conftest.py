"""What tests share: small images of their own, the command line as a function, the reference data where it is."""

import json
import os
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pooch
import pytest
import torch
from PIL import Image

from ffltool import checkpoints, networks, weights
from ffltool.cli import main
from ffltool.looking import Looking, Sources
from ffltool.metrics.inception import LAYERS
from ffltool.models import pix2pix
from tests.serving import Server

# so that a failed assertion in what tests share says what was compared
pytest.register_assert_rewrite(*(f"tests.{path.parent.name}" for path in Path(__file__).parent.glob("*/common.py")))

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="module")
def one_thread():
    """Compute on one thread: on a busy machine two wait for one another, many times longer than they work here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def narrow(monkeypatch):
    """Let the networks of pix2pix have a thirty-second of their channels."""
    monkeypatch.setattr(pix2pix, "WIDTH", 2)


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
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
def decoded(monkeypatch):
    """Return the list in which the files of images are noted as an evaluation reads them."""
    from ffltool.images import read

    files = []
    for module in ("measure", "images"):
        monkeypatch.setattr(f"ffltool.{module}.read", lambda path, **how: files.append(path) or read(path, **how))
    return files


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Keep the caches of a test to itself, and return the folder of features."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "ffltool" / "features"


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """Return weight files of networks that nobody trained, by name."""
    make = runpy.run_path(str(Path(__file__).parent / "benchmarks" / "stand_in.py"))["stand_in"]
    folder = tmp_path_factory.mktemp("weights")
    for name in ("alexnet", "squeezenet", "inception"):
        torch.save(make(name), folder / f"{name}.pth")
    return {path.stem: path for path in folder.iterdir()}


class Means(torch.nn.Module):
    """In place of Inception: as many means of small squares as a layer is wide, in a moment."""

    seen = 0  # images, by all of them

    def __init__(self, tensors):
        super().__init__()
        self.register_buffer("factor", torch.tensor(1.0))

    def forward(self, images, *, layers):
        Means.seen += len(images)
        assert images.shape[1:] == (3, 299, 299)
        means = self.factor * torch.nn.functional.adaptive_avg_pool2d(images, 32).flatten(1)
        return {layer: means[:, : LAYERS[layer]].float() for layer in layers}


@pytest.fixture
def means(monkeypatch, tmp_path, caches):
    """Let Inception be `Means`, whose weights are a small file; return how to look with them, and the class."""
    monkeypatch.setattr("ffltool.loaded.Inception", Means)
    monkeypatch.setitem(networks.SHAPES, "inception", {"one": (1,)})
    torch.save({"one": torch.ones(1)}, tmp_path / "means.pth")
    monkeypatch.setattr(Means, "seen", 0)
    sources = Sources(own={"inception": tmp_path / "means.pth"})
    return SimpleNamespace(looking=Looking(layer="64", sources=sources), path=tmp_path / "means.pth", network=Means)


@pytest.fixture
def label_folders(tmp_path, rng):
    """Return a function that makes gt/ and pred/ with label maps of so many classes, and returns both folders.

    Half of the predictions are right, and a tenth of the real pixels are ignored.
    """

    def label_folders(names=("a.png", "b.png", "c.png"), *, classes=4, size=(12, 16)):
        for name in names:
            real = rng.integers(0, classes, size, dtype=np.uint8)
            fake = np.where(rng.random(size) < 0.5, real, rng.integers(0, classes, size, dtype=np.uint8))
            real[rng.random(size) < 0.1] = 255
            for side, labels in (("gt", real), ("pred", fake)):
                (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(labels).save(tmp_path / side / name)
        return tmp_path / "gt", tmp_path / "pred"

    return label_folders


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line and returns its status, standard output and standard error."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="session")
def torchrun():
    """Return a function that starts torchrun with two processes on arguments, and returns what became of it."""
    pytest.importorskip("torch.distributed")

    def torchrun(*arguments):
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [*TORCHRUN, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)

    return torchrun


@pytest.fixture(scope="session")
def two_ranks(tmp_path_factory):
    """Do the same in two processes that stay, for work that ends well: it is much quicker."""
    pytest.importorskip("torch.distributed")
    folder = tmp_path_factory.mktemp("ranks")
    command = [*TORCHRUN, str(Path(__file__).with_name("two_ranks.py")), str(folder), str(os.getpid())]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    numbers = count()

    def hand_in(*arguments):
        number = next(numbers)
        kept = {name: value for name, value in os.environ.items() if name.startswith("XDG_")}
        (folder / "job").write_text(json.dumps({"arguments": list(map(str, arguments)), "environment": kept}))
        (folder / "job").rename(folder / f"{number}.json")
        return [folder / f"{number}.{rank}" for rank in range(2)]

    def two_ranks(*arguments):
        answers, end = hand_in(*arguments), time.monotonic() + 240
        while not all(Path(f"{answer}.status").exists() for answer in answers):
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                pytest.fail("\n".join(path.read_text() for path in (folder / "log", *folder.glob("*.err"))))
            time.sleep(0.01)
        status, out, err = (
            [Path(f"{answer}.{kind}").read_text() for answer in answers] for kind in ("status", "out", "err")
        )
        return subprocess.CompletedProcess(arguments, max(map(json.loads, status)), "".join(out), "".join(err))

    yield two_ranks
    hand_in()
    process.wait(60)


@pytest.fixture
def tiny(monkeypatch, tmp_path, server):
    """Let alexnet be a tiny network, whose published file the server has, in an environment without any weights.

    Returns its folders by place, its tensors and a function that saves tensors.
    """
    for name in ("FFLTOOL_WEIGHTS", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    generator = torch.Generator().manual_seed(1)
    tensors = {"0.weight": torch.rand(4, 3, 2, 2, generator=generator), "0.bias": torch.rand(4, generator=generator)}

    def save(path, tensors, **settings):
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(tensors, path, **settings)
        return path

    features = {f"features.{key}": tensor for key, tensor in tensors.items()}
    whole = save(tmp_path / "published.pth", features | {"classifier.0.weight": torch.rand(5, 4, generator=generator)})
    server.content = whole.read_bytes()
    file = networks.File(
        url=server.url,
        size=len(server.content),
        sha256=server.sha256,
        tensors=checkpoints.digest_of_tensors(tensors),
        licence="MIT",
        use="tests",
    )
    monkeypatch.setitem(networks.FILES, "alexnet", file)
    monkeypatch.setitem(networks.SHAPES, "alexnet", {key: tuple(tensor.shape) for key, tensor in tensors.items()})
    monkeypatch.setattr(pooch.core, "time", SimpleNamespace(sleep=lambda seconds: None))
    return SimpleNamespace(file=file, published=whole, tensors=tensors, save=save, folders=weights.folders())


@pytest.fixture
def server(monkeypatch):
    """Serve a file on 127.0.0.1, which needs no network."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def killed_at():
    """Run code with arguments in a process, and kill it once a file is there."""

    def run(file, code, arguments):
        process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)])
        try:
            deadline = time.monotonic() + 100
            while not file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()

    return run


@pytest.fixture(autouse=True)
def seeded():
    """Let a test draw the same numbers whichever tests ran before it."""
    torch.manual_seed(0)
