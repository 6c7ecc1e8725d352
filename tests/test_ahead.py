"""Batches under way on a device; on a GPU where there is one."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from ffltool import ranks
from ffltool.ahead import Ahead
from ffltool.evaluate import evaluate_pairs
from ffltool.looking import Computing, Looking, Sources
from ffltool.metrics.inception import Inception, prepared
from ffltool.metrics.lpips import Lpips
from ffltool.pairing import pair

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def test_results_are_those_of_their_work_and_errors_too():
    with Ahead("cpu") as ahead:
        images = [np.full((3, 2, 2), number, dtype=np.uint8) for number in range(4)]
        under_way = [
            ahead.start(lambda image=image: {"sum": ahead.tensor([image, image]).sum((1, 2, 3))}) for image in images
        ]
        assert [each()["sum"].tolist() for each in under_way] == [[12 * number] * 2 for number in range(4)]
        with pytest.raises(ZeroDivisionError):
            ahead.start(lambda: 1 / 0)()


def test_each_core_takes_a_batch_of_its_own(monkeypatch):
    monkeypatch.setattr(ranks, "cores", lambda: 2)
    meeting = threading.Barrier(2, timeout=30)
    with Ahead("cpu") as ahead:
        under_way = [ahead.start(lambda: {"met": torch.tensor(meeting.wait())}) for _ in range(2)]
        assert sorted(each()["met"].item() for each in under_way) == [0, 1]


def test_what_is_not_asked_for_any_more_is_not_begun(monkeypatch):
    monkeypatch.setattr(ranks, "cores", lambda: 1)
    begun, going = [], threading.Event()

    def work(number):
        going.wait(30)
        begun.append(number)
        return {}

    with Ahead("cpu") as ahead:
        for number in range(5):
            ahead.start(lambda number=number: work(number))
        threading.Timer(0.1, going.set).start()
    assert begun in ([0], [])


@on_a_gpu
def test_a_gpu_gives_the_numbers_of_the_cpu(folders, stand_ins, caches):
    real, fake = folders([f"{i}.png" for i in range(24)], size=(64, 48))
    sources = Sources(own={name: stand_ins[name] for name in ("alexnet", "inception")}, cached=False)
    reports = [
        evaluate_pairs(
            pair(real, fake),
            ["lpips", "fid", "kid", "is", "psnr"],
            looking=Looking(computing=Computing(device=device, batch_size=5), sources=sources),
        )
        for device in ("cpu", "cuda")
    ]
    for one, other in zip(*(report.scores for report in reports), strict=True):
        assert one.value == pytest.approx(other.value, rel=1e-4), one.metric
    assert reports[1].environment["device"] == "cuda"


@on_a_gpu
@pytest.mark.parametrize("name", ["alexnet", "inception"])
def test_nothing_waits_for_a_gpu_inside_a_batch(stand_ins, name):
    tensors = torch.load(stand_ins[name])
    network = (Inception(tensors) if name == "inception" else Lpips("alex", tensors)).cuda()
    images = [np.full((3, 64, 48), level, dtype=np.uint8) for level in range(0, 200, 20)]

    def work():
        batch = ahead.tensor(images)
        with torch.inference_mode():
            return network(prepared(batch)) if name == "inception" else {"lpips": network(batch, batch)}

    with Ahead("cuda") as ahead:
        ahead.start(work)()
        torch.cuda.set_sync_debug_mode("error")
        try:
            results = ahead.start(work)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert all(values.isfinite().all() for values in results().values())


@on_a_gpu
def test_half_precision_is_near_and_named(folders, stand_ins, caches):
    real, fake = folders([f"{i}.png" for i in range(6)], size=(64, 48))
    sources = Sources(own={"alexnet": stand_ins["alexnet"]}, cached=False)
    looking = Looking(computing=Computing(device="cuda"), sources=sources)
    whole = evaluate_pairs(pair(real, fake), ["lpips"], looking=looking)
    half = evaluate_pairs(
        pair(real, fake), ["lpips"], looking=replace(looking, computing=Computing(device="cuda", half=True))
    )
    assert half.scores[0].value == pytest.approx(whole.scores[0].value, rel=1e-2)
    assert half.scores[0].settings["precision"] == "float16"
