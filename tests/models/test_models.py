import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from ffltool.errors import InputError
from ffltool.models import MODELS, look_up, pix2pix

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def images(size, count=3):
    return torch.rand(count, 3, size, size, generator=generator()) * 2 - 1


@pytest.mark.parametrize(("name", "size"), [("ae", 64), ("ae", 20), ("vae", 8), ("vae", 64), ("vae", 128)])
def test_images_come_back_in_their_shape_and_range(name, size):
    rebuilt = look_up(name).build(size, seed=0)(images(size), generator())
    assert rebuilt.images.shape == (3, 3, size, size)
    assert rebuilt.images.abs().max() <= 1
    assert (rebuilt.divergence is None) == (name == "ae")


def test_the_autoencoder_has_two_layers_of_the_papers_width():
    network = look_up("ae").build(64, seed=0)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == {
        "encoder.weight": (256, 12288),
        "encoder.bias": (256,),
        "decoder.weight": (12288, 256),
        "decoder.bias": (12288,),
    }


def test_the_autoencoder_is_its_formula():
    network, batch = look_up("ae").build(8, seed=0), images(8)
    one, two = network.encoder, network.decoder
    hidden = torch.relu(batch.reshape(3, -1) @ one.weight.T + one.bias)
    expected = torch.tanh(hidden @ two.weight.T + two.bias).reshape(batch.shape)
    torch.testing.assert_close(network(batch).images, expected)


@pytest.mark.parametrize(
    ("size", "channels"), [(64, [64, 128, 256, 512]), (256, [64, 128, 256, 512, 512, 512])], ids=str
)
def test_the_variational_autoencoder_halves_down_to_four_places_and_mirrors_that(size, channels):
    with torch.device("meta"):
        from ffltool.models.vae import VAE

        network = VAE(size)
        down = [each for each in network.encoder.modules() if isinstance(each, nn.Conv2d)]
        up = [each for each in network.decoder.modules() if isinstance(each, nn.ConvTranspose2d)]
        assert network.encoder(torch.empty(2, 3, size, size)).shape == (2, channels[-1] * 4 * 4)
    assert [each.out_channels for each in down] == channels
    assert [each.in_channels for each in up] == channels[::-1]
    assert up[-1].out_channels == 3
    assert {(each.kernel_size, each.stride) for each in (*down, *up)} == {((4, 4), (2, 2))}
    assert network.moments.out_features == 2 * network.widen.in_features == 2 * 256
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    slopes = {each.negative_slope for each in network.modules() if isinstance(each, nn.LeakyReLU)}
    assert (len(norms), slopes) == (2 * len(channels) - 1, {0.2})


def test_the_divergence_is_that_of_torch_distributions():
    network, batch = look_up("vae").build(16, seed=0), images(16)
    with torch.no_grad():
        network.moments.bias.uniform_(-1, 1, generator=generator())
        found = network(batch, generator()).divergence
        mean, log_variance = network.moments(network.encoder(batch)).chunk(2, dim=1)
    standard = Normal(torch.zeros(()), torch.ones(()))
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), standard).sum(1)
    torch.testing.assert_close(found, expected)


def test_noise_is_that_of_the_generator_and_none_is_the_mean():
    network, batch = look_up("vae").build(16, seed=0).eval(), images(16)
    one, same, other, none = (network(batch, each).images for each in (generator(1), generator(1), generator(2), None))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    mean = network.moments(network.encoder(batch)).chunk(2, dim=1)[0]
    assert torch.equal(none, network.generate(mean))


@pytest.fixture
def quarter(monkeypatch):
    """Let pix2pix have a quarter of its channels."""
    monkeypatch.setattr(pix2pix, "WIDTH", 16)


def built(name, seed):
    """Return the network of a model, or its critic."""
    model = look_up(name.removesuffix("'s critic"))
    return model.build(max(64, model.smallest), seed=seed) if name in MODELS else model.build_critic(seed=seed)


@pytest.mark.parametrize("name", [*MODELS, "pix2pix's critic"])
def test_weights_are_normal_with_deviation_0_02_and_biases_are_0(name, quarter):
    for module in built(name, 3).modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            # the deviation of n normal values deviates by 1 / sqrt(2 n) of itself; five times that
            assert module.weight.std().item() == pytest.approx(0.02, rel=5 / (2 * module.weight.numel()) ** 0.5)
            assert module.bias is None or not module.bias.any()
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
        if isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
            assert (module.running_mean.abs().max(), module.running_var.min()) == (0, 1)


@pytest.mark.parametrize("name", [*MODELS, "pix2pix's critic"])
def test_the_seed_decides_the_weights_and_leaves_torchs_own_alone(name, quarter):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (built(name, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("ae", 4, "ae takes images of 8 to 256 pixels, not 4"),
        ("vae", 48, "vae takes images of a power of two 8 to 512 pixels, not 48"),
        ("gan", 64, "there is no model 'gan'; known are ae, vae, pix2pix"),
    ],
)
def test_sizes_and_names_that_do_not_suit_are_errors(name, size, said):
    with pytest.raises(InputError, match=said):
        look_up(name).build(size, seed=0)
