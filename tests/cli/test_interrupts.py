"""An interrupt ends a command with status 130, and nothing half written."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cli.common import start


def wait_for_workers(pid):
    """Wait until a process has started threads or children; where that cannot be seen, a while."""
    tasks = Path(f"/proc/{pid}/task")
    deadline = time.monotonic() + (60 if tasks.exists() else 2)
    while time.monotonic() < deadline:
        if tasks.exists() and (len(list(tasks.iterdir())) > 1 or (tasks / str(pid) / "children").read_text()):
            return
        time.sleep(0.05)


def test_an_interrupt_while_the_command_loads_ends_with_130(monkeypatch):
    from ffltool import __main__, cli

    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    monkeypatch.setattr(__main__.gc, "freeze", lambda: None)
    with pytest.raises(SystemExit) as ended:
        __main__.run()
    assert ended.value.code == 130


def test_an_interrupt_ends_with_130_and_nothing_half_written(tmp_path, save):
    original = save(tmp_path / "set" / "0.png", size=(500, 700))
    for index in range(1, 1500):  # enough for half a minute
        os.link(original, tmp_path / "set" / f"{index}.png")
    report = tmp_path / "report.json"
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # in the background a shell lets it be ignored
    command = ["metrics", tmp_path / "set", tmp_path / "set", "--json", report]
    process = start(*command, start_new_session=True, preexec_fn=heed)
    wait_for_workers(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [tmp_path / "set"]
