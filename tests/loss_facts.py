"""What users of the focal frequency loss trip over, measured on the sample pairs: a table in the README.

Run this file to print the table.
"""

from pathlib import Path

import torch
from torch.nn.functional import l1_loss, mse_loss

from ffltool import focal_frequency_loss
from ffltool.images import read

SAMPLE = Path(__file__).parents[1] / "sample_data"


def batch(*numbers, side=256):
    """Return the fake and the real sample images of these numbers, shape (N, C, H, W), float64 in 0..1."""
    return [
        torch.stack(
            [read(next((SAMPLE / folder).glob(f"{number:02}_*"))).resize(side, side).tensor() for number in numbers]
        ).double()
        for folder in ("fake", "real")
    ]


def not_dc(fake, real):
    """Return the part of FFL that is not of the zero frequency, by the definition."""
    squared = torch.fft.fft2(fake - real, norm="ortho").abs().square()
    parts = squared.sqrt() / squared.sqrt().amax((-2, -1), keepdim=True) * squared
    parts[..., 0, 0] = 0
    return parts.mean()


def gradient(loss, fake, real):
    """Return the length of a loss's gradient."""
    fake = fake.clone().requires_grad_()
    return torch.autograd.grad(loss(fake, real), fake)[0].norm()


def weights(side):
    """Return the FFL weights at which its gradient is as long as those of MSE and L1."""
    fake, real = batch(1, side=side)
    length = gradient(focal_frequency_loss, fake, real)
    return [gradient(loss, fake, real) / length for loss in (mse_loss, l1_loss)]


def table():
    fake, real = batch(1)
    ffl = focal_frequency_loss(fake, real)
    wide = focal_frequency_loss(2 * fake - 1, 2 * real - 1)
    cut = not_dc(fake, real) / not_dc(fake + 0.1, real)
    without = [focal_frequency_loss(image, real, exclude_dc=True) for image in (fake + 0.1, fake)]
    lines = [
        "| what changes | what it does |",
        "|---|---|",
        f"| pixels in -1..1 instead of 0..1 | FFL grows {wide / ffl:.2f} times |",
        f"| the fake is brighter by 0.1 | the part of FFL that is not DC shrinks {cut:.0f} times; "
        f"with `exclude_dc` it stays ({without[0] / without[1]:.2f} times) |",
    ]
    for side in (256, 128, 64, 32):
        mse, l1 = weights(side)
        lines.append(f"| images of {side}x{side} | FFL pulls like MSE at weight {mse:.2f}, like L1 at {l1:.1f} |")
    fakes, reals = batch(1, 2, 3, 4)
    halves = [focal_frequency_loss(fakes[part], reals[part], ave_spectrum=True) for part in (slice(2), slice(2, 4))]
    whole = focal_frequency_loss(fakes, reals, ave_spectrum=True)
    lines.append(f"| `ave_spectrum`, four images as one batch | FFL {whole:.2e} |")
    lines.append(f"| the same four as two batches of two | FFL {sum(halves) / 2:.2e} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
