"""How images become the spectra that are drawn: every convention by name, and the sets of them that papers use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

from ffltool.errors import InputError

# option -> what it can be
CHOICES = {
    "channels": ("grey", "rgb", "red", "green", "blue"),
    "span": ("0..255", "0..1", "-1..1"),
    "whiten": ("none", "image", "set"),
    "residual": ("none", "median3", "median5", "gauss"),
    "window": ("none", "hann", "kaiser"),
    "transform": ("dft", "dct"),
    "average": ("power", "amplitude", "log1p", "log", "complex"),
    "show": ("db", "ln", "linear", "log", "relative", "dc"),
    "curves": ("radial", "slices"),
}
_MOST_PADDING = 16


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The conventions of a mean spectrum.

    Parameters
    ----------
    channels : "grey" (Rec. 601), one of the three, or "rgb", all of them, over which the result is averaged.
    span : the range that pixels are brought to.
    whiten : take off the mean and divide by the standard deviation, those of each image or of the first set.
    residual : what a denoiser takes away, see `ffltool.residuals`.
    window, pad : multiply by a window, then append zeros up to so many times the sides.
    transform, orthonormal : DFT or DCT-II; divided by the root of the number of pixels, as the DCT always is.
    average : what is averaged over a set: the power, the amplitude, ln(1 + amplitude), ln(amplitude + 1e-12), or the
        complex spectrum, whose amplitude is taken in the end.
    show : how the mean is drawn: "db", 10 log10 of power and 20 log10 of amplitude; "ln", ln(mean + 1e-6); "linear",
        as it is; "log", on a logarithmic scale from 1e-5 to 1e-1; "relative", divided by four times its mean over all
        frequencies and cut at 1; "dc", divided by its value at zero frequency.
    curves : what is drawn over frequency: the mean over rings, or the map along 0 and 45 degrees.
    """

    channels: str = "grey"
    span: str = "0..255"
    whiten: str = "none"
    residual: str = "none"
    window: str = "hann"
    pad: int = 1
    transform: str = "dft"
    orthonormal: bool = False
    average: str = "power"
    show: str = "db"
    curves: str = "radial"

    def __post_init__(self) -> None:
        for field in fields(self):
            known, value = CHOICES.get(field.name), getattr(self, field.name)
            if known and value not in known:
                raise InputError(f"{field.name} cannot be {value!r}; known are {', '.join(known)}")
        if not isinstance(self.pad, int) or not 1 <= self.pad <= _MOST_PADDING:
            raise InputError(f"pad must be 1 to {_MOST_PADDING} times the sides of the image, got {self.pad}")


# name -> conventions; those of a paper are its authors' published script's, where there is one
PRESETS = {
    "ffltool": Recipe(),
    "ffl": Recipe(window="none", average="log1p", show="linear"),
    "wang2020": Recipe(residual="median5", window="none", average="complex", show="ln"),
    "ricker2022": Recipe(
        residual="median3", span="-1..1", window="none", orthonormal=True, average="complex", show="log"
    ),
    "corvi2023": Recipe(
        channels="rgb", span="0..1", residual="median3", window="none", orthonormal=True, show="relative"
    ),
    "karras2021": Recipe(channels="rgb", whiten="set", window="kaiser", pad=4, orthonormal=True, curves="slices"),
    "frank2020": Recipe(window="none", transform="dct", average="log", show="linear"),
    "durall2020": Recipe(window="none", average="log", show="dc"),
}


def preset(name: str, changes: Mapping[str, Any] = MappingProxyType({})) -> Recipe:
    """Return the recipe of that name, with other options in place of its own.

    Raises
    ------
    InputError : for a name that is none, or an option that cannot be what it is.

    Examples
    --------
    >>> preset("ffl", {"window": "hann"}).window
    'hann'
    """
    if name not in PRESETS:
        raise InputError(f"there is no preset {name!r}; known are {', '.join(PRESETS)}")
    return replace(PRESETS[name], **changes)
