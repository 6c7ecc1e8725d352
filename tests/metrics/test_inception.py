"""The network, with stand-in weights, against what four libraries made of the same images."""

import runpy
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from ffltool import networks, weights
from ffltool.errors import InputError, MissingWeightsError, ShapeError
from ffltool.images import read
from ffltool.metrics.fid import fid
from ffltool.metrics.inception import LAYERS, PRESETS, Inception, load, prepared
from ffltool.networks import SHAPES

pytestmark = pytest.mark.usefixtures("one_thread")
WIDTHS = ["64", "192", "768", "2048"]
THEIRS = {"pytorch-fid": "pytorch_fid", "torch-fidelity": "torch_fidelity", "clean": "clean_fid_clean"}


@pytest.fixture(scope="module")
def reference(shared):
    return shared / "reference"


@pytest.fixture(scope="module")
def golden(reference):
    with np.load(reference / "fid_seeded_features.npz") as file:
        return {name: torch.as_tensor(file[name]) for name in file if name != "names"}


@pytest.fixture(scope="module")
def stand_in(reference):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves a file open
        return runpy.run_path(str(reference / "seeded_inception.py"))["make"]()


@pytest.fixture(scope="module")
def look(stand_in):
    """Return a function of images, preset and layers to features."""
    network = Inception(stand_in)

    def look(images, preset="pytorch-fid", layers=WIDTHS):
        with torch.inference_mode():
            return network(prepared(images, preset=preset), layers=layers)

    return look


@pytest.fixture(scope="module")
def images(reference):
    """Return the 20 images of each side, uint8."""
    return {
        side: torch.stack(
            [torch.as_tensor(read(path).planes()) for path in sorted((reference / "inputs" / side).iterdir())]
        )
        for side in ("real", "fake")
    }


@pytest.fixture(scope="module")
def features(look, images):
    """Return the features of both sides, in all widths, of the default preset."""
    return {side: look(batch) for side, batch in images.items()}


def close(found, expected, *, atol=1e-5):
    torch.testing.assert_close(found, expected, atol=atol, rtol=0)


@pytest.mark.parametrize("width", WIDTHS)
def test_features_are_those_of_pytorch_fid(features, golden, width):
    for side in ("real", "fake"):
        close(features[side][width], golden[f"pytorch_fid_{width}_{side}"])
        assert features[side][width].shape[1] == LAYERS[width]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_distance_of_features_is_the_one_of_theirs(features, golden, width):
    theirs = fid(*(golden[f"pytorch_fid_{width}_{side}"] for side in ("real", "fake")))
    assert fid(features["real"][width], features["fake"][width]) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("preset", ["torch-fidelity", "clean"])
def test_features_of_the_other_presets_are_those_of_their_libraries(look, images, golden, preset):
    for layer, found in look(images["real"][:4], preset, list(LAYERS)).items():
        if (name := f"{THEIRS[preset]}_{layer}_real") in golden:
            close(found, golden[name][:4], atol=1e-4 if "logits" in layer else 1e-5)  # sums of 2048 features


@pytest.mark.parametrize("size", [1, 7])
def test_features_do_not_depend_on_the_batch(look, images, features, size):
    for width, found in look(images["real"][:size]).items():
        close(found, features["real"][width][:size])


def test_the_network_goes_no_further_than_asked(stand_in, images):
    network = Inception(stand_in)
    network.parts["3b_1x1"].forward = None
    shown = prepared(images["real"][:1])
    assert list(network(shown, layers=["64"])) == ["64"]
    assert list(Inception(stand_in)(shown)) == ["2048"], "the layer of the papers, if none is asked for"
    with pytest.raises(TypeError):
        network(shown, layers=["192"])


def test_logits_are_a_linear_function_of_the_features(look, images, stand_in):
    found = look(images["real"][:1], layers=["logits", "2048", "logits_unbiased"])
    assert all(each.shape == (1, LAYERS[layer]) for layer, each in found.items())
    assert list(found) == ["logits", "2048", "logits_unbiased"]
    torch.testing.assert_close(found["logits"] - found["logits_unbiased"], stand_in["fc.bias"][None], atol=1e-4, rtol=0)
    torch.testing.assert_close(found["logits_unbiased"], found["2048"] @ stand_in["fc.weight"].T)


def test_gradients_flow_to_the_images(stand_in):
    images = torch.rand(1, 3, 80, 80, requires_grad=True)
    (gradient,) = torch.autograd.grad(Inception(stand_in)(images, layers=["768"])["768"].sum(), images)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


def test_an_unknown_layer_lists_the_known(stand_in):
    with pytest.raises(InputError, match="no layer '1024'; known are 64, 192, 768, 2048, logits_unbiased, logits"):
        Inception(stand_in)(torch.zeros(1, 3, 299, 299), layers=["1024"])


def test_a_file_of_ones_own_is_loaded(tmp_path, stand_in, look, images):
    torch.save(stand_in, tmp_path / "mine.pth")
    network = load(own=tmp_path / "mine.pth")
    with torch.inference_mode():
        found = network(prepared(images["real"][:1]), layers=["64"])["64"]
    assert torch.equal(found, look(images["real"][:1], layers=["64"])["64"])
    assert list(weights.load("inception", own=tmp_path / "mine.pth").tensors) == list(SHAPES["inception"])


# how images are laid before it


def slow_bilinear(images, places):
    """Interpolate between the nearest two rows, then columns, at these places of the source."""
    for axis in (-2, -1):
        length = images.shape[axis]
        at = np.clip(places(length), 0, length - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (at - low)[:, None] if axis == -2 else at - low
        images = (1 - share) * images.take(low, axis) + share * images.take(high, axis)
    return images


EACH_SIZE = pytest.mark.parametrize("size", [(17, 40), (299, 299), (350, 611)])


@EACH_SIZE
@pytest.mark.parametrize("preset", ["pytorch-fid", "torch-fidelity"])
def test_bilinear_presets_equal_the_slow_definition(rng, size, preset):
    images = rng.integers(0, 256, (2, 3, *size), dtype=np.uint8)
    target = np.arange(299)
    if preset == "pytorch-fid":
        expected = 2 * slow_bilinear(images / 255, lambda length: (target + 0.5) * length / 299 - 0.5) - 1
    else:
        expected = (slow_bilinear(images, lambda length: target * length / 299) - 128) / 128
    found = prepared(torch.as_tensor(images), preset=preset)
    assert found.dtype == torch.float32
    # places are kept in float32
    np.testing.assert_allclose(found, expected, atol=2e-4)


@EACH_SIZE
def test_the_clean_preset_is_pillows_bicubic_on_each_channel(rng, size):
    images = rng.integers(0, 256, (1, 3, *size), dtype=np.uint8)
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in images[0]]
    resized = [np.asarray(plane.resize((299, 299), Image.Resampling.BICUBIC)).clip(0, 255) for plane in planes]
    np.testing.assert_allclose(
        prepared(torch.as_tensor(images), preset="clean")[0], (np.stack(resized) - 128) / 128, atol=1e-6
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_grey_is_three_equal_channels(rng, preset):
    grey = torch.as_tensor(rng.integers(0, 256, (2, 1, 20, 31)))
    found = prepared(grey, preset=preset)
    assert found.shape == (2, 3, 299, 299)
    # torch interpolates one channel and three in different orders
    torch.testing.assert_close(found, prepared(grey.expand(-1, 3, -1, -1), preset=preset), atol=1e-5, rtol=0)
    assert found.abs().max() <= 1


def test_an_unknown_preset_lists_the_known():
    with pytest.raises(InputError, match="no preset 'legacy'; known are pytorch-fid, torch-fidelity, clean"):
        prepared(torch.zeros(1, 3, 8, 8), preset="legacy")


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 2, 8, 8)])
def test_other_shapes_are_an_error(shape):
    with pytest.raises(ShapeError, match=r"shape \(N, 1 or 3, H, W\)"):
        prepared(torch.zeros(shape))


def test_a_halved_network_convolves_in_half_precision_and_judges_in_single(stand_ins):
    network = load(own=stand_ins["inception"])
    assert network.halve() is network
    assert {each.dtype for each in network.parts.buffers()} == {torch.float16}
    assert {network.classes.dtype, network.bias.dtype} == {torch.float32}


def test_weights_that_are_missing_are_fetched_only_if_that_is_asked_for(tiny, server, monkeypatch):
    monkeypatch.setitem(networks.FILES, "inception", tiny.file)
    with pytest.raises(MissingWeightsError):
        load()
    assert server.requests == []
