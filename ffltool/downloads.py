"""A file from the network into its place: whole or not at all, and from where an earlier attempt broke off."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pooch
import requests

from ffltool.errors import WeightsError
from ffltool.stream import Progress, watched

_CHUNK = 1 << 20
_RETRIES = 2
_TIMEOUT = 30  # seconds without an answer
# the first class that fits says why a request failed
_REASONS: dict[type[Exception], str] = {
    requests.exceptions.SSLError: "its certificate is not trusted",
    requests.exceptions.Timeout: f"no answer in {_TIMEOUT} seconds",
    requests.exceptions.ChunkedEncodingError: "the connection broke off",
    requests.exceptions.ConnectionError: "the connection failed",
}

pooch.get_logger().setLevel("WARNING")  # it prints what it does, and only the command line prints


def fetch(url: str, target: Path, *, size: int, sha256: str, progress: Progress | None = None) -> None:
    """Bring the file at `url` to `target`, unless it is there already; a file with another hash is replaced.

    What came before a connection broke is kept beside it as `.part`, and the next attempt asks for the rest.

    Parameters
    ----------
    size : bytes; another size that the server announces is an error before anything is loaded.
    progress : wraps the chunks of 1 MiB still to come, given them and their number.

    Raises
    ------
    WeightsError : if that fails, with the reason; nothing has changed at `target` then.
    """
    part = target.with_name(f"{target.name}.part")
    cache = pooch.create(
        path=target.parent,
        base_url="",
        registry={target.name: f"sha256:{sha256}"},
        urls={target.name: url},
        retry_if_failed=_RETRIES,
    )
    try:
        cache.fetch(target.name, downloader=_Resuming(part, size, progress))
    except requests.RequestException as error:
        kept = f"; {part.stat().st_size} of {size} bytes are kept for the next attempt" if part.exists() else ""
        raise WeightsError(f"{url} cannot be fetched: {_reason(error)}{kept}") from error
    except ValueError as error:  # pooch's, when the last attempt too brought another hash
        raise WeightsError(f"{url} cannot be fetched: what came has another SHA-256 than {sha256}") from error
    except OSError as error:
        raise WeightsError(f"{target} cannot be written: {error.strerror or 'permission denied'}") from error


class _Resuming:
    """Loads into a file of pooch's; what an earlier attempt left is its start."""

    def __init__(self, part: Path, size: int, progress: Progress | None) -> None:
        self.part, self.size, self.progress = part, size, progress

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Load the file, or keep what came of it."""
        output = Path(output_file)
        with suppress(FileNotFoundError):
            self.part.replace(output)  # moved away, so that no other process goes on with it
        try:
            if output.stat().st_size != self.size:
                self._load(url, output)
        except (requests.RequestException, WeightsError, KeyboardInterrupt):
            if output.stat().st_size:
                output.replace(self.part)
            raise

    def _load(self, url: str, output: Path) -> None:
        kept = output.stat().st_size
        start = kept if kept < self.size else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code != requests.codes.partial_content:
                start = 0  # this is the whole file, or an error
            self._check(url, response, start)
            with output.open("r+b") as file:
                file.seek(start)
                file.truncate()
                chunks, count = response.iter_content(_CHUNK), math.ceil((self.size - start) / _CHUNK)
                for chunk in watched(chunks, count, self.progress):
                    file.write(chunk)
        if output.stat().st_size < self.size:  # a server that did not say how much there is
            raise requests.exceptions.ChunkedEncodingError

    def _check(self, url: str, response: requests.Response, start: int) -> None:
        if 400 <= response.status_code < 500:  # no next attempt will do better
            raise WeightsError(f"{url} cannot be fetched: HTTP status {response.status_code}")
        response.raise_for_status()
        announced = start + int(response.headers.get("Content-Length", self.size - start))
        if announced != self.size:
            raise WeightsError(f"{url} cannot be fetched: it has {announced} bytes, not {self.size}")


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"HTTP status {error.response.status_code}"
    return next((text for kind, text in _REASONS.items() if isinstance(error, kind)), type(error).__name__)
