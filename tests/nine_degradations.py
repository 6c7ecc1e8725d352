"""Nine ways to spoil an image to the same PSNR: two tables and a figure in the README.

Each degradation is blended into the real image until the PSNR is 32 dB. LFD, being the MSE on a log scale, then is
the same for all; bands of frequencies tell them apart. Run this file to print the tables;
`--figure FILE` draws the second one.
"""

import argparse
import io
from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PIL import Image
from scipy import ndimage

from ffltool import lfd, psnr, ssim
from ffltool.figures.canvas import TEXT, new_figure, save, tidy
from ffltool.images import read
from ffltool.metrics.bands import BandSums
from ffltool.radial import bands

IMAGE = Path(__file__).parents[1] / "sample_data" / "real" / "01_blur.png"
DECIBEL = 32.0
HATCHED = {"hatch": "//////", "edgecolor": "white", "linewidth": 0}  # what is of phases


def jpeg(image):
    file = io.BytesIO()
    Image.fromarray(np.moveaxis(image.astype(np.uint8), 0, -1)).save(file, "JPEG", quality=20)
    return np.moveaxis(np.asarray(Image.open(file), dtype=float), -1, 0)


def low_pass(image):
    u, v = np.meshgrid(*(np.fft.fftfreq(side) for side in image.shape[1:]), indexing="ij")
    return np.fft.ifft2(np.fft.fft2(image) * (np.hypot(u, v) < 0.15)).real


def pattern(image, period):
    y, x = np.indices(image.shape[1:])
    return image + 20.0 * ((y % period == 0) ^ (x % period == 0))


DEGRADATIONS = {
    "Gaussian blur": lambda image: ndimage.gaussian_filter(image, (0, 2, 2)),
    "ideal low-pass": low_pass,
    "2x nearest": lambda image: image[:, ::2, ::2].repeat(2, 1).repeat(2, 2),
    "checkerboard, period 2": lambda image: pattern(image, 2),
    "grid, period 8": lambda image: pattern(image, 8),
    "JPEG, quality 20": jpeg,
    "white noise": lambda image: image + np.random.default_rng(0).normal(0, 20, image.shape),
    "brighter": lambda image: image + 20.0,
    "less contrast": lambda image: 0.8 * image + 0.2 * image.mean(),
}


def spoil(image, degrade):
    """Blend a degradation into an image so that the mean squared error is that of the PSNR wanted."""
    error = degrade(image) - image
    return image + error * np.sqrt(255**2 / 10 ** (DECIBEL / 10) / np.mean(error**2))


def pairs():
    """Yield each degradation's name with the real and the fake image, shape (1, C, H, W)."""
    image = read(IMAGE).planes().astype(float)
    for name, degrade in DEGRADATIONS.items():
        yield name, *(torch.tensor(pixels[None]) for pixels in (image, spoil(image, degrade)))


def table():
    """Return what the metrics of whole images say."""
    lines = ["| degradation | PSNR | LFD | SSIM |", "|---|---|---|---|"]
    for name, real, fake in pairs():
        values = (f"{metric(real, fake).item():.4f}" for metric in (psnr, lfd, ssim))
        lines.append(f"| {' | '.join([name, *values])} |")
    return "\n".join(lines)


def bands_of(real, fake, count):
    """Return what the comparison says of each band."""
    sums = BandSums(count)
    sums.update(real, fake)
    return sums.compute()


def table_of_bands(count=4):
    """Return how the squared error of each lies in bands, how much of it is amplitude, and the gain of the last two."""
    names = [band.name for band in bands(count)]
    gains = [f"gain {name}" for name in names[-2:]]
    lines = [f"| share of the error in | {' | '.join([*names, 'amplitude', *gains])} |", "|---" * (count + 6) + "|"]
    for name, real, fake in pairs():
        scores = bands_of(real, fake, count)
        amplitude = sum(score.share * (score.amplitude_share or 0) for score in scores)
        shares = [f"{share:.1%}" for share in (*(score.share for score in scores), amplitude)]
        lines.append(f"| {' | '.join([name, *shares, *(f'{score.gain_db:+.1f} dB' for score in scores[-2:])])} |")
    return "\n".join(lines)


def figure(count=4):
    """Return a drawing of how the squared error of each lies in bands."""
    drawing = new_figure(8.6, 0.32 * len(DEGRADATIONS) + 1.0)
    axes = drawing.subplots()
    names = [band.name for band in bands(count)]
    shades = colormaps["viridis"](np.linspace(0, 1, len(names)))
    for row, (_, real, fake) in enumerate(pairs()):
        left = amplitudes = 0.0
        for score, shade in zip(bands_of(real, fake, count), shades, strict=True):
            amplitude, phase = (score.share * (part or 0.0) for part in (score.amplitude_share, score.phase_share))
            axes.barh(row, amplitude, left=left, height=0.7, color=shade, edgecolor="white", linewidth=0)
            axes.barh(row, phase, left=left + amplitude, height=0.7, color=shade, **HATCHED)
            left += amplitude + phase
            amplitudes += amplitude
        axes.text(1.01, row, f"{amplitudes:.0%}", va="center", fontsize=8)
    axes.text(1.01, -0.8, "amplitude", va="center", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(len(DEGRADATIONS) - 0.4, -0.6), axisbelow=True)
    axes.set_xlabel("share of the squared error", fontsize=TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_yticks(range(len(DEGRADATIONS)), DEGRADATIONS)
    tidy(axes)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    looks = [Patch(color=shade, label=name) for name, shade in zip(names, shades, strict=True)]
    looks.append(Patch(facecolor="grey", label="hatched: phase", **HATCHED))
    drawing.legend(handles=looks, loc="outside upper center", ncols=len(looks), frameon=False, fontsize=8)
    return drawing


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the shares of bands: PNG, SVG or PDF")
    if path := parser.parse_args().figure:
        save(figure(), path)
    print(table(), table_of_bands(), sep="\n\n")
