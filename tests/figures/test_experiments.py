import numpy as np
import pytest

from ffltool import figures


@pytest.mark.parametrize("count", [1, 2, 8])
@pytest.mark.parametrize("name", ["FFL", "weight=10+alpha=0.5+patch=2"])
def test_rows_of_images_stand_close_together_whatever_they_are_called(count, name):
    figure = figures.image_rows([(each, [np.ones((8, 8, 3))] * count) for each in ("real", name)])
    figure.draw_without_rendering()
    boxes = np.array([axes.get_window_extent().extents for axes in figure.axes]) / figure.dpi
    left, bottom, right, top = boxes.reshape(2, count, 4).transpose(2, 0, 1)  # inches, of both rows
    assert np.all(right - left > 0.9)
    assert np.all(bottom[0] - top[1] < 0.07)
    assert np.all(left[:, 1:] - right[:, :-1] < 0.07)  # matplotlib 3.8 leaves 0.064
    assert left.min() > 0.2  # there is room for the name
