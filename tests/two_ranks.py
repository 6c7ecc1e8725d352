"""Run command lines and scripts one after the other in the processes of one torchrun, whose start takes longer.

    torchrun … two_ranks.py FOLDER PARENT

Job N is ``N.json`` in the folder, with its arguments and what of the environment it changes; each process leaves its
output, errors and status there. No arguments end it, and so does the end of the parent.
"""

import itertools
import json
import os
import runpy
import sys
import time
import traceback
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path

from ffltool.cli import main


def jobs(folder, parent):
    """Yield the jobs and where the answers go."""
    for number in itertools.count():
        while not (file := folder / f"{number}.json").exists():
            os.kill(parent, 0)  # an error once it is gone
            time.sleep(0.01)
        job = json.loads(file.read_text())
        if not job["arguments"]:
            return
        yield job, folder / f"{number}.{os.environ['RANK']}"


def status_of(arguments):
    """Return the status of a command line of ours, or of a script with its arguments."""
    if arguments[:2] == ["-m", "ffltool"]:
        return main(arguments[2:])
    sys.argv = arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as error:
        if not isinstance(error.code, str):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def serve(folder, parent):
    """Do the jobs."""
    for job, answer in jobs(folder, parent):
        os.environ.update(job["environment"])
        with ExitStack() as opened:
            out, err = (opened.enter_context(open(f"{answer}.{kind}", "w")) for kind in ("out", "err"))
            opened.enter_context(redirect_stdout(out))
            opened.enter_context(redirect_stderr(err))
            status = status_of(job["arguments"])
        Path(f"{answer}.new").write_text(json.dumps(status))
        Path(f"{answer}.new").rename(f"{answer}.status")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
