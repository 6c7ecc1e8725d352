"""Draw the figures of the README from the sample images; run it again when a figure changes."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

from ffltool import outputs
from ffltool.cli import main

GALLERY = Path(__file__).parent
WIDTH = 900  # pixels
COLOURS = 256
# figure -> the command that draws it, as the README has it
FIGURES = {
    "bands.png": "lfd sample_data/real sample_data/fake --limit 12 --band-map bands.png",
    "spectrum.png": "spectrum sample_data/real sample_data/fake --limit 12 -o spectrum.png",
    "pairs.png": "spectrum sample_data/real sample_data/fake --layout pairs --limit 3 -o pairs.png",
    "peaks.png": "peaks sample_data/fake/04_checkerboard_4.png sample_data/fake/10_grid_8.png -o peaks.png",
    "bandlimit.png": "bandlimit sample_data/real/03_checkerboard.png -o bandlimit.png",
    "cube.png": "bandlimit sample_data/real/03_checkerboard.png --cube -o cube.png",
    "reconstruct.png": "reconstruct sample_data/real/03_checkerboard.png --size 128 -o rebuilt",
    "diagnose.png": "diagnose sample_data/real/04_checkerboard_4.png sample_data/fake/04_checkerboard_4.png "
    "-o diagnose.png",
    "train.png": "train ae sample_data/real -o run --batch-size 16 --steps 40 --samples-every 0",
    "experiment.png": "experiment ae sample_data/real -o compared --test sample_data/real --batch-size 16 --steps 300 "
    '--variants "w/o FFL,weight=1,weight=10" -m psnr,lfd,lsd',
}
# which file of the folder that a command writes; elsewhere it writes the figure itself
WRITTEN = {
    "reconstruct.png": "rebuilt/figure.png",
    "train.png": "run/samples/epoch_0040.png",
    "experiment.png": "compared/reconstructions.png",
}
# picture -> the command that writes the page it is of, and how many of the page's pixels are seen; by page.py
PAGES = {
    "page.png": ("metrics sample_data/real sample_data/fake --limit 12 -m psnr,ssim,lfd,lsd --html report.html", 1400),
    "check.png": ("check -c sample_data/limits.toml --html check.html", 620),
}


def shrink(source: Path, target: Path) -> None:
    """Save a figure for the web: narrower, in few colours."""
    with Image.open(source) as image:
        image = image.convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", outputs.MARK)
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        target, optimize=True, pnginfo=mark
    )


def draw() -> None:
    """Draw every figure into the folder of this file."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("sample_data").symlink_to(GALLERY.parent)
        for name, command in FIGURES.items():
            status = main(shlex.split(command))
            assert status == 0, command
            shrink(Path(WRITTEN.get(name, name)), GALLERY / name)
        os.chdir(GALLERY)


if __name__ == "__main__":
    draw()
