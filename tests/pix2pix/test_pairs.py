"""The halves of an image are a pair; plans and images that are none."""

import numpy as np
import pytest
import torch

from ffltool.datasets import given, load, wanted
from ffltool.errors import InputError
from ffltool.objective import Objective
from ffltool.train import Plan, Training
from tests.pix2pix.common import plan

pytestmark = pytest.mark.usefixtures("one_thread", "narrow")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 300}, "pix2pix takes images of a power of two 256 to 1024 pixels, not 300"),
        ({"direction": None}, "pix2pix wants a direction, AtoB or BtoA, not None"),
        ({"direction": "up"}, "pix2pix wants a direction, AtoB or BtoA, not 'up'"),
        ({"model": "ae", "size": 64}, "ae rebuilds whole images; a direction is for models of pairs"),
        ({"decay": 1.5}, "decay must be a share from 0 to 1, got 1.5"),
        ({"objective": {"pixel_weight": 0}}, "pixel_weight must be above 0 and finite, got 0"),
        ({"objective": {"gan_weight": -1}}, "gan_weight must be 0 or more and finite, got -1"),
        ({"objective": {"kl_weight": 1}}, "pix2pix has no divergence; a kl_weight is for vae"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_is_an_error(changes, said):
    settings = {"model": "pix2pix", "size": 256, "direction": "AtoB"} | changes
    with pytest.raises(InputError, match=said):
        Plan(**settings | {"objective": Objective(**settings.get("objective", {}))})


def test_images_that_are_no_pairs_and_pairs_that_should_be_none_are_errors(pairs):
    with pytest.raises(InputError, match="pix2pix takes images of 6 channels, not 3"):
        next(Training(plan()).run(given(pairs.pixels)))
    with pytest.raises(InputError, match="ae takes images of 3 channels, not 6"):
        next(Training(Plan(model="ae", size=8)).run(pairs.pixels))


def test_the_halves_of_an_image_are_given_and_wanted(tmp_path, save, rng):
    pixels = rng.integers(0, 256, (16, 40, 3), dtype=np.uint8)
    save(tmp_path / "a.png", pixels=pixels)
    planes = torch.from_numpy(np.moveaxis(pixels, -1, 0).copy())
    left, right = planes[..., 2:18], planes[..., 22:38]  # of halves 20 wide the centre
    for direction, sides in (("AtoB", (left, right)), ("BtoA", (right, left))):
        images = load(tmp_path, size=16, direction=direction).pixels
        assert torch.equal(given(images)[0], sides[0])
        assert torch.equal(wanted(images)[0], sides[1])
    whole = load(tmp_path, size=16).pixels
    assert torch.equal(given(whole), wanted(whole))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((16, 33), r"odd\.png is 33 pixels wide, which does not split into two halves"),
        ((16, 30), r"odd\.png is 16x15 in each half, smaller than --size 16"),
    ],
)
def test_an_image_without_two_sides_of_the_size_is_an_error_that_names_it(tmp_path, save, size, said):
    save(tmp_path / "odd.png", size=size)
    with pytest.raises(InputError, match=said):
        load(tmp_path, size=16, direction="AtoB")
