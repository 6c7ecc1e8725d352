import json
import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch.nn.functional import conv2d

from ffltool import checkpoints
from ffltool.errors import InputError, ShapeError, WeightsError
from ffltool.images import Reading, read_pair
from ffltool.metrics import lpips as module
from ffltool.metrics.lpips import BACKBONES, Backbone, Lpips, load, lpips
from ffltool.networks import SHAPES

REAL = {"alex": "alexnet_features.pth", "squeeze": "squeeze.backbone.pth"}
# convolutions (c) and fires (f) by their places, with ReLUs; pools (p) by their side; ! behind what is compared
LAYOUT = {
    "alex": "c0! p3 c3! p3 c6! c8! c10!",
    "vgg": "c0 c2! p2 c5 c7! p2 c10 c12 c14! p2 c17 c19 c21! p2 c24 c26 c28!",
    "squeeze": "c0! p f3 f4! p f6 f7! p f9! f10! f11! f12!",
}
PARTS = {"c": [""], "f": [".squeeze", ".expand1x1", ".expand3x3"]}
pytestmark = pytest.mark.usefixtures("one_thread")


def seeded(backbone):
    """Return weights that are none of a trained network."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(shape, generator=generator) / max(1, torch.Size(shape[1:]).numel()) ** 0.5
        for name, shape in SHAPES[BACKBONES[backbone].network].items()
    }


@pytest.fixture(scope="module")
def networks():
    """Return a network of each backbone, with weights that are none of a trained one."""
    return {backbone: Lpips(backbone, seeded(backbone)) for backbone in BACKBONES}


@pytest.fixture(scope="module")
def batch():
    """Return two batches of images, values in 0..255."""
    generator = torch.Generator().manual_seed(2)
    real = 255 * torch.rand(3, 3, 40, 53, generator=generator)
    return real, (real + 30 * torch.randn(real.shape, generator=generator)).clamp(0, 255)


def slow_step(tensors, name, maps):
    """Return what comes out of one part of a network, see `LAYOUT`."""
    kind, place = name[0], name[1:].rstrip("!")
    if kind == "p":
        side, over_the_edge = int(place or 3), not place
        return torch.nn.functional.max_pool2d(maps, side, 2, ceil_mode=over_the_edge)
    parts = {part: [tensors[f"{place}{part}.{each}"] for each in ("weight", "bias")] for part in PARTS[kind]}
    if kind == "f":
        squeezed = conv2d(maps, *parts[".squeeze"]).relu()
        expanded = conv2d(squeezed, *parts[".expand1x1"]), conv2d(squeezed, *parts[".expand3x3"], 1, 1)
        return torch.cat(expanded, 1).relu()
    (weight, bias), first = parts[""], {11: (4, 2), 3: (2, 0)}
    settings = first[weight.shape[-1]] if name == "c0!" else (1, weight.shape[-1] // 2)
    return conv2d(maps, weight, bias, *settings).relu()


def slow_layers(backbone, real, fake):
    """The definition, in float64: the features layer by layer, then position by position and channel by channel."""
    tensors = {name: tensor.double() for name, tensor in seeded(backbone).items()}
    shift, scale = (
        torch.tensor(each, dtype=torch.float64)[:, None, None]
        for each in ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450))
    )
    maps = [(image.double() / 255 * 2 - 1 - shift) / scale for image in (real, fake)]
    values = []
    for name in LAYOUT[backbone].split():
        maps = [slow_step(tensors, name, each) for each in maps]
        if name.endswith("!"):
            head = checkpoints.heads(backbone)[len(values)].double()
            units = [each / (each.square().sum(1, keepdim=True).sqrt() + 1e-10) for each in maps]
            values.append((head * (units[0] - units[1]).square()).sum(1).mean((1, 2)))
    return torch.stack(values, 1)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_equals_the_slow_definition_layer_by_layer(networks, batch, backbone):
    values = networks[backbone].layers(*batch)
    torch.testing.assert_close(values, slow_layers(backbone, *batch).float(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(networks[backbone](*batch), values.sum(1))


@pytest.mark.filterwarnings("ignore")  # torchvision's, of arguments that lpips passes
@pytest.mark.parametrize("backbone", BACKBONES)
def test_equals_the_package_where_it_imports(networks, batch, backbone):
    try:
        import lpips as theirs
    except (ImportError, RuntimeError) as error:  # beside a torch of another build torchvision fails as it loads
        pytest.skip(f"lpips does not load: {error}")
    package = theirs.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    package.net.load_state_dict(dict(zip(package.net.state_dict(), seeded(backbone).values(), strict=True)))
    with torch.inference_mode():
        expected = package(*(images / 127.5 - 1 for images in batch)).flatten()
        torch.testing.assert_close(networks[backbone](*batch), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("backbone", REAL)
def test_equals_the_reference_with_the_real_weights(shared, backbone):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())["pairs"]
    inputs, network = shared / "reference" / "inputs", load(backbone, own=shared / "weights" / REAL[backbone])
    for name, row in golden.items():
        pair = read_pair(inputs / "real" / name, inputs / "fake" / name, Reading())
        with torch.inference_mode():
            layers = network.layers(*(torch.as_tensor(picture.planes())[None] for picture in pair))[0]
        assert layers.tolist() == pytest.approx(row[f"lpips_{backbone}_v0.1_per_layer"], abs=1e-6), name
        assert layers.sum().item() == pytest.approx(row[f"lpips_{backbone}_v0.1"], abs=1e-6), name
        if backbone == "alex":
            assert layers.sum().item() == pytest.approx(row["official_lpips"], abs=1e-6), name


def test_the_function_keeps_the_weights_it_found(networks, batch, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "load", lambda backbone: asked.append(backbone) or networks[backbone])
    module._kept.cache_clear()
    for _ in range(2):
        torch.testing.assert_close(lpips(*batch, backbone="squeeze"), networks["squeeze"](*batch))
    assert asked == ["squeeze"]
    module._kept.cache_clear()


def test_a_batch_is_its_images_one_by_one(networks, batch):
    one_by_one = [networks["alex"](*(images[place : place + 1] for images in batch)) for place in range(3)]
    torch.testing.assert_close(networks["alex"](*batch), torch.cat(one_by_one), atol=1e-6, rtol=1e-5)


def test_is_0_for_equal_images_and_symmetric(networks, batch):
    real, fake = batch
    assert networks["alex"](real, real).tolist() == [0, 0, 0]
    torch.testing.assert_close(networks["alex"](real, fake), networks["alex"](fake, real))


def test_integers_are_the_same_as_floats_and_grey_as_three_equal_channels(networks, batch):
    real, fake = (images[:, :1].round() for images in batch)
    expected = networks["alex"](real.expand(-1, 3, -1, -1), fake.expand(-1, 3, -1, -1))
    torch.testing.assert_close(networks["alex"](real.byte(), fake.byte()), expected)


def test_gradients_flow_to_the_images(networks, batch):
    network = Lpips("alex", seeded("alex")).double()
    real, fake = (images[:1, :, :33, :31].double() for images in batch)
    step = torch.zeros_like(fake)
    step[0, 1, 16, 12] = 1e-3
    fake.requires_grad_()
    (gradient,) = torch.autograd.grad(network(real, fake).sum(), fake)
    slope = (network(real, fake + step) - network(real, fake - step)).item() / 2e-3
    assert gradient[0, 1, 16, 12].item() == pytest.approx(slope, rel=1e-4)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_gradients_are_finite_where_there_is_nothing_to_see():
    dead = {name: torch.zeros(shape) for name, shape in SHAPES["alexnet"].items()}
    images = torch.rand(1, 3, 31, 31, requires_grad=True)
    (gradient,) = torch.autograd.grad(Lpips("alex", dead)(images, images.detach() + 1).sum(), images)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_least_size_is_the_one_from_which_the_backbone_can_look(networks, backbone):
    least = BACKBONES[backbone].least
    images = torch.zeros(1, 3, least, least + 3)
    assert networks[backbone](images, images).tolist() == [0]
    small = images[..., :-1, :]
    with pytest.raises(RuntimeError, match=r"size|small"):
        networks[backbone].features(small)
    named = f"LPIPS {backbone} needs images of at least {least}x{least} pixels, got {least - 1}x{least + 3}"
    with pytest.raises(ShapeError, match=named):
        networks[backbone](small, small)


def test_two_channels_are_an_error(networks):
    with pytest.raises(ShapeError, match="1 or 3 channels, got 2"):
        networks["alex"](torch.zeros(1, 2, 40, 40), torch.zeros(1, 2, 40, 40))


def test_an_unknown_backbone_lists_the_known():
    with pytest.raises(InputError, match="no backbone 'vgg19' of LPIPS; known are alex, vgg, squeeze"):
        load("vgg19")


def test_heads_are_there_and_are_the_published_ones(monkeypatch, tmp_path):
    assert [head.shape[1] for head in checkpoints.heads("alex")] == [64, 192, 384, 256, 256]
    (tmp_path / "lpips" / "weights" / "v0.1").mkdir(parents=True)
    (tmp_path / "lpips" / "__init__.py").write_text("raise RuntimeError('this must not run')")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "lpips", raising=False)
    with pytest.raises(WeightsError, match=r"alex\.pth cannot be read"):
        checkpoints.heads("alex")
    (tmp_path / "lpips" / "weights" / "v0.1" / "alex.pth").write_bytes(b"others")
    with pytest.raises(WeightsError, match="does not hold the published heads"):
        checkpoints.heads("alex")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(WeightsError, match="pip install lpips"):
        checkpoints.heads("alex")


def test_networks_load_none_of_the_packages_they_equal():
    homes = ("lpips", "inception", "fid", "kid", "inception_score")
    script = f"""
import sys
from ffltool import checkpoints, set_statistics
from ffltool.metrics import {", ".join(homes)}
checkpoints.heads("alex")
print(*(name for name in ("torchvision", "torch_fidelity", "pytorch_fid", "lpips", "scipy") if name in sys.modules))
"""
    command = [sys.executable, "-W", "error", "-c", script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == []


def test_a_halved_network_convolves_in_half_precision_and_compares_in_single():
    network = Lpips("squeeze", seeded("squeeze"))
    assert network.halve() is network
    assert {each.dtype for each in network.features.parameters()} == {torch.float16}
    assert {each.dtype for each in network.buffers()} == {torch.float32}


def test_what_is_known_of_a_backbone_is_frozen_and_named():
    with pytest.raises(FrozenInstanceError):
        BACKBONES["alex"].least = 1
    with pytest.raises(TypeError, match="positional"):
        Backbone("alexnet", (1,), (4, 2), (3, 2, False), 31)
