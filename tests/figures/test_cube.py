"""Slices of a cube of frequencies."""

import numpy as np
import pytest

from ffltool import figures


@pytest.mark.parametrize("size", [(6, 8), (30, 3), (3, 30), (5, 1)], ids=str)
@pytest.mark.parametrize("colour", [True, False])
def test_slices_stand_side_by_side_over_their_labels(panels, size, colour, tmp_path):
    images = [panel.image for panel in panels(*"abc", size=size, colour=colour)]
    figure = figures.slices_of_cube(images, ["0 (mean)", "1/4", "all"])
    figures.save(figure, tmp_path / "x.png")
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0 (mean)", "1/4", "all"]
    assert axes.get_xlabel() == "frequencies up to (cycles per pixel)"
    end = axes.get_window_extent().x0
    for drawn, image, outline, tick in zip(axes.images, images, axes.lines, axes.get_xticks(), strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)
        assert drawn.get_clim() == (0, 1)
        corners = outline.get_transform().transform(outline.get_xydata())
        left, right = corners[:, 0].min(), corners[:, 0].max()
        assert end <= left < axes.transData.transform((tick, 0))[0] < right <= axes.get_window_extent().x1
        assert corners[:, 1].min() >= axes.get_window_extent().y0
        assert corners[:, 1].max() <= axes.get_window_extent().y1
        end = right
