"""Make the sample pairs: pictures of leaves, pebbles and scraps as "real", and what a generator makes of them.

The real pictures follow the dead-leaves model (Lee, Mumford and Huang, IJCV 2001): shapes whose radii are distributed
as r^-3 fall on each other until hardly anything is left bare. Such pictures share with photographs what is measured
here: edges at all scales, and a power spectrum that falls as 1/f^2. Each fake is its real partner with one fault of
image generators, which its name tells. ``python sample_data/make.py`` writes everything beside this file.
"""

import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from ffltool.images import write

FOLDER = Path(__file__).parent
SEED = 2021
SCALE = 3  # rendered pixels per pixel, along each side
SMALLEST = 1.0  # radius of a shape, in pixels
LAYERS = 12.0  # how often the shapes' surrounding circles cover the picture on average
TILE = 512  # side of the texture tiles, in rendered pixels
GAMMA = 2.2

Level = Callable[[np.ndarray, np.ndarray], np.ndarray]

# colours (sRGB) that lie next to each other in a scene
PALETTES = {
    "autumn": ("#2e241c", "#57402c", "#80563a", "#a3794f", "#7d7355", "#c2ab82"),
    "forest": ("#1c2219", "#333d2a", "#505a3c", "#74794f", "#646450", "#aaab86"),
    "pebbles": ("#2d2b2a", "#57524c", "#7d776d", "#968a7a", "#6d7479", "#bdb4a5"),
    "shore": ("#2b343a", "#55646c", "#8d8f86", "#a89a80", "#7d8c94", "#d3cab6"),
    "scraps": ("#2e2a33", "#5a4a50", "#856563", "#a38f83", "#565f70", "#cabfb1"),
    "heath": ("#282429", "#4b424a", "#75666e", "#6f6e58", "#94897a", "#b5a9a8"),
}


class Look(NamedTuple):
    """What tells one kind of scene from another."""

    palette: str
    shapes: tuple[str, ...]
    texture: float = 0.17  # deviation of the logarithm of a shape's brightness
    dome: float = 0.25  # how much a shape darkens to its rim


class Leaf(NamedTuple):
    """One shape: where it lies and how large it is, in rendered pixels, and what covers it."""

    row: float
    column: float
    radius: float
    angle: float
    level: Level
    tint: np.ndarray
    texture: np.ndarray
    start: np.ndarray  # where in the texture the picture's first pixel lies


# What a shape is: a function of coordinates along and across it, which is 0 at its centre and 1 on its rim


def disc(rng: np.random.Generator) -> Level:
    """Return an ellipse up to twice as long as wide."""
    stretch = rng.uniform(1, 2)
    return lambda along, across: np.hypot(along, across * stretch)


def polygon(rng: np.random.Generator) -> Level:
    """Return a convex polygon with soft corners, of four to seven sides."""
    sides = rng.integers(4, 8)
    angles = (np.arange(sides) + rng.uniform(-0.3, 0.3, sides)) * 2 * np.pi / sides
    reach = rng.uniform(0.65, 0.95, sides)
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=-1) / reach[:, None]
    return lambda along, across: sum(np.maximum(along * x + across * y, 0) ** 8 for x, y in normals) ** 0.125


def blade(rng: np.random.Generator) -> Level:
    """Return a pointed leaf, a little bent."""
    width, bend = rng.uniform(0.25, 0.6), rng.uniform(-0.1, 0.1)
    return lambda along, across: along**2 + np.abs(across + bend * along**2) / width


def blob(rng: np.random.Generator) -> Level:
    """Return a worn stone: a circle with a wavy radius."""
    waves, phases = rng.uniform(0, (0.12, 0.07, 0.02)), rng.uniform(0, 2 * np.pi, 3)

    def level(along: np.ndarray, across: np.ndarray) -> np.ndarray:
        turn = np.arctan2(across, along)
        bulges = (wave * np.cos(n * turn + phase) for n, wave, phase in zip((2, 3, 5), waves, phases, strict=True))
        return np.hypot(along, across) / (0.8 + sum(bulges))

    return level


SHAPES = {"disc": disc, "polygon": polygon, "blade": blade, "blob": blob}
LOOKS = {
    "autumn": Look("autumn", ("blade", "polygon")),
    "forest": Look("forest", ("blade",)),
    "pebbles": Look("pebbles", ("blob", "disc"), dome=0.5),
    "shore": Look("shore", ("blob", "polygon"), dome=0.35),
    "scraps": Look("scraps", ("polygon",), texture=0.2, dome=0.1),
    "heath": Look("heath", ("blade", "disc")),
}


# How a real picture comes about


def real_image(number: int, size: tuple[int, int], look: Look) -> np.ndarray:
    """Return the picture of that number, uint8, shape (H, W, 3)."""
    rng = np.random.default_rng([SEED, number])
    return develop(paint(rng, size, look), rng)


def paint(rng: np.random.Generator, size: tuple[int, int], look: Look) -> np.ndarray:
    """Return a picture in linear light, shape (H, W, 3), of arbitrary brightness."""
    height, width = size
    canvas = np.empty((height * SCALE, width * SCALE, 3))
    canvas[:] = stops(look.palette)[0] ** GAMMA
    light = rng.uniform(0, 2 * np.pi)
    for leaf in leaves(rng, canvas.shape[:2], look):
        cast_shadow(canvas, leaf, light)
        cover(canvas, leaf, light, look.dome)
    return canvas.reshape(height, SCALE, width, SCALE, 3).mean(axis=(1, 3))


def leaves(rng: np.random.Generator, size: tuple[int, int], look: Look) -> Iterator[Leaf]:
    """Yield the shapes, the lowest first."""
    textures = [look.texture * noise(rng, (TILE, TILE), power=1.3, stretch=stretch) for stretch in (1, 1, 3, 8)]
    places = noise(rng, size, power=3.5)
    for radius in radii(rng, size):
        row, column = (rng.uniform(-radius, side + radius) for side in size)
        here = places[int(np.clip(row, 0, size[0] - 1)), int(np.clip(column, 0, size[1] - 1))]
        freedom = min(radius / (12 * SCALE), 1) ** 0.35  # small things look like the ground they lie on
        tint = colour(rng, look.palette, here, freedom)
        level = SHAPES[look.shapes[rng.integers(len(look.shapes))]](rng)
        texture = textures[rng.integers(len(textures))]
        yield Leaf(row, column, radius, rng.uniform(0, 2 * np.pi), level, tint, texture, rng.integers(TILE, size=2))


def radii(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draw radii of density r^-3, as many as cover the picture."""
    low, high = SMALLEST * SCALE, 0.8 * max(size)
    area = 2 * np.pi * np.log(high / low) / (low**-2 - high**-2)  # the mean of pi r^2
    drawn = rng.uniform(high**-2, low**-2, int(LAYERS * math.prod(size) / area)) ** -0.5
    # the larger a shape, the further outside may its centre lie
    reach = (1 + 2 * drawn / size[0]) * (1 + 2 * drawn / size[1])
    return rng.permutation(np.repeat(drawn, rng.poisson(reach)))


def colour(rng: np.random.Generator, palette: str, here: float, freedom: float) -> np.ndarray:
    """Return a colour in linear light; the place tells the part of the palette, chance the rest."""
    known = stops(palette)
    at = np.clip(0.45 + 0.15 * here + 0.2 * freedom * rng.standard_normal(), 0, 1) * (len(known) - 1)
    first = min(int(at), len(known) - 2)
    mixed = known[first] + (at - first) * (known[first + 1] - known[first])
    return mixed**GAMMA * np.exp(freedom * (0.25 * rng.standard_normal() + 0.04 * rng.standard_normal(3)))


def stops(palette: str) -> np.ndarray:
    """Return the colours of a palette as sRGB in [0, 1], shape (colours, 3)."""
    return np.array([list(bytes.fromhex(stop[1:])) for stop in PALETTES[palette]]) / 255


def noise(rng: np.random.Generator, size: tuple[int, int], *, power: float, stretch: float = 1.0) -> np.ndarray:
    """Return periodic noise of mean 0 and deviation 1 whose power falls as 1/f^power, drawn out along some angle."""
    u, v = np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])
    angle = rng.uniform(0, np.pi)
    along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    frequency = np.hypot(along * stretch, across) + 1 / max(size)
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal(size)) / frequency ** (power / 2)).real
    return (field - field.mean()) / field.std()


def window(leaf: Leaf, size: tuple[int, int]) -> tuple[slice, slice, np.ndarray, np.ndarray]:
    """Return the rows and columns that a leaf may reach, and its own coordinates (down, right) there."""
    spans = []
    for middle, side in zip((leaf.row, leaf.column), size, strict=True):
        spans.append(slice(max(int(middle - leaf.radius), 0), min(int(middle + leaf.radius) + 2, side)))
    rows, columns = spans
    y = (np.arange(rows.start, rows.stop)[:, None] - leaf.row) / leaf.radius
    x = (np.arange(columns.start, columns.stop) - leaf.column) / leaf.radius
    return rows, columns, y, x


def level_at(leaf: Leaf, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return how far out on the turned leaf each point lies: 1 on its rim."""
    cos, sin = np.cos(leaf.angle), np.sin(leaf.angle)
    return leaf.level(x * cos + y * sin, y * cos - x * sin)


def cast_shadow(canvas: np.ndarray, leaf: Leaf, light: float) -> None:
    """Darken softly what lies beside a leaf, away from the light."""
    far = min(0.12 * leaf.radius, 4 * SCALE)
    shadow = leaf._replace(
        row=leaf.row + far * np.sin(light), column=leaf.column + far * np.cos(light), radius=leaf.radius + far
    )
    rows, columns, y, x = window(shadow, canvas.shape[:2])
    depth = np.clip((1 - level_at(shadow, y, x)) * leaf.radius / (2 * far), 0, 1)
    canvas[rows, columns] *= 1 - 0.55 * depth[..., None]


def cover(canvas: np.ndarray, leaf: Leaf, light: float, dome: float) -> None:
    """Lay a leaf on the canvas, lit from one side, darker to its rim, with its texture."""
    rows, columns, y, x = window(leaf, canvas.shape[:2])
    level = level_at(leaf, y, x)
    lit = np.maximum(1 - 0.25 * (y * np.sin(light) + x * np.cos(light)) - dome * level**3, 0.1)
    down = (leaf.start[0] + np.arange(rows.start, rows.stop)) % TILE
    right = (leaf.start[1] + np.arange(columns.start, columns.stop)) % TILE
    lit *= np.exp(leaf.texture[np.ix_(down, right)])
    inside = level <= 1
    canvas[rows, columns][inside] = lit[inside][:, None] * leaf.tint


def develop(linear: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return what a camera makes of linear light: it falls unevenly on a noisy sensor."""
    down, right = rng.uniform(-0.25, 0.25, 2)
    height, width = linear.shape[:2]
    linear = linear * (1 + down * np.linspace(-1, 1, height)[:, None] + right * np.linspace(-1, 1, width))[..., None]
    exposed = linear * (0.28 / linear.mean())
    toned = (exposed**1.25 / (1 + 0.2 * exposed**1.25)) ** (1 / GAMMA)
    return to_bytes(255 * toned + 0.8 * rng.standard_normal(toned.shape))


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Round to 8 bits."""
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


# What generators do: functions of float64 pixels, shape (H, W, 3), on the 0..255 scale


def blur(pixels: np.ndarray) -> np.ndarray:
    """Blur as an autoencoder does."""
    return ndimage.gaussian_filter(pixels, (0.9, 0.9, 0), mode="mirror")


def low_rank(pixels: np.ndarray) -> np.ndarray:
    """Keep the 16 principal components of patches of 8 x 8 pixels, averaged over four grids of patches."""
    steps = [(down, right) for down in (0, 4) for right in (0, 4)]
    return sum(np.roll(_project(np.roll(pixels, step, (0, 1))), (-step[0], -step[1]), (0, 1)) for step in steps) / 4


def _project(pixels: np.ndarray, side: int = 8, rank: int = 16) -> np.ndarray:
    height, width, channels = pixels.shape
    blocks = pixels.reshape(height // side, side, width // side, side, channels).swapaxes(1, 2)
    rows = blocks.reshape(-1, side * side * channels)
    mean = rows.mean(axis=0)
    basis = np.linalg.eigh(np.cov(rows.T))[1][:, -rank:]
    rebuilt = mean + (rows - mean) @ basis @ basis.T
    return rebuilt.reshape(blocks.shape).swapaxes(1, 2).reshape(pixels.shape)


def checkerboard(pixels: np.ndarray, period: int, strength: float) -> np.ndarray:
    """Let the brightness sway with that period along both sides, as where the steps of a deconvolution overlap."""
    height, width = pixels.shape[:2]
    down, right = (np.cos(2 * np.pi * np.arange(side) / period) for side in (height, width))
    return pixels * (1 + strength * down[:, None] * right)[..., None]


def upsampled(pixels: np.ndarray, resampling: Image.Resampling) -> np.ndarray:
    """Enlarge from half the size."""
    height, width = pixels.shape[:2]
    small = Image.fromarray(to_bytes(pixels)).resize((width // 2, height // 2), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), resampling), dtype=np.float64)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Write and read as JPEG."""
    content = io.BytesIO()
    Image.fromarray(to_bytes(pixels)).save(content, "JPEG", quality=quality)
    return np.asarray(Image.open(content), dtype=np.float64)


def low_pass(pixels: np.ndarray, limit: float) -> np.ndarray:
    """Remove all frequencies above a limit in cycles per pixel."""
    u, v = (np.fft.fftfreq(side) for side in pixels.shape[:2])
    keep = np.hypot(u[:, None], v) <= limit
    return np.fft.ifft2(np.fft.fft2(pixels, axes=(0, 1)) * keep[..., None], axes=(0, 1)).real


def grid(pixels: np.ndarray) -> np.ndarray:
    """Brighten every eighth row and column a little, as at the seams of patches."""
    seam_down, seam_right = (np.arange(side) % 8 == 0 for side in pixels.shape[:2])
    return pixels + 3.0 * (seam_down[:, None] | seam_right)[..., None]


def noisy(pixels: np.ndarray) -> np.ndarray:
    """Add white noise, as a diffusion that stopped too early leaves."""
    return pixels + 5 * np.random.default_rng(SEED).standard_normal(pixels.shape)


def colour_shift(pixels: np.ndarray) -> np.ndarray:
    """Mix the channels a little and warm the tone."""
    mixing = np.array([[0.94, 0.04, 0.02], [0.03, 0.95, 0.02], [0.02, 0.06, 0.92]])
    return (pixels[..., None, :] * mixing).sum(axis=-1) + np.array([4, 0, -5])


def flat(pixels: np.ndarray) -> np.ndarray:
    """Lose some contrast."""
    return pixels.mean() + 0.85 * (pixels - pixels.mean())


def sharpened(pixels: np.ndarray) -> np.ndarray:
    """Overdo the edges."""
    return pixels + 0.8 * (pixels - ndimage.gaussian_filter(pixels, (1.2, 1.2, 0), mode="mirror"))


def banded(pixels: np.ndarray) -> np.ndarray:
    """Keep 17 levels of each channel, as a small codebook does."""
    return np.rint(pixels / 16) * 16


def shifted(pixels: np.ndarray) -> np.ndarray:
    """Displace by half a pixel down and a quarter to the right."""
    return ndimage.shift(pixels, (0.5, 0.25, 0), mode="mirror")


class Sample(NamedTuple):
    """A row of the table: file name of the fake, height and width, look, and what happens to the picture."""

    name: str
    size: tuple[int, int]
    look: str
    fault: Callable[[np.ndarray], np.ndarray]


SQUARE, WIDE, ODD = (256, 256), (96, 160), (67, 101)
SAMPLES = (
    Sample("01_blur.png", SQUARE, "autumn", blur),
    Sample("02_low_rank.png", SQUARE, "pebbles", low_rank),
    Sample("03_checkerboard.png", SQUARE, "forest", lambda pixels: checkerboard(pixels, 2, 0.025)),
    Sample("04_checkerboard_4.png", SQUARE, "shore", lambda pixels: checkerboard(pixels, 4, 0.03)),
    Sample("05_nearest_upsampling.png", SQUARE, "heath", lambda pixels: upsampled(pixels, Image.Resampling.NEAREST)),
    Sample("06_bilinear_upsampling.png", SQUARE, "scraps", lambda pixels: upsampled(pixels, Image.Resampling.BILINEAR)),
    Sample("07_jpeg_20.png", SQUARE, "pebbles", lambda pixels: jpeg(pixels, 20)),
    Sample("08_jpeg_file.jpg", SQUARE, "autumn", lambda pixels: pixels),
    Sample("09_low_pass.png", SQUARE, "forest", lambda pixels: low_pass(pixels, 0.2)),
    Sample("10_grid_8.png", SQUARE, "shore", grid),
    Sample("11_noise.png", SQUARE, "scraps", noisy),
    Sample("12_colour_shift.png", SQUARE, "heath", colour_shift),
    Sample("13_flat.png", WIDE, "forest", flat),
    Sample("14_sharpened.png", WIDE, "pebbles", sharpened),
    Sample("15_banded.png", ODD, "autumn", banded),
    Sample("16_shifted.png", ODD, "shore", shifted),
)


# What the metrics have to say


def expected(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Return MSE, PSNR and LFD by their definitions, in float64 on the 0..255 scale."""
    difference = real.astype(np.float64) - fake
    mse = (difference**2).mean()
    spectrum = np.fft.fft2(difference, axes=(0, 1))
    lfd = np.log((np.abs(spectrum) ** 2).mean() + 1)
    return {"mse": float(mse), "psnr": float(10 * np.log10(255**2 / mse)), "lfd": float(lfd)}


def summary(pairs: dict[str, dict]) -> dict[str, dict | list]:
    """Return the content of expected.json."""
    sizes = sorted({(pair["height"], pair["width"]) for pair in pairs.values()})
    mean = {name: math.fsum(pair[name] for pair in pairs.values()) / len(pairs) for name in ("mse", "psnr", "lfd")}
    return {"scale": 255, "sizes": sizes, "mean": mean, "pairs": pairs}


def write_pair(number: int, sample: Sample) -> tuple[str, dict]:
    """Write both files of a row; return the real one's name, the size and what is expected of the metrics."""
    real, fake = (FOLDER / "real" / sample.name).with_suffix(".png"), FOLDER / "fake" / sample.name
    pixels = real_image(number, sample.size, LOOKS[sample.look])
    write(Image.fromarray(pixels), real, optimize=True)
    # in a JPEG without chroma subsampling all decoders agree to the bit
    settings = {"quality": 75, "subsampling": 0} if fake.suffix == ".jpg" else {"optimize": True}
    write(Image.fromarray(to_bytes(sample.fault(pixels.astype(np.float64)))), fake, **settings)
    height, width = sample.size
    values = expected(np.asarray(Image.open(real)), np.asarray(Image.open(fake)))
    return real.name, {"height": height, "width": width, **values}


def main() -> None:
    """Write all pairs and what is expected of them."""
    for side in ("real", "fake"):
        (FOLDER / side).mkdir(exist_ok=True)
    pairs = dict(write_pair(number, sample) for number, sample in enumerate(SAMPLES, start=1))
    text = json.dumps(summary(pairs), indent=2)
    (FOLDER / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
