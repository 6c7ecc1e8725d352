import pytest

from ffltool.errors import BrokenImageError, InputError
from ffltool.images import size_of
from ffltool.loading import Loading


@pytest.fixture
def files(tmp_path, save):
    """Return the paths of two images with a broken one between them."""
    paths = [save(tmp_path / f"{name}.png", size=(4, side)) for name, side in (("a", 5), ("b", 6), ("c", 7))]
    paths[1].write_bytes(b"no image")
    return paths


def test_broken_files_are_none_in_their_places_where_they_may_be_left_out(files):
    assert list(Loading(skip_broken=True).each(files, size_of)) == [(4, 5), None, (4, 7)]


def test_a_broken_file_is_an_error_else(files):
    with pytest.raises(BrokenImageError, match=r"b\.png"):
        list(Loading().each(files, size_of))


def test_progress_is_given_what_is_read_and_how_much_that_is(files):
    told = []

    def progress(items, total):
        told.append(total)
        return (item and item[1] for item in items)

    loading = Loading(skip_broken=True, progress=progress)
    assert list(loading.each(files, size_of)) == [5, None, 7]
    assert told == [3]


def test_an_unknown_alpha_is_an_error_before_any_file_is_read():
    with pytest.raises(InputError, match="pink"):
        Loading(alpha="pink")
