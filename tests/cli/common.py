"""What tests of commands share: how to start one, the schema of reports, pixels, the one line that an error is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCHEMA = json.loads((Path(__file__).parents[1] / "report.schema.json").read_text())
FFLTOOL = [sys.executable, "-m", "ffltool"]


def start(*arguments, **settings):
    return subprocess.Popen(
        [*FFLTOOL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def error_of(result, *, status=2, out=""):
    """Return the one line that an error is."""
    assert (result[0], result[1]) == (status, out)
    assert result[2].startswith("ffltool: ")
    assert result[2].count("\n") == 1
    return result[2]
