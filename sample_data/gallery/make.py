"""Draw the figures of the README from the sample images; run it again when a figure changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

from ffltool import outputs
from ffltool.cli import main

GALLERY = Path(__file__).parent
SAMPLES = GALLERY.parent
REAL, FAKE = str(SAMPLES / "real"), str(SAMPLES / "fake")
CHECKERBOARD, PHOTO = "04_checkerboard_4.png", "03_checkerboard.png"
WIDTH = 900  # pixels
COLOURS = 256
# file -> the command that draws it; FIG stands for the figure
FIGURES = {
    "spectrum.png": ["spectrum", f"{REAL}", f"{FAKE}", "--limit", "12", "-o", "FIG"],
    "pairs.png": ["spectrum", REAL, FAKE, "--layout", "pairs", "--limit", "3", "-o", "FIG"],
    "bandlimit.png": ["bandlimit", f"{REAL}/{PHOTO}", "-o", "FIG"],
    "cube.png": ["bandlimit", f"{REAL}/{PHOTO}", "--cube", "-o", "FIG"],
    "bands.png": ["lfd", REAL, FAKE, "--limit", "12", "--band-map", "FIG"],
    "peaks.png": ["peaks", f"{FAKE}/{CHECKERBOARD}", f"{FAKE}/10_grid_8.png", "-o", "FIG"],
    "diagnose.png": ["diagnose", f"{REAL}/{CHECKERBOARD}", f"{FAKE}/{CHECKERBOARD}", "-o", "FIG"],
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
        for name, command in FIGURES.items():
            figure = Path(folder) / name
            status = main([str(figure) if word == "FIG" else word for word in command])
            assert status == 0, command
            shrink(figure, GALLERY / name)
        status = main(["reconstruct", f"{REAL}/{PHOTO}", "--size", "128", "-o", folder + "/rebuilt"])
        assert status == 0
        shrink(Path(folder) / "rebuilt" / "figure.png", GALLERY / "reconstruct.png")


if __name__ == "__main__":
    draw()
