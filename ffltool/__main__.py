"""Run the command line as ``python -m ffltool``."""

from ffltool.cli import run

if __name__ == "__main__":
    run()
