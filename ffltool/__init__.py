"""Measure and show the gap between real and generated images in the frequency domain."""

from importlib import import_module

__version__ = "0.1.0"

# public name -> the module it lives in, imported when the name is first used (PEP 562)
_HOMES = {
    "FfltoolError": "ffltool.errors",
    "FocalFrequencyLoss": "ffltool.loss",
    "InputError": "ffltool.errors",
    "LabelMaps": "ffltool.label_maps",
    "Reading": "ffltool.images",
    "Report": "ffltool.report",
    "Score": "ffltool.report",
    "ShapeError": "ffltool.errors",
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


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
