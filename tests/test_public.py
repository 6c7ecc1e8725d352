"""The public names: what `import ffltool` offers, to people and to type checkers."""

import ast
import inspect
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import ffltool

TYPED = """
from ffltool import FocalFrequencyLoss, LabelMaps, Looking, Reading, Report, assert_images, compare, evaluate_pairs
from ffltool import lfd, miou, pair, psnr
import numpy as np
import torch

report = compare("real", "fake", metrics=["psnr"], reading=Reading(fit="crop"), looking=Looking(backbone="vgg"))
if report is not None:
    decibels: float = report.scores[0].value
    worst: str = report.worst()[0].real
same: Report | None = evaluate_pairs(pair("real", "fake"), ["lfd"], reading=LabelMaps(classes=3))
assert_images(np.zeros((8, 8)), [torch.zeros(3, 8, 8)], psnr=">=30", lfd=["<=14", "p95 <= 15"])
images = torch.zeros(2, 3, 8, 8)
distances: torch.Tensor = lfd(images, images) + psnr(images, images)
loss: torch.Tensor = FocalFrequencyLoss(alpha=2.0)(images, images)
share: float = miou(np.zeros((2, 2), int), np.zeros((2, 2), int))
"""
WRONG = {
    'compare("real")': 'Missing positional argument "fake"',
    'compare("real", 2)': "incompatible type",
    'evaluate_pairs("real", ["lfd"])': "incompatible type",
    "report.scores[0].value": 'has no attribute "scores"',
    "psnr(images, images).nonsense": 'has no attribute "nonsense"',
    "from ffltool import nonsense": 'has no attribute "nonsense"',
}


def test_a_type_checker_finds_every_public_name_where_it_lives():
    (block,) = (
        node.body
        for node in ast.parse(inspect.getsource(ffltool)).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    found = {alias.asname: node.module for node in block for alias in node.names}
    assert found == {name: getattr(ffltool, name).__module__ for name in ffltool.__all__}


@pytest.mark.parametrize("name", ffltool.__all__)
def test_every_public_name_has_a_docstring_and_stands_in_that_of_the_package(name):
    assert inspect.getdoc(getattr(ffltool, name))
    assert f"`{name}`" in ffltool.__doc__


def test_the_package_says_that_it_is_typed():
    assert resources.files("ffltool").joinpath("py.typed").is_file()


@pytest.mark.slow  # mypy reads torch and numpy anew
def test_a_script_that_uses_the_public_names_well_passes_mypy_and_others_do_not(tmp_path):
    lines = TYPED.splitlines()
    tmp_path.joinpath("script.py").write_text("\n".join([*lines, *WRONG]) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "script.py"]
    environment = os.environ | {"MYPYPATH": str(Path(ffltool.__file__).parents[1])}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    said = [line for line in run.stdout.splitlines() if line.startswith("script.py") and ": error: " in line]
    assert [line.split(":")[1] for line in said] == [str(len(lines) + 1 + place) for place in range(len(WRONG))], run
    for line, expected in zip(said, WRONG.values(), strict=True):
        assert expected in line
