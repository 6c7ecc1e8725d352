"""What a command loads: torch costs 1.7 s and NumPy 0.1 s, so a command that needs neither loads neither."""

import subprocess
import sys

import pytest

from ffltool.cli import COMMANDS

HEAVY = {"torch", "torchvision", "lpips", "scipy", "matplotlib", "numpy", "pooch", "requests", "jinja2"}
SCRIPT = """
import sys
from ffltool.cli import main
status = main(sys.argv[1:])
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(status)
"""


def loaded(*arguments):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([command, "--help"] for command in COMMANDS),
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    assert not loaded(*arguments) & (HEAVY | {"PIL"})


@pytest.mark.parametrize("command", [["lfd"], ["metrics", "-m", "mse,psnr,lfd"]])
def test_exact_metrics_need_pillow_alone(folders, command):
    real, fake = folders()
    found = loaded(*command, real, fake)
    assert "PIL" in found
    assert not found & HEAVY


def test_ssim_needs_no_torch(folders):
    found = loaded("metrics", *folders(), "-m", "ssim")
    assert found & HEAVY == {"numpy"}


def test_a_check_of_exact_metrics_needs_no_torch(folders):
    found = loaded("check", *folders(), "--min", "psnr=0", "--max", "lfd=99", "--min", "ssim=-1")
    assert found & HEAVY == {"numpy", "scipy"}


def test_learned_metrics_load_none_of_the_packages_they_equal(folders, stand_ins, caches):
    real, fake = folders(size=(40, 40))
    found = loaded("metrics", real, fake, "-m", "lpips", "--weights", f"alexnet={stand_ins['alexnet']}")
    assert "torch" in found
    assert not found & {"torchvision", "torch_fidelity", "pytorch_fid", "lpips", "scipy", "matplotlib", "requests"}


def test_label_maps_need_no_torch(label_folders):
    found = loaded("metrics", *label_folders(), "-m", "miou,pixel_accuracy", "--labels", "--classes", "4")
    assert found & HEAVY == {"numpy"}


def test_weights_are_listed_without_torch(tiny):
    assert not loaded("weights") & HEAVY


def test_the_package_loads_its_names_at_first_use():
    script = "import ffltool, sys; assert 'PIL' not in sys.modules; ffltool.pair; ffltool.InputError; dir(ffltool)"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    import ffltool

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ffltool.nonsense  # noqa: B018
    for name in dir(ffltool):
        getattr(ffltool, name)


def test_a_command_does_not_load_the_others():
    script = SCRIPT.replace('name.partition(".")[0] for name', "name for name")
    command = [sys.executable, "-c", script, "lfd", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split()
    assert "ffltool.cli.lfd" in found
    assert not {f"ffltool.cli.{name}" for name in COMMANDS if name != "lfd"} & set(found)


def test_what_is_no_command_is_told_by_a_line_that_knows_all(run):
    status, _, err = run("lfdd", "real")
    assert (status, err.count("\n")) == (2, 1)
    assert "lfdd" in err
    out = run("--help")[1]
    assert all(f" {name} " in out for name in COMMANDS)
