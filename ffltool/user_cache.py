"""Where a user's caches are."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path


def folder(name: str) -> Path | None:
    """Return the folder of that name among ffltool's caches, which need not be there; None without a home folder."""
    try:
        caches = user_cache_path("ffltool", appauthor=False)
    except RuntimeError:  # newer versions, for a user without a home folder
        return None
    return at_home(caches / name)


def at_home(path: Path) -> Path | None:
    """Return None for a path in a home folder that this user does not have: it begins with a bare ~."""
    return path if path.parts[0] != "~" else None
