"""What a terminal shows of weight files. Plain text here; printing is `_render`'s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffltool.cli._tables import columns, drawn
from ffltool.errors import printable

if TYPE_CHECKING:
    from ffltool.weights import Found


def of_weights(checked: list[Found]) -> str:
    """Return which weight files there are, which of them were found, and where they were looked for."""
    from ffltool.networks import FILES
    from ffltool.weights import folders

    verified = {"known": "yes", "own": "your own", "damaged": "no", "missing": ""}
    files = columns(
        *("network", "size"),
        rows=(
            [
                found.name,
                f"{FILES[found.name].size / 1e6:.1f} MB",
                FILES[found.name].use,
                found.place or "missing",
                verified[found.state],
            ]
            for found in checked
        ),
        texts=("for", "found in", "verified"),
    )
    places = (f"{place:16}  {printable(str(folder or 'not set'))}" for place, folder in folders().items())
    return drawn(files, "looked for in this order in:\n" + "\n".join(places))


def of_found(found: Found) -> str:
    """Return which file a network's weights are in, and its hash."""
    states = {"known": "the published weights", "own": "your own weights"}
    where = "" if found.path is None else f", {printable(str(found.path))}"
    digest = "" if found.sha256 is None else f"\n  SHA-256 {found.sha256}"
    return drawn(f"{found.name}: {states.get(found.state, found.state)}{where}{digest}")
