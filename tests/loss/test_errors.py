"""Shapes, types and options that cannot be."""

import math

import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from tests.loss.common import images

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((1, 3, 8, 8), (1, 3, 8, 6)), r"pred \(1, 3, 8, 8\) and target \(1, 3, 8, 6\) must have one shape"),
        (((1, 3, 8, 8), (2, 3, 8, 8)), "must have one shape"),
        (((3, 8, 8), (1, 3, 8, 8)), "must have one shape"),
        (((8, 8),) * 2, r"\(C, H, W\), \(N, C, H, W\) or \(N, C, D, H, W\) is wanted, got \(8, 8\)"),
        (((),) * 2, r"is wanted, got \(\)"),
        (((1, 1, 2, 2, 2, 2),) * 2, r"is wanted, got \(1, 1, 2, 2, 2, 2\)"),
        (((0, 3, 8, 8),) * 2, r"is wanted, got \(0, 3, 8, 8\)"),
        (((1, 3, 8, 0),) * 2, r"is wanted, got \(1, 3, 8, 0\)"),
    ],
)
def test_wrong_shapes_are_an_error(shapes, message):
    with pytest.raises(ShapeError, match=message):
        focal_frequency_loss(*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.complex64], ids=str)
@pytest.mark.parametrize("name", ["pred", "target"])
def test_integers_and_complex_numbers_are_an_error(name, dtype):
    pair = {"pred": torch.zeros(1, 3, 8, 8), "target": torch.zeros(1, 3, 8, 8)}
    pair[name] = pair[name].to(dtype)
    message = f"^{name} must be of a floating-point type, got {dtype}; scale 8-bit images to 0..1$"
    with pytest.raises(InputError, match=message):
        focal_frequency_loss(**pair)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -0.5}, "alpha must be 0 or more and finite, got -0.5"),
        ({"alpha": math.nan}, "alpha must be 0 or more and finite, got nan"),
        ({"alpha": math.inf}, "alpha must be 0 or more and finite, got inf"),
        ({"patch_factor": 0}, "patch_factor must be a whole number from 1 on, got 0"),
        ({"patch_factor": -2}, "patch_factor must be a whole number from 1 on, got -2"),
        ({"patch_factor": 1.5}, "patch_factor must be a whole number from 1 on, got 1.5"),
        ({"transform": "fft"}, "transform cannot be 'fft'; known are dft, dct, none"),
        ({"component": "real"}, "component cannot be 'real'; known are complex, amplitude, phase"),
        ({"reduction": "max"}, "reduction cannot be 'max'; known are mean, sum, none"),
        (
            {"component": "phase", "transform": "dct"},
            "component 'phase' is one of the DFT; transform 'dct' has none",
        ),
        (
            {"component": "amplitude", "transform": "none"},
            "component 'amplitude' is one of the DFT; transform 'none' has none",
        ),
        ({"exclude_dc": True, "transform": "none"}, "exclude_dc needs a transform: pixels have no zero frequency"),
    ],
    ids=str,
)
def test_options_out_of_their_range_are_an_error(options, message):
    pair = images(1, 3, 8, 8)
    for loss in (FocalFrequencyLoss(**options), lambda *pair: focal_frequency_loss(*pair, **options)):
        with pytest.raises(InputError, match=f"^{message}$"):
            loss(*pair)
