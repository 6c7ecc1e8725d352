"""The pixels of a picture."""

import numpy as np


def pixels(picture):
    return np.asarray(picture.pixels)
