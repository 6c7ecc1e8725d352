"""Which code made a result: the commit of the checkout that it ran from, or else a hash of its files; and versions."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import PIL
import torch

_PACKAGE = Path(__file__).parent


@cache
def origin() -> str:
    """Return "commit 1a2b3c4" of a git checkout, with "-dirty" where files differ from it, or "source 0123456789ab".

    The latter is the start of the SHA-256 over the package's Python files, for what runs from no checkout.
    """
    try:
        tracked = _git("ls-files", "--error-unmatch", Path(__file__).name)
        found = _git("describe", "--always", "--dirty", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        tracked = found = ""
    return f"commit {found}" if tracked and found else f"source {_digest()[:12]}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_PACKAGE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def environment(device: torch.device | str) -> dict[str, str]:
    """Return what a result that was computed with torch on a device depends on beside its settings."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"code": origin(), "device": name, **versions()}


def versions() -> dict[str, str]:
    """Return the versions of what computes with torch on images."""
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pillow": PIL.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
