import re
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch

from ffltool import provenance


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


def origin_in(folder):
    spec = spec_from_file_location("copied", folder / "ffltool" / "provenance.py")
    copied = module_from_spec(spec)
    spec.loader.exec_module(copied)
    return copied.origin()


@pytest.fixture
def checkout(tmp_path):
    """Return a git checkout with the package in it, whose commit has that."""
    if shutil.which("git") is None:
        pytest.skip("git is not there")
    package = Path(provenance.__file__).parent
    for name in ("__init__.py", "provenance.py"):
        (tmp_path / "ffltool").mkdir(exist_ok=True)
        shutil.copy(package / name, tmp_path / "ffltool" / name)
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_checkout_names_its_commit_and_whether_files_differ_from_it(checkout):
    clean = origin_in(checkout)
    assert re.fullmatch("commit [0-9a-f]{7,}", clean)
    (checkout / "ffltool" / "__init__.py").write_text("")
    assert origin_in(checkout) == f"{clean}-dirty"


def test_what_lies_in_a_checkout_of_something_else_names_a_hash_of_its_files(checkout):
    git(checkout, "rm", "-rq", "--cached", "ffltool")
    git(checkout, "commit", "-qm", "second")
    found = origin_in(checkout)
    assert re.fullmatch("source [0-9a-f]{12}", found)
    (checkout / "ffltool" / "__init__.py").write_text("")
    assert origin_in(checkout) != found


def test_the_environment_names_what_a_result_depends_on():
    found = provenance.environment("cpu")
    assert (found["device"], found["torch"]) == ("cpu", torch.__version__)
    assert set(found) == {"code", "device", "torch", "numpy", "pillow", "python"}


def test_without_git_a_hash_of_the_files_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = provenance.origin.__wrapped__()
    assert re.fullmatch("source [0-9a-f]{12}", found)
    assert provenance.origin.__wrapped__() == found
