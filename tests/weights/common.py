"""How a weight file gets into a folder, and the one line that an error is."""

import pytest

from ffltool.errors import WeightsError


def put(tiny, folder, name=None):
    """Lay the published file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or tiny.file.name)
    path.write_bytes(tiny.published.read_bytes())
    return path


def error_of(function, *arguments, **settings):
    with pytest.raises(WeightsError) as caught:
        function(*arguments, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)
