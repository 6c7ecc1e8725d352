"""What a folder of ``ffltool reconstruct`` holds."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
from PIL import Image

FIGURES = {"figure.png", "curves.png"}
OTHERS = {"original.png", "curves.csv", "report.json"} | FIGURES
SCHEMA = json.loads((Path(__file__).parents[2] / "reconstruct.schema.json").read_text())
PIXEL = ["--objective", "pixel"]


def names(folder):
    return {path.name for path in folder.iterdir()}


def contents(folder, *, without=("report.json", "curves.csv")):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in without}


def rows_of(folder):
    """Return the rows of the CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO((folder / "curves.csv").read_text())))


def report_of(folder):
    content = json.loads((folder / "report.json").read_text())
    jsonschema.validate(content, SCHEMA)
    return content


def lanczos(path, size, mode=None):
    """Return the pixels of an image brought to a size (height, width), by Pillow."""
    with Image.open(path) as image:
        return np.asarray((image.convert(mode) if mode else image).resize(size[::-1], Image.Resampling.LANCZOS))
