"""Run the command line as ``python -m ffltool``."""

import sys

from ffltool.cli import main

if __name__ == "__main__":
    sys.exit(main())
