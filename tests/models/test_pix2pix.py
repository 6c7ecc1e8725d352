from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm

from ffltool.errors import InputError
from ffltool.models import look_up, pix2pix
from ffltool.models.pix2pix import PatchGAN, UNet

pytestmark = pytest.mark.usefixtures("one_thread")
CONVOLUTIONS = nn.Conv2d, nn.ConvTranspose2d


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def images(count=1):
    return torch.rand(count, 3, 256, 256, generator=generator()) * 2 - 1


def on_meta(make):
    with torch.device("meta"):
        return make()


def parameters(network):
    return sum(each.numel() for each in network.parameters())


def test_the_generator_has_the_parameters_of_the_paper():
    network = on_meta(lambda: UNet(256))
    down = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    convolutions = sum(16 * one * other for one, other in pairwise(down))
    # upwards the lowest level has 512 channels, and every other those that come up and its skip
    up = [(512, 512), (1024, 512), (1024, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 3)]
    convolutions += sum(16 * one * other for one, other in up) + 3  # the last has a bias
    norms = 2 * (sum(down[2:8]) + sum(other for _, other in up[:7]))
    assert parameters(network) == convolutions + norms == 54_413_955


def test_the_critic_has_the_parameters_of_the_paper():
    network = on_meta(PatchGAN)
    convolutions = 16 * (6 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1) + 64 + 1  # the first and last have biases
    assert parameters(network) == convolutions + 2 * (128 + 256 + 512) == 2_768_705


def test_the_generator_goes_down_to_one_place_and_up_again():
    network = on_meta(lambda: UNet(256))
    places = []
    for halving in network.down:
        halving.register_forward_hook(lambda _, inputs, output: places.append(output.shape[-1]))
    with torch.device("meta"):
        made = network(torch.empty(1, 3, 256, 256)).images
    assert places == [128, 64, 32, 16, 8, 4, 2, 1]
    assert made.shape == (1, 3, 256, 256)
    shapes = {(each.kernel_size, each.stride) for each in network.modules() if isinstance(each, CONVOLUTIONS)}
    assert shapes == {((4, 4), (2, 2))}
    assert {each.negative_slope for each in network.modules() if isinstance(each, nn.LeakyReLU)} == {0.2}


def test_every_level_has_its_skip(narrow):
    network = look_up("pix2pix").build(256, seed=0).eval()
    expected = network(images()).images
    for halving in network.down[:-1]:
        handle = halving.register_forward_hook(lambda _, inputs, output: output + 1)
        assert not torch.allclose(network(images()).images, expected, rtol=0, atol=1e-4)
        handle.remove()
    # and cut off from below a level is there nonetheless
    handle = network.down[2].register_forward_hook(lambda _, inputs, output: 0 * output)
    assert network(images()).images.std() > 1e-3
    handle.remove()
    torch.testing.assert_close(network(images()).images, expected)


def test_the_critic_sees_patches_of_70_pixels(narrow):
    network = look_up("pix2pix").build_critic(seed=0).eval()
    for each in network.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.forward = lambda values: values  # which looks at the whole image
    given = images().requires_grad_()
    verdict = network(given, images())
    assert verdict.shape == (1, 1, 30, 30)
    (slope,) = torch.autograd.grad(verdict[0, 0, 15, 15], given)
    rows, columns = slope[0].abs().sum(0).nonzero().T
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (70, 70)


def test_the_critic_sees_both_sides(narrow):
    network, (one, other) = look_up("pix2pix").build_critic(seed=0), images(2).split(1)
    verdicts = [network(*sides) for sides in ((one, other), (one, one), (other, other))]
    assert not any(torch.equal(verdicts[0], each) for each in verdicts[1:])


def test_dropout_halves_the_first_three_levels_of_the_way_up_and_keeps_their_mean(narrow):
    network = look_up("pix2pix").build(256, seed=0)
    seen = []
    for doubling in network.up[1:]:
        doubling.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(images(), generator())
    dropped = [each[:, : each.shape[1] // 2] for each in seen]
    shares = [(each == 0).float().mean().item() for each in dropped]
    # of 64, 256 and 1024 values, five deviations of a share of half
    assert shares[:3] == [pytest.approx(0.5, abs=5 / (2 * each.numel() ** 0.5)) for each in dropped[:3]]
    assert not any(shares[3:])
    seen.clear()
    network(images())
    whole = seen[0][:, : seen[0].shape[1] // 2]
    kept = dropped[0] != 0
    torch.testing.assert_close(dropped[0][kept], 2 * whole[kept])


def test_noise_is_that_of_the_generator_and_without_it_nothing_is_dropped(narrow):
    network = look_up("pix2pix").build(256, seed=0)
    one, same, other, none, again = (
        network(images(), each and generator(each)).images for each in (1, 1, 2, None, None)
    )
    assert torch.equal(one, same)
    assert torch.equal(none, again)
    assert not torch.equal(one, other)
    assert not torch.equal(one, none)


def test_batch_norm_is_of_the_batch_in_training_and_of_each_image_else():
    norm = pix2pix._Norm(3)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        norm.bias.copy_(torch.tensor([0.5, 0.0, -1.0]))
    batch = torch.rand(4, 3, 5, 5, generator=generator())
    of = {"training": True, "weight": norm.weight, "bias": norm.bias}
    torch.testing.assert_close(norm(batch), batch_norm(batch, None, None, **of))
    alone = torch.cat([batch_norm(each[None], None, None, **of) for each in batch])
    torch.testing.assert_close(norm.eval()(batch), alone)
    assert not list(norm.buffers())


def test_a_batch_of_one_is_the_same_in_training_and_else(narrow):
    network = look_up("pix2pix").build(256, seed=0)
    torch.testing.assert_close(network(images()).images, network.eval()(images()).images)


@pytest.mark.parametrize("size", [64, 300, 384, 2048])
def test_sizes_that_eight_halvings_do_not_fit_are_errors(size):
    with pytest.raises(InputError, match=f"pix2pix takes images of a power of two 256 to 1024 pixels, not {size}"):
        look_up("pix2pix").build(size, seed=0)


def test_larger_sizes_fit_too(narrow):
    network = look_up("pix2pix").build(512, seed=0)
    assert network(torch.zeros(1, 3, 512, 512)).images.shape == (1, 3, 512, 512)
