"""What is built from a checkout: nothing missing, nothing too much, and it works elsewhere."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from ffltool.plans import tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def oldest_allowed(requirement):
    return next(each.version for each in requirement.specifier if each.operator in (">=", "=="))


def test_the_oldest_versions_are_the_lower_bounds():
    wanted = map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
    lines = [line for line in (ROOT / "tests" / "oldest.txt").read_text().splitlines() if not line.startswith("#")]
    assert sorted(lines) == sorted(f"{each.name}=={oldest_allowed(each)}" for each in wanted)


def test_the_bench_extra_allows_what_the_test_extra_does():
    bounds = {each.name: each.specifier for each in map(Requirement, PROJECT["optional-dependencies"]["test"])}
    for each in map(Requirement, PROJECT["optional-dependencies"]["bench"]):
        assert each.specifier == bounds.get(each.name, each.specifier)


def test_the_classifiers_name_the_pythons_from_the_oldest_on():
    prefix = "Programming Language :: Python :: 3."
    named = [int(line.removeprefix(prefix)) for line in PROJECT["classifiers"] if line.startswith(prefix)]
    first = Version(PROJECT["requires-python"].removeprefix(">=")).minor
    assert named == [*range(first, first + len(named))]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return an sdist of this checkout, unpacked, the wheel built from that, and the folder where it is installed."""
    place = tmp_path_factory.mktemp("built")

    def call(*command, cwd):
        subprocess.run([sys.executable, "-m", *map(str, command)], cwd=cwd, check=True, capture_output=True)

    call("hatchling", "build", "-t", "sdist", "-d", place, cwd=ROOT)
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(place, filter="data")
    unpacked = place / archive.name.removesuffix(".tar.gz")
    call("hatchling", "build", "-t", "wheel", "-d", place, cwd=unpacked)
    (wheel,) = place.glob("*.whl")
    pytest.importorskip("pip")
    call("pip", "install", "--no-deps", "--no-index", "--target", place / "installed", wheel, cwd=place)
    return unpacked, wheel, place / "installed"


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_sdist_is_what_git_keeps(built):
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git")
    assert files_below(built[0]) - {"PKG-INFO"} == set(listed.rstrip("\0").split("\0"))


def test_the_wheel_is_the_package_and_its_licence(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == {f"ffltool/{name}" for name in files_below(built[0] / "ffltool")}
    last = {name.partition("/")[2] for name in about}
    assert last == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert "\nLicense-Expression: MIT\n" in metadata


def test_what_is_installed_works_outside_of_the_checkout(built, tmp_path, folders):
    real, fake = folders(size=(24, 24))
    environment = os.environ | {"PYTHONPATH": str(built[2]), "OMP_NUM_THREADS": "1"}

    def start(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    assert Path(start("-c", "import ffltool; print(ffltool.__file__)")).is_relative_to(built[2])
    script = built[2] / "bin" / "ffltool"
    assert start(script, "--version") == start("-m", "ffltool", "--version")
    assert "worst pairs" in start(script, "metrics", real, fake, "-m", "psnr,ssim,lsd", "--html", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<style>" in page
    assert "<script>" in page
    assert 'id="spectra"' in page
