"""Measure and show the gap between real and generated images in the frequency domain.

Names are imported when they are first used, so that ``import ffltool`` costs nothing.

Comparing images, in files or in memory:

- `compare` real with fake images by any metrics, into a `Report` of `Score`; `assert_images` holds them to limits
- `pair` finds the pairs of two folders, `evaluate_pairs` computes metrics on them, with every setting there is
- `Reading` says how files become pixels, `LabelMaps` how they become labels, `Looking` how networks look at them,
  with their weights from `Sources` and by `Computing` on a device

Metrics as functions of tensors (N, C, H, W), or of label maps:

- of each pair of images: `mse`, `psnr`, `ssim`, `lfd`; of two sets: `lsd`, `sde`, `gain`
- of label maps: `miou`, `pixel_accuracy`

The losses: `FocalFrequencyLoss`, `focal_frequency_loss`, `spectral_regularization`

Errors, all of them `FfltoolError`: `InputError`, of it `BrokenImageError`; `ShapeError`, `WeightsError`,
`NothingComparedError`
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what a type checker finds in place of `__getattr__`
    from ffltool.comparing import assert_images as assert_images
    from ffltool.comparing import compare as compare
    from ffltool.errors import BrokenImageError as BrokenImageError
    from ffltool.errors import FfltoolError as FfltoolError
    from ffltool.errors import InputError as InputError
    from ffltool.errors import NothingComparedError as NothingComparedError
    from ffltool.errors import ShapeError as ShapeError
    from ffltool.errors import WeightsError as WeightsError
    from ffltool.evaluate import evaluate_pairs as evaluate_pairs
    from ffltool.images import Reading as Reading
    from ffltool.label_maps import LabelMaps as LabelMaps
    from ffltool.looking import Computing as Computing
    from ffltool.looking import Looking as Looking
    from ffltool.looking import Sources as Sources
    from ffltool.loss import FocalFrequencyLoss as FocalFrequencyLoss
    from ffltool.loss import focal_frequency_loss as focal_frequency_loss
    from ffltool.loss import spectral_regularization as spectral_regularization
    from ffltool.metrics.lfd import lfd as lfd
    from ffltool.metrics.mse import mse as mse
    from ffltool.metrics.psnr import psnr as psnr
    from ffltool.metrics.segmentation import miou as miou
    from ffltool.metrics.segmentation import pixel_accuracy as pixel_accuracy
    from ffltool.metrics.spectral import gain as gain
    from ffltool.metrics.spectral import lsd as lsd
    from ffltool.metrics.spectral import sde as sde
    from ffltool.metrics.ssim import ssim as ssim
    from ffltool.pairing import pair as pair
    from ffltool.report import Report as Report
    from ffltool.report import Score as Score

__version__ = "0.1.0"

# public name -> the module it lives in, imported when the name is first used (PEP 562)
_HOMES = {
    "BrokenImageError": "ffltool.errors",
    "Computing": "ffltool.looking",
    "FfltoolError": "ffltool.errors",
    "FocalFrequencyLoss": "ffltool.loss",
    "InputError": "ffltool.errors",
    "LabelMaps": "ffltool.label_maps",
    "Looking": "ffltool.looking",
    "NothingComparedError": "ffltool.errors",
    "Reading": "ffltool.images",
    "Report": "ffltool.report",
    "Score": "ffltool.report",
    "ShapeError": "ffltool.errors",
    "Sources": "ffltool.looking",
    "WeightsError": "ffltool.errors",
    "assert_images": "ffltool.comparing",
    "compare": "ffltool.comparing",
    "evaluate_pairs": "ffltool.evaluate",
    "focal_frequency_loss": "ffltool.loss",
    "gain": "ffltool.metrics.spectral",
    "lfd": "ffltool.metrics.lfd",
    "lsd": "ffltool.metrics.spectral",
    "miou": "ffltool.metrics.segmentation",
    "mse": "ffltool.metrics.mse",
    "pair": "ffltool.pairing",
    "pixel_accuracy": "ffltool.metrics.segmentation",
    "psnr": "ffltool.metrics.psnr",
    "sde": "ffltool.metrics.spectral",
    "spectral_regularization": "ffltool.loss",
    "ssim": "ffltool.metrics.ssim",
}
__all__ = [*_HOMES]


if not TYPE_CHECKING:  # which would take any name for one that is here

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
