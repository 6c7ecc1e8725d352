"""The command line as a process of its own: the script ``ffltool``, and ``python -m ffltool``."""

import gc
import os
import sys
from typing import NoReturn

_INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command line and end the process with its status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for as long as the process lives)
    try:
        from ffltool.cli import main  # here, so that an interrupt while it loads ends as quietly as a later one

        status = main()
    except KeyboardInterrupt:
        status = _INTERRUPTED
    if "torch" not in sys.modules:  # which must tidy up behind itself
        gc.freeze()  # all memory is about to go: without this the interpreter searches it for cycles, for 0.04 s
    sys.exit(status)


if __name__ == "__main__":
    run()
