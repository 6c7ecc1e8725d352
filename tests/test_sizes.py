import pytest

from ffltool.errors import BrokenImageError, NothingComparedError
from ffltool.sizes import sizes_of, smallest


@pytest.fixture
def files(save, tmp_path):
    return [save(tmp_path / f"{number}.png", size=size) for number, size in enumerate([(5, 9), (8, 3), (5, 9), (7, 7)])]


@pytest.mark.parametrize("workers", [1, 2, None])
def test_every_file_has_its_height_and_width(files, workers):
    assert sizes_of([*files, files[0]], workers=workers) == dict(
        zip(files, [(5, 9), (8, 3), (5, 9), (7, 7)], strict=True)
    )


def test_broken_files_are_an_error_or_left_out(files, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    with pytest.raises(BrokenImageError, match=r"broken\.png is empty"):
        sizes_of([*files, broken])
    assert broken not in sizes_of([*files, broken], skip_broken=True)
    with pytest.raises(NothingComparedError, match="none of the files is an image"):
        sizes_of([broken], skip_broken=True)


def test_what_all_have_is_the_smallest_of_each_side():
    assert smallest([(5, 9), (8, 3), (7, 7)]) == (5, 3)
