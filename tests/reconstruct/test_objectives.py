"""What objectives are."""

import math

import numpy as np
import pytest
import torch

from ffltool.reconstruct import known_objectives, objectives
from tests.reconstruct.common import OBJECTIVES, random, steps_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_frequency_and_pixel_go_the_same_way_by_parseval():
    target = random(3, 8, 9, dtype=torch.float64)
    ways = [steps_of(target, objective, steps=30) for objective in ("frequency", "pixel")]
    for one, other in zip(*ways, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        assert one.psnr == pytest.approx(other.psnr, rel=1e-9)


def test_phase_eq6_is_the_slow_definition():
    pred, target = random(3, 8, 9, dtype=torch.float64), random(3, 8, 9, dtype=torch.float64, seed=2)
    phases = []
    for image in (pred, target):
        spectrum = np.fft.fft2(image.numpy())
        phases.append(np.arctan(spectrum.imag / spectrum.real))
    expected = np.square(phases[0] - phases[1]).mean()
    assert objectives()["phase-eq6"](pred, target).item() == pytest.approx(expected, rel=1e-9)


def test_phase_eq6_cannot_tell_an_image_from_its_negative_and_phase_can():
    image = random(1, 8, 8, dtype=torch.float64)
    assert objectives()["phase-eq6"](-image, image).item() == pytest.approx(0, abs=1e-20)
    assert objectives()["phase"](-image, image).item() == pytest.approx(math.pi**2)


def test_a_frequency_of_minus_0_has_no_phase_under_phase_eq6():
    black = torch.zeros(1, 8, 8)
    assert torch.fft.fft2(-black).angle().max() == pytest.approx(math.pi), "which is no more than a sign of zero"
    assert objectives()["phase-eq6"](-black, black).item() == 0


def test_alpha_is_the_exponent_of_objectives_that_begin_with_ffl_alone():
    pred, target = random(1, 8, 9), random(1, 8, 9, seed=2)
    for name in OBJECTIVES:
        one, other = (objectives(alpha)[name](pred, target).item() for alpha in (1.0, 2.0))
        assert (one != other) == name.startswith("ffl"), name


def test_alpha_0_makes_of_each_focal_objective_the_plain_one():
    pred, target = random(1, 8, 9), random(1, 8, 9, seed=2)
    plain = {name: objective(pred, target).item() for name, objective in objectives(0.0).items()}
    for focal, name in {
        "ffl": "pixel",
        "ffl-amplitude": "amplitude",
        "ffl-phase": "phase",
        "ffl-pixel": "pixel",
        "ffl-dct": "pixel",
    }.items():
        assert plain[focal] == pytest.approx(plain[name], rel=1e-5), focal


def test_known_objectives_are_told_apart_from_spaces_case_and_repetition():
    assert known_objectives([" FFL", "Pixel ", "ffl"]) == ["ffl", "pixel"]
