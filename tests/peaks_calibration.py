"""How often `ffltool peaks` finds a grid where there is none, and how faint ones it finds: prints both as tables.

    python tests/peaks_calibration.py PHOTOGRAPHS

Photographs, at least 300 pixels high and wide, are cut to 300x300 and shrunk to 256x256 with antialiasing, by a factor
that is no whole number: what a codec's blocks leave is then off the lattice.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ffltool.excess import Excess
from ffltool.pairing import find
from ffltool.peaks import find_peaks

CUT, SIDE = 300, 256
THRESHOLDS = (4.0, 4.5, 5.0, 5.5, 6.0)
SIZES = (1, 2, 3, 5, 10, 20, 50, 100)
SETS = 40  # of each size, drawn at random
_ROWS = np.arange(SIDE)[:, None]
_COLUMNS = np.arange(SIDE)
# name -> what is added to each pixel, for a strength of one level
PATTERNS = {
    "grid of 8 px": (_ROWS % 8 == 0) | (_COLUMNS % 8 == 0),
    "grid of 16 px": (_ROWS % 16 == 0) | (_COLUMNS % 16 == 0),
    "checkerboard, 2 px": (_ROWS + _COLUMNS) % 2 == 1,
    "checkerboard, 16 px": (_ROWS // 8 + _COLUMNS // 8) % 2 == 1,
}
FAINT = (
    ("grid of 8 px", 0.5),
    ("grid of 8 px", 0.3),
    ("grid of 16 px", 1.0),
    ("checkerboard, 2 px", 1.0),
    ("checkerboard, 2 px", 0.3),
    ("checkerboard, 16 px", 1.0),
)


def shrunk(path):
    """Return a photograph, shape (256, 256), grey 8-bit values."""
    with Image.open(path) as image:
        left, top = ((side - CUT) // 2 for side in image.size)
        cut = image.convert("RGB").crop((left, top, left + CUT, top + CUT))
        return np.asarray(cut.resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert("L"))


def photographs(folder):
    """Return all photographs of a folder, shape (N, 256, 256)."""
    return np.stack([shrunk(folder / name) for name in find(folder)])


def with_pattern(images, name, strength, seed=0):
    """Return images with a pattern, in 8 bits: rounded at random, so that less than a level is seen on the average."""
    dither = np.random.default_rng(seed).random(images.shape)
    return np.clip(np.floor(images + strength * PATTERNS[name] + dither), 0, 255).astype(np.uint8)


def evidence(images, *, kind="median3"):
    """Return what images, shape (N, H, W), show."""
    sums = Excess(*images.shape[1:], images=len(images), kind=kind)
    for part in np.array_split(images, -(-len(images) // 16)):
        sums.update(torch.as_tensor(part)[:, None])
    return sums.compute()


def strongest(images):
    """Return the largest z of a peak on the lattice, 0 where there is none above 3."""
    return max((peak.z for peak in find_peaks(evidence(images), threshold=3.0) if peak.lattice), default=0.0)


def drawn(images, size, rng):
    """Return sets of so many images: each image by itself, or some drawn at random."""
    if size == 1:
        return [images[number : number + 1] for number in range(len(images))]
    count = SETS if size < len(images) else 1
    return [images[rng.choice(len(images), min(size, len(images)), replace=False)] for _ in range(count)]


def table_of_alarms(images):
    """Return the shares of sets without a grid in which one is found."""
    lines = ["| images in a set | sets | " + " | ".join(f"z > {t:g}" for t in THRESHOLDS) + " | largest z |"]
    lines += ["|---" * (len(THRESHOLDS) + 3) + "|"]
    for size in SIZES:
        found = np.array([strongest(each) for each in drawn(images, size, np.random.default_rng(size))])
        shares = " | ".join(f"{(found > threshold).mean():.1%}" for threshold in THRESHOLDS)
        lines.append(f"| {size} | {len(found)} | {shares} | {found.max():.1f} |")
    return "\n".join(lines)


def table_of_detections(images):
    """Return the shares of sets with a pattern in which a grid is found at z > 5, and the median of z."""
    lines = ["| pattern | levels | " + " | ".join(map(str, SIZES)) + " |", "|---" * (len(SIZES) + 2) + "|"]
    for name, strength in FAINT:
        marred, cells = with_pattern(images, name, strength), []
        for size in SIZES:
            sets = drawn(marred, size, np.random.default_rng(size))
            found = np.array([strongest(each) for each in sets[:: -(-len(sets) // 20)]])
            cells.append(f"{(found > 5).mean():.0%}, {np.median(found):.1f}")
        lines.append(f"| {name} | {strength:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    given = photographs(Path(sys.argv[1]))
    print(table_of_alarms(given), table_of_detections(given), sep="\n\n")
