"""What must hold on a GPU; skipped where there is none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ffltool.ahead import Ahead
from ffltool.datasets import Batches
from ffltool.evaluate import evaluate_pairs
from ffltool.looking import Computing, Looking, Sources
from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from ffltool.metrics.inception import Inception, prepared
from ffltool.metrics.lpips import Lpips
from ffltool.pairing import pair
from ffltool.train import Plan, Training

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")

OPTIONS = [
    {},
    {"alpha": 0.5},
    {"alpha": 0.0},
    {"patch_factor": 2},
    {"ave_spectrum": True},
    {"log_matrix": True},
    {"batch_matrix": True},
    {"exclude_dc": True},
    {"transform": "dct"},
    {"transform": "none"},
    {"component": "amplitude"},
    {"component": "phase"},
]


@pytest.fixture
def no_waiting():
    """Make it an error that the host waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


def graded(device, loss=focal_frequency_loss, dtype=torch.float64, **options):
    """Return a loss of the same images on each device, and its gradient."""
    generator = torch.Generator().manual_seed(1)
    pred, target = (torch.rand(4, 3, 32, 48, generator=generator).to(device, dtype) for _ in range(2))
    pred.requires_grad_()
    value = loss(pred, target, **options)
    return value, torch.autograd.grad(value, pred)[0]


def far(one, other):
    """Return how far a tensor is from another, relative to its norm."""
    one, other = one.detach().cpu().double(), other.detach().cpu().double()
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)], ids=str)
def test_the_loss_and_its_gradient_are_those_of_the_cpu(options, dtype, tolerance):
    for here, there in zip(graded("cuda", dtype=dtype, **options), graded("cpu", dtype=dtype, **options), strict=True):
        assert here.device.type == "cuda"
        assert far(here, there) <= tolerance


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_host_does_not_wait_for_the_loss(options, request):
    graded("cuda", **options)  # plans of transforms are made at the first call
    request.getfixturevalue("no_waiting")
    pred, target = (torch.empty(4, 3, 32, 48, device="cuda").uniform_() for _ in range(2))
    focal_frequency_loss(pred.requires_grad_(), target, **options).backward()


@pytest.mark.filterwarnings("ignore::UserWarning:torch")  # of inductor, on complex numbers and on matrix products
def test_a_compiled_loss_is_that_of_the_cpu():
    compiled = torch.compile(FocalFrequencyLoss(), fullgraph=True)
    for here, there in zip(graded("cuda", compiled, dtype=torch.float32), graded("cpu"), strict=True):
        assert far(here, there) <= 1e-5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_float32_under_autocast(dtype):
    generator = torch.Generator().manual_seed(1)
    pred, target = (torch.rand(2, 3, 32, 32, generator=generator).to("cuda", dtype) for _ in range(2))
    with torch.autocast("cuda", dtype):
        loss = focal_frequency_loss(pred, target)
    assert loss.dtype == dtype
    assert loss == focal_frequency_loss(pred.float(), target.float()).to(dtype)


def test_mean_spectra_of_files_are_those_of_the_cpu(run, folders, tmp_path):
    halves = folders([f"{number}.png" for number in range(20)], size=(33, 48))
    archives = []
    for device in ("cpu", "cuda"):
        path = tmp_path / f"{device}.npz"
        assert run("spectrum", *halves, "--data", path, "--device", device)[0] == 0
        archives.append(np.load(path))
    for name in ("profile", "profile_std", "maps"):
        # 1e-5: as asked of a GPU; and 1e-6 of the largest, for transforms in float32
        here, there = archives[1][name], archives[0][name]
        np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-6 * np.nanmax(np.abs(there)))


def test_an_image_is_rebuilt_and_diagnosed(run, folders, tmp_path):
    real, fake = folders(["a.png"], size=(32, 32))
    assert run("reconstruct", real / "a.png", "-o", tmp_path / "out", "--device", "cuda", "--steps", 60)[0] == 0
    lines = (tmp_path / "out" / "curves.csv").read_text().splitlines()[1:]
    losses = [float(line.split(",")[3]) for line in lines if line.startswith("frequency,")]
    assert losses[-1] < 1e-3 * losses[0]
    here, there = (run("diagnose", real, fake, "--device", device) for device in ("cuda", "cpu"))
    assert here[0] == 0
    assert here == there


def test_learned_metrics_are_those_of_the_cpu(folders, stand_ins, caches):
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


@pytest.mark.parametrize("name", ["alexnet", "inception"])
def test_the_host_does_not_wait_inside_a_batch_of_a_network(stand_ins, name, request):
    tensors = torch.load(stand_ins[name])
    network = (Inception(tensors) if name == "inception" else Lpips("alex", tensors)).cuda()
    images = [np.full((3, 64, 48), level, dtype=np.uint8) for level in range(0, 200, 20)]

    def work():
        batch = ahead.tensor(images)
        with torch.inference_mode():
            return network(prepared(batch)) if name == "inception" else {"lpips": network(batch, batch)}

    with Ahead("cuda") as ahead:
        ahead.start(work)()
        request.getfixturevalue("no_waiting")
        results = ahead.start(work)
        torch.cuda.set_sync_debug_mode("default")
        assert all(values.isfinite().all() for values in results().values())


def test_networks_in_half_precision_are_near_and_named(folders, stand_ins, caches):
    real, fake = folders([f"{i}.png" for i in range(6)], size=(64, 48))
    sources = Sources(own={"alexnet": stand_ins["alexnet"]}, cached=False)
    looking = Looking(computing=Computing(device="cuda"), sources=sources)
    whole = evaluate_pairs(pair(real, fake), ["lpips"], looking=looking)
    half = evaluate_pairs(
        pair(real, fake), ["lpips"], looking=replace(looking, computing=Computing(device="cuda", half=True))
    )
    assert half.scores[0].value == pytest.approx(whole.scores[0].value, rel=1e-2)
    assert half.scores[0].settings["precision"] == "float16"


@pytest.mark.parametrize("model", ["ae", "vae", "pix2pix"])
def test_the_host_does_not_wait_for_a_step_of_training(model, request, narrow):
    pairs = {"size": 256, "direction": "AtoB"} if model == "pix2pix" else {}
    plan = Plan(model=model, batch_size=16, **pairs)
    pixels = torch.randint(256, (64, 6 if pairs else 3, plan.size, plan.size), dtype=torch.uint8)
    training = Training(plan, "cuda")
    batches = Batches(pixels, 16, seed=0, device=torch.device("cuda"))
    training._stepped(batches.batch(1), lr=1e-3)  # plans of transforms are made, convolutions chosen
    request.getfixturevalue("no_waiting")
    for step in range(2, 9):
        training._stepped(batches.batch(step), lr=1e-3)


def test_a_training_learns_on_a_gpu_what_it_learns_on_the_cpu():
    coarse = torch.rand(32, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    pixels = (255 * torch.nn.functional.interpolate(coarse, size=16, mode="bilinear")).to(torch.uint8)
    plan = Plan(model="ae", size=16, batch_size=16, epochs=60)
    here, there = (
        [step.loss for steps in Training(plan, device).run(pixels) for step in steps] for device in ("cpu", "cuda")
    )
    assert len(here) == len(there) == 120
    # Adam divides gradients by their own size, so that rounding grows from step to step
    assert there[:3] == pytest.approx(here[:3], rel=1e-3)
    assert there[-1] == pytest.approx(here[-1], rel=0.1)


def test_a_run_begun_on_a_gpu_goes_on_on_the_cpu_and_back(tmp_path, run, folders):
    images, _ = folders([f"{number}.png" for number in range(20)], fakes=[], size=(16, 16))
    command = ["train", "vae", images, "-o", tmp_path / "run", "--size", 16, "--batch-size", 8, "--resume", "--amp"]
    for number, device in enumerate(("cuda", "cpu", "cuda"), start=1):
        status, out, _ = run(*command, "--device", device, "--epochs", number)
        assert status == 0
        assert f"step {2 * number} of epoch {number}" in out
