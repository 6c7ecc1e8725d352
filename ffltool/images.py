"""Image files: read them as 8-bit or 16-bit pixels, bring two to one size, write them.

Pixels are what Pillow decodes: grey counts as three equal channels, EXIF orientation is applied, palettes and CMYK
become RGB. 16-bit PNG, TIFF and PGM keep all their bits and are scaled by 255/65535, where the authors' reader cuts
them to 8. Refused are layouts of more than 8 bits that Pillow would cut or misread (colour PPM, TIFF with separate
planes, CMYK, premultiplied alpha, inverted grey or 12 bits), floating-point and 32-bit pixels, which have no agreed
scale, and images beyond Pillow's limit of 179 million pixels. PNG check sums are compared, which Pillow does not.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageFile, ImageOps

from ffltool import jpeg, outputs, png
from ffltool.deep import is_deep, read_deep, tiff_tags, without_alpha
from ffltool.errors import InputError
from ffltool.opening import content_of, opened

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor

# NumPy is imported where it is needed: 8-bit images are compared without it, which saves 0.1 s and 20 MB

ALPHAS = ("drop", "white", "black", "error")
FITS = ("none", "crop", "resize")
_ORIENTATION = 0x0112  # the EXIF tag
_SIDEWAYS = (5, 6, 7, 8)  # its values for images that lie on a side
_SIDES = 256, 257  # the tags of a TIFF's width and height


@dataclass(frozen=True)
class Reading:
    """How files become pixels.

    ``alpha``: what becomes of an alpha channel: "drop" (keep the colours as stored), composite over "white" or
    "black", or "error". ``fit``: what becomes of two images of different sizes: "none" is an error, "crop" cuts both
    about their centres to the smaller height and width, "resize" brings the fake one to the real one's size (Lanczos).
    """

    alpha: str = "drop"
    fit: str = "none"

    def __post_init__(self) -> None:
        for name, value, known in (("alpha", self.alpha, ALPHAS), ("fit", self.fit, FITS)):
            if value not in known:
                raise InputError(f"{name} cannot be {value!r}; known are {', '.join(known)}")


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded image.

    ``pixels`` are 8-bit ones as a Pillow image of mode "L" or "RGB", or an array, shape (H, W, 1 or 3), of uint16 or,
    from no file, of float64 on the 0..255 scale; ``file_bytes`` is the size of the file they come from.
    """

    pixels: Image.Image | ndarray
    alpha_dropped: bool = False
    file_bytes: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        if isinstance(self.pixels, Image.Image):
            return self.pixels.height, self.pixels.width
        return self.pixels.shape[:2]

    @property
    def is_8_bit(self) -> bool:
        """Whether the pixels are a Pillow image."""
        return isinstance(self.pixels, Image.Image)

    @property
    def is_floating(self) -> bool:
        """Whether the pixels are an array of floating point."""
        return not isinstance(self.pixels, Image.Image) and self.pixels.dtype.kind == "f"

    def planes(self) -> ndarray:
        """Return an array, shape (C, H, W), on the 0..255 scale: uint8, or float64 for other pixels."""
        import numpy as np

        if not isinstance(self.pixels, Image.Image):
            return np.moveaxis(self.pixels, -1, 0) / (1 if self.is_floating else 257)
        array = np.asarray(self.pixels)
        return np.ascontiguousarray(np.moveaxis(array, -1, 0)) if array.ndim == 3 else array[None]

    def tensor(self) -> Tensor:
        """Return a float32 tensor, shape (C, H, W), in 0..1."""
        import torch

        return torch.from_numpy((self.planes() / 255).astype("float32"))

    def in_16_bit(self) -> ndarray:
        """Return the pixels as a uint16 array, shape (H, W, 1 or 3)."""
        import numpy as np

        if not isinstance(self.pixels, Image.Image):
            return self.pixels
        array: ndarray = np.asarray(self.pixels, dtype=np.uint16) * np.uint16(257)
        return array if array.ndim == 3 else array[..., None]

    def crop(self, top: int, left: int, height: int, width: int) -> Picture:
        """Cut a rectangle out."""
        if isinstance(self.pixels, Image.Image):
            return replace(self, pixels=self.pixels.crop((left, top, left + width, top + height)))
        return replace(self, pixels=self.pixels[top : top + height, left : left + width])

    def centre_crop(self, height: int, width: int) -> Picture:
        """Cut a rectangle out of the middle, nearer to the top left where the margins are odd."""
        if (height, width) == self.size:
            return self
        return self.crop((self.size[0] - height) // 2, (self.size[1] - width) // 2, height, width)

    def shrink(self, longest: int) -> Picture:
        """Bring the longest side down to that many pixels, where it is longer."""
        scale = longest / max(self.size)
        return self if scale >= 1 else self.resize(*(max(1, round(side * scale)) for side in self.size))

    def resize(self, height: int, width: int) -> Picture:
        """Resample by Lanczos's filter; what overshoots the range of pixels is cut off."""
        size, lanczos = (width, height), Image.Resampling.LANCZOS
        if isinstance(self.pixels, Image.Image):
            return replace(self, pixels=self.pixels.resize(size, lanczos))
        import numpy as np

        planes = (Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(self.pixels, -1, 0))
        resized = np.stack([np.asarray(plane.resize(size, lanczos)) for plane in planes], axis=-1)
        if self.is_floating:
            return replace(self, pixels=resized.clip(0, 255).astype(np.float64))
        return replace(self, pixels=np.rint(resized).clip(0, 65535).astype(np.uint16))


def read(path: Path, *, alpha: str = "drop") -> Picture:
    """Read one image (the first frame), turned as its EXIF orientation says.

    Grey stays one channel, everything else becomes RGB as Pillow converts it. 16-bit grey and colour keep their full
    precision (PNG, TIFF, PGM).

    Raises
    ------
    BrokenImageError : if the file is damaged, empty, gone, no image, or too large to be an honest one.
    InputError : if it cannot be opened, has an alpha channel and `alpha` is "error", or holds pixels that have no
        agreed scale (floating point, 32-bit integers).
    """
    content = content_of(path)
    plain = png.decode_plain(content) or jpeg.decode_plain(content)
    if plain is not None:
        return Picture(plain, file_bytes=len(content))
    with opened(path, content) as (file, _):
        pixels, alpha_dropped = _decode(file, content, path, alpha)
        return Picture(pixels, alpha_dropped, len(content))


def size_of(path: Path) -> tuple[int, int]:
    """Return the height and width that `read` would give, without decoding the pixels; raises what `read` raises."""
    with opened(path, check_sums=False) as (file, content):
        # a TIFF comes turned, though not in every version of Pillow
        tags = tiff_tags(file)
        width, height = (tags[tag] for tag in _SIDES) if tags else file.size
        # a PNG would be decoded, to see whether an orientation stands behind the pixels
        if content.startswith(png.SIGNATURE) and not png.may_be_turned(content):
            return height, width
        return (width, height) if file.getexif().get(_ORIENTATION) in _SIDEWAYS else (height, width)


def alpha_dropped(count: int, *, composites: bool = False) -> str:
    """Return the warning for that many images, one or more; with the way out for who `composites` if it is asked."""
    way_out = "; --alpha white or black composites" if composites else ""
    return f"the alpha channel of {count} image{'s' * (count > 1)} was dropped{way_out}"


def left_out(names: Sequence[str], *, paired: bool = False) -> str:
    """Return the warning that images, or pairs, of these names are broken."""
    many = len(names) > 1
    what = f"pair{'s' * many} with a broken image" if paired else f"broken image{'s' * many}"
    return f"{len(names)} {what} {'were' if many else 'was'} left out: {', '.join(names)}"


def _decode(file: ImageFile.ImageFile, content: bytes, path: Path, alpha: str) -> tuple[Image.Image | ndarray, bool]:
    """Return the pixels of a file, opened from these bytes, and whether an alpha channel was dropped."""
    has_alpha = file.has_transparency_data
    if has_alpha and alpha == "error":
        raise InputError(f"{path} has an alpha channel; --alpha drop, white or black reads it")
    if file.mode == "F" or (file.mode == "I" and file.format != "PPM"):
        kind = "floating-point" if file.mode == "F" else "signed or 32-bit"
        raise InputError(f"{path} holds {kind} pixels, which have no agreed scale; 8-bit or 16-bit ones are wanted")

    background = {"white": 255, "black": 0}.get(alpha)
    if is_deep(file, path):
        if has_alpha and background is not None and "A" not in file.mode:
            raise InputError(f"{path} has a transparent colour, which 16-bit pixels cannot be rid of; --alpha drop can")
        ground = background * 257 if has_alpha and background is not None else None
        pixels = without_alpha(read_deep(file, content), background=ground)
        return pixels, has_alpha and background is None

    file.load()
    image = ImageOps.exif_transpose(file) if file.getexif().get(_ORIENTATION, 1) != 1 else file
    if image.mode in ("La", "RGBa"):  # colours premultiplied by alpha
        image = image.convert(image.mode.upper())
    if has_alpha and background is not None:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (background,) * 3), image.convert("RGBA"))
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    return image if image.mode == mode else image.convert(mode), has_alpha and background is None


def read_pair(real: Path, fake: Path | None, reading: Reading) -> tuple[Picture, Picture]:
    """Read two images to be compared, in one form and size; without `fake` the halves of the real file.

    Raises
    ------
    InputError : if the sizes differ and nothing is to be done about it, or a width cannot be halved; else as `read`.
    """
    return fitted(*read_both(real, fake, alpha=reading.alpha), fit=reading.fit, files=(real, fake))


def read_both(real: Path, fake: Path | None, *, alpha: str) -> tuple[Picture, Picture]:
    """Read two images as they are; without `fake` the halves of the real file.

    Raises
    ------
    InputError : if a width cannot be halved; else as `read`.
    """
    first = read(real, alpha=alpha)
    if fake is not None:
        return first, read(fake, alpha=alpha)
    height, width = first.size
    if width % 2:
        raise InputError(f"{real} is {width} pixels wide, which does not split into two halves")
    second = replace(first, alpha_dropped=False)  # one file, one alpha channel
    return first.crop(0, 0, height, width // 2), second.crop(0, width // 2, height, width // 2)


def fitted(first: Picture, second: Picture, *, fit: str, files: Sequence[Path | None]) -> tuple[Picture, Picture]:
    """Return two images in one form and size, as `Reading` has it; `files` are named in errors.

    Raises
    ------
    InputError : if the sizes differ and `fit` is "none".
    """
    if first.size != second.size:
        if fit == "none":
            sizes = [f"{path} is {h}x{w}" for path, (h, w) in zip(files, (first.size, second.size), strict=True)]
            raise InputError(
                f"{sizes[0]} but {sizes[1]} (height x width); --fit crop or resize brings them to one size"
            )
        if fit == "resize":
            second = second.resize(*first.size)
        else:
            common = [min(sides) for sides in zip(first.size, second.size, strict=True)]
            first, second = first.centre_crop(*common), second.centre_crop(*common)
    return in_one_form(first, second)


def in_one_form(real: Picture, fake: Picture) -> tuple[Picture, Picture]:
    """Return both in 16 bits or floating point if one is, and both in colour if one is."""
    if isinstance(real.pixels, Image.Image) and isinstance(fake.pixels, Image.Image):
        if real.pixels.mode == fake.pixels.mode:
            return real, fake
        return replace(real, pixels=real.pixels.convert("RGB")), replace(fake, pixels=fake.pixels.convert("RGB"))
    import numpy as np

    if real.is_floating or fake.is_floating:
        one, other = np.broadcast_arrays(*(np.moveaxis(each.planes().astype(float), 0, -1) for each in (real, fake)))
    else:
        one, other = np.broadcast_arrays(real.in_16_bit(), fake.in_16_bit())
    return replace(real, pixels=one), replace(fake, pixels=other)


def write(image: Image.Image, path: Path, **settings: object) -> None:
    """Write an image in the format of the path's suffix, whole or not at all; `settings` are Pillow's for it.

    Raises
    ------
    InputError : for a suffix that is none of an image, or if the file cannot be written.
    """
    suffix = path.suffix.lower()
    if Image.registered_extensions().get(suffix) not in Image.SAVE:
        raise InputError(f"{path} has no image suffix that is known, such as .png or .jpg")
    content = io.BytesIO()
    image.save(content, Image.EXTENSION[suffix], **settings)
    outputs.write(path, content.getvalue())
