"""NPZ archives of ffltool: written with their schema in them, opened only if they are that, and whole."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ffltool.errors import InputError

MARK = "ffltool.npy"  # the name of the entry that holds the schema, which stands near the end of the file
_ZIP = b"PK\3\4"
# what a reader stumbles over in a file that is damaged or was changed
_DAMAGE = (
    *(ValueError, KeyError, TypeError, AttributeError, EOFError, OverflowError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)


def packed(arrays: Mapping[str, np.ndarray], *, schema: str, save: Callable[..., None] = np.savez) -> bytes:
    """Return arrays as an archive of that schema, which is its last entry; `save` may be NumPy's that compresses."""
    content = io.BytesIO()
    save(content, **arrays, ffltool=np.array(schema))
    return content.getvalue()


@contextmanager
def opened(path: Path, *, schema: str, holding: str) -> Iterator[np.lib.npyio.NpzFile]:
    """Open an archive of that schema for the body, whose stumbling over its content becomes an error too.

    Raises
    ------
    InputError : if there is no such file, or it is something else than an archive of ffltool's `holding` that.
    """
    try:
        with path.open("rb") as content:
            if content.read(len(_ZIP)) != _ZIP:  # NumPy would speak of pickles
                raise InputError(f"{path} is no NPZ file that can be read")
            content.seek(0)
            with np.load(content, allow_pickle=False) as file:
                if "ffltool" not in file or str(file["ffltool"]) != schema:
                    raise InputError(f"{path} holds no {holding} of ffltool")
                yield file
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise InputError(f"{path} is no NPZ file that can be read: {error}") from error
