"""JPEG files: the plain ones decoded by the shortest way.

Pillow's decoder of pixels is used as it is; what is left out is its reader of what stands before them, which in a small
file takes a fifth of the time.
"""

from __future__ import annotations

import struct

from PIL import Image

_START = b"\xff\xd8"
_FRAME = struct.Struct(">BHHB")  # bits, height, width, components
_FRAMES = frozenset([0xC0, 0xC1, 0xC2])  # baseline, extended, progressive
_SCAN = 0xDA
# tables, comments, and what applications leave that changes no pixel: no EXIF or XMP (APP1), which may turn the image
_SILENT = frozenset([0xC4, 0xDB, 0xDD, 0xE0, 0xED, 0xEE, 0xFE])
_PROFILE = 0xE2, b"ICC_PROFILE\0"  # of several kinds of this one; another tells of more images in the file
_MODES = {1: "L", 3: "RGB"}  # by the number of components


def decode_plain(content: bytes) -> Image.Image | None:
    """Return the image, mode "L" or "RGB", of a file of 8 bits in which nothing turns or hides pixels.

    None for every other file, and for one in which anything is odd: Pillow's reader knows what to do with these.
    """
    frame = _frame(content) if content.startswith(_START) else None
    if frame is None:
        return None
    bits, height, width, components = frame
    mode = _MODES.get(components)
    if bits != 8 or mode is None or not 0 < width * height <= (Image.MAX_IMAGE_PIXELS or 0):
        return None
    try:
        return Image.frombytes(mode, (width, height), content, "jpeg", mode, "")
    except (ValueError, OSError, MemoryError):
        return None


def _frame(content: bytes) -> tuple[int, int, int, int] | None:
    """Return what the one header of a frame says, if all that stands before the pixels is plain."""
    frame, start = None, len(_START)
    while start + 4 <= len(content) and content[start] == 0xFF:
        marker, length = content[start + 1], int.from_bytes(content[start + 2 : start + 4], "big")
        if marker == _SCAN:
            return frame
        if marker in _FRAMES and frame is None and start + 4 + _FRAME.size <= len(content):
            frame = _FRAME.unpack_from(content, start + 4)
        elif marker not in _SILENT and not (marker == _PROFILE[0] and content.startswith(_PROFILE[1], start + 4)):
            return None
        start += 2 + length
    return None
