"""Where the tests are, and a file of limits."""

from pathlib import Path

TESTS = Path(__file__).parents[2]


def limits(text):
    Path("limits.toml").write_text(text)
    return "limits.toml"
