"""Machines as newcomers have them: no home, no terminal, odd encodings, names and streams."""

import json
import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

from ffltool.cli import COMMANDS
from tests.cli.common import FFLTOOL

HOMES = ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "TORCH_HOME", "FFLTOOL_WEIGHTS", "MPLCONFIGDIR")
ODD = os.fsdecode("r\xe9al [b]é×".encode() + b" \xff\xfe\n")  # spaces, markup, letters, bytes that are none, a new line
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="this is how Linux does it")


def start(*arguments, script="", changed=(), without=(), **settings):
    """Start a command line in a changed environment, in a process of its own; output is bytes."""
    environment = {name: value for name, value in os.environ.items() if name not in without} | dict(changed)
    command = [*([sys.executable, "-c", script] if script else FFLTOOL), *map(str, arguments)]
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    return subprocess.Popen(command, env=environment, **settings)


def end(*arguments, **settings):
    """Start one, wait for its end, and return its status, standard output and standard error."""
    with start(*arguments, **settings) as process:
        return SimpleNamespace(**dict(zip(("out", "err"), process.communicate(), strict=True)), status=process.wait())


# encodings and names


@linux_only
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_name_can_be_shown_and_written_in_every_encoding(tmp_path, save, encoding):
    folders = [tmp_path / side / ODD for side in ("real", "fake")]
    for folder in folders:
        save(folder / f"{ODD}.png")
    c_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding}
    paths = {name: tmp_path / f"{ODD}.{name}" for name in ("json", "csv", "markdown", "junit")}
    files = [part for name, path in paths.items() for part in (f"--{name}", path)]
    shown = end("metrics", *folders, *files, changed=c_locale)
    assert (shown.status, shown.err) == (0, b"")
    assert b"1 pair, 12x16: " in shown.out
    for path in paths.values():
        assert path.read_text(encoding="utf-8"), "files are UTF-8 whatever the streams are"
    assert json.loads(paths["json"].read_text(encoding="utf-8"))["real"]["images"] == 1
    shown = end("lfd", folders[0], tmp_path / "×", changed=c_locale)
    assert (shown.status, shown.err.count(b"\n")) == (2, 1)
    shown = end("--help", changed=c_locale)
    assert (shown.status, shown.err) == (0, b"")
    assert all(f" {name} ".encode() in shown.out for name in COMMANDS)


# homes


@linux_only
@pytest.mark.parametrize(
    "home", ["/nonexistent", "/dev/null", "/proc", "x" * 300], ids=["gone", "a file", "read-only", "out of reach"]
)
def test_a_home_that_cannot_be_used_holds_no_weights_and_costs_nothing_else(folders, home):
    there = {"HOME": home}
    shown = end("weights", changed=there, without=HOMES)
    assert (shown.status, shown.err, shown.out.count(b" missing")) == (0, b"", 4)
    assert end("lfd", *folders(), changed=there, without=HOMES).err == b""


NOBODY = """
import pwd, sys

def unknown(*_):
    raise KeyError("this user has no entry")

pwd.getpwuid = pwd.getpwnam = unknown
from ffltool.cli import main
sys.exit(main(sys.argv[1:]))
"""


@linux_only
@pytest.mark.parametrize("command", ["weights", "lfd"])
def test_a_user_without_an_entry_and_a_home_has_no_caches_and_that_is_all(folders, command):
    shown = end(command, *(folders() if command == "lfd" else ()), script=NOBODY, without=HOMES)
    assert (shown.status, shown.err) == (0, b"")
    assert (b"cache             not set" in shown.out) == (command == "weights")


@linux_only
def test_outputs_have_the_rights_that_the_user_gives_new_files(tmp_path, folders):
    assert end("lfd", *folders(), "--json", tmp_path / "report.json", umask=0o027).status == 0
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o640


@linux_only
def test_a_current_folder_that_is_gone_is_one_line(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    command = " ".join([f"cd '{here}' && rmdir '{here}' && exec", *FFLTOOL, "lfd a b"])
    shown = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (shown.returncode, shown.stderr) == (2, b"ffltool: the current folder does not exist any more\n")


# packages


BARE = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torchvision", "torchaudio"):
            raise ModuleNotFoundError(f"{name} is not installed", name=name)

sys.meta_path.insert(0, Blocked())
from ffltool.cli import main
for line in sys.argv[1:]:
    print("$", line, flush=True)
    assert main(line.split("|")) == 0, line
"""


def commands(real, fake, alexnet, out):
    """Yield a line of every command."""
    image = next(real.iterdir())
    yield ["lfd", real, fake, "--band-map", out / "map.png"]
    yield ["metrics", real, fake, "-m", "psnr,ssim,lsd,lpips", "--weights", f"alexnet={alexnet}", "--device", "cpu"]
    yield ["spectrum", real, fake, "-o", out / "spectra.png", "--device", "cpu"]
    yield ["peaks", real]
    yield ["bandlimit", image, "-o", out / "limited.png"]
    yield ["reconstruct", image, "-o", out / "rebuilt", "--objective", "ffl", "--steps", 2, "--device", "cpu"]
    yield ["diagnose", real, fake]
    yield ["check", real, fake, "--max", "lfd=99"]
    small = ["--size", 64, "--steps", 1, "--batch-size", 2, "-m", "psnr", "--device", "cpu", "--test", real]
    yield ["train", "ae", real, "-o", out / "run", *small]
    yield ["experiment", "ae", real, "-o", out / "runs", *small]
    yield ["weights"]


@linux_only
@pytest.mark.slow
def test_every_command_runs_without_torchvision_home_temporary_folder_and_input(tmp_path, folders, stand_ins):
    lines = list(commands(*folders(size=(64, 64)), stand_ins["alexnet"], tmp_path))
    assert [line[0] for line in lines] == list(COMMANDS)
    bare = {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    arguments = ["|".join(map(str, line)) for line in lines]
    shown = end(*arguments, script=BARE, changed=bare, without=HOMES, preexec_fn=lambda: os.close(0), stdin=None)
    assert shown.status == 0, shown.err.decode()
    assert b"Traceback" not in shown.err


# streams and terminals


@linux_only
def test_a_full_standard_error_costs_neither_numbers_nor_status(folders):
    real, fake = folders(mode="RGBA")
    with open("/dev/full", "w") as full:
        shown = end("lfd", real, fake, stderr=full)
        assert shown.status == 0
        assert b"worst pairs" in shown.out
        assert end("lfd", real, real / "gone", stderr=full).status == 2
        assert end("check", real, fake, "--min", "psnr=99", changed={"GITHUB_ACTIONS": "1"}, stderr=full).status == 1


@linux_only
def test_no_standard_input_is_no_matter(folders):
    assert end("lfd", *folders(), stdin=None, preexec_fn=lambda: os.close(0)).status == 0


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("width", [40, 71, 72, 80])
def test_the_help_cuts_nothing_on_a_narrow_terminal(run, monkeypatch, name, width):
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = run(name, "--help")[1]
    monkeypatch.setenv("COLUMNS", "200")
    wide = run(name, "--help")[1]
    assert "…" not in narrow
    assert set(re.findall(r"--[\w-]+", wide)) <= set(re.findall(r"--[\w-]+", narrow))
    assert max(map(len, narrow.splitlines())) <= max(width, 52)


def on_a_terminal(*arguments, columns, **changed):
    """Run a command line on a terminal so wide, and return its status and everything that it wrote."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {"TERM": "xterm-256color"} | changed
    without = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    process = start(*arguments, changed=plain, without=without, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    with suppress(OSError), open(ours, "rb", buffering=0) as terminal:  # an error is Linux's word for the end
        while part := terminal.read(4096):
            written += part
    return process.wait(), written.decode()


@linux_only
class TestTerminals:
    def test_no_number_is_cut_at_40_columns(self, folders):
        status, written = on_a_terminal("metrics", *folders(), "-m", "mse,psnr,ssim,lfd", "-q", columns=40)
        assert status == 0
        assert "…" not in written
        assert re.search(r"^ssim +-?\d\.\d{4} +\d\.\d{4} +-?\d\.\d{4} +-?\d\.\d{4} +higher\r$", written, re.MULTILINE)

    def test_a_bar_and_bold_heads_are_for_terminals_that_can(self, folders):
        _, written = on_a_terminal("lfd", *folders(), columns=80)
        assert "comparing" in written
        assert "\x1b[1mmetric" in written

    def test_a_dumb_terminal_gets_plain_text(self, folders):
        status, written = on_a_terminal("lfd", *folders(), columns=80, TERM="dumb")
        assert status == 0
        assert written.startswith("3 pairs")
        assert "\x1b" not in written

    def test_no_color_means_none(self, folders):
        for arguments in (["lfd", *folders()], ["lfd", "--help"]):
            _, written = on_a_terminal(*arguments, columns=80, NO_COLOR="1")
            styles = {int(code or 0) for codes in re.findall(r"\x1b\[([\d;]*)m", written) for code in codes.split(";")}
            assert styles <= {0, 1, 2, 3, 4}, "bold, dim, italic and underlined are no colours"


def test_forced_colours_leave_tables_and_json_as_they_are(folders):
    real, fake = folders()
    for output in ([], ["--json", "-"]):
        forced, plain = (end("lfd", real, fake, *output, changed=more) for more in ({"FORCE_COLOR": "1"}, {}))
        assert b"\x1b" not in forced.out
        assert len(forced.out.splitlines()) == len(plain.out.splitlines())
