"""PNG files: check sums, and the plain ones decoded by the shortest way.

Pillow's decoder of pixels is used as it is; what is left out is its reader of chunks, which in a small file takes as
long as the pixels do, and its inflating row by row: the pixels are handed to it inflated.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32, decompressobj
from zlib import error as InflateError

from PIL import Image, ImageFile

if not TYPE_CHECKING:  # isal does what zlib does, but its types are not zlib's
    try:
        from isal.isal_zlib import crc32, decompressobj
        from isal.isal_zlib import error as InflateError
    except ImportError:  # on processors that it is not made for
        pass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")  # width, height, bits, colour type, compression, filter, interlacing
_PLAIN = {(8, 0, 0, 0, 0): "L", (8, 2, 0, 0, 0): "RGB"}  # modes, by what stands in the header behind the size
# chunks that change no pixel, and need no look inside
_SILENT = frozenset([b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs", b"tIME"])
_FIRST = len(SIGNATURE) + 8  # where the header's fields begin
_BETWEEN = 12  # bytes between the insides of two chunks: a check sum, a length, a name
_PART = 1 << 14  # bytes that are inflated at a time, few enough to stay in the cache
_HEAD = struct.Struct("<BHH")  # the head of a stored block: no last one, length, its complement
_LARGE = 1 << 20  # bytes of pixels that are no longer held twice
_BLOCK = 0xFFFF  # bytes that such a block can hold
_TELLING = b"Raw profile", b"XML:", b"exif"  # keywords of texts that may hold an orientation


def damage(content: bytes) -> str:
    """Say what is wrong with the chunks that pixels hang on, "" if nothing is; Pillow shows that as wrong pixels."""
    for _, (_, end), critical, agrees in _chunks(content):
        if critical and not agrees:
            return "it ends too soon" if end + 4 > len(content) else "a check sum does not agree"
    return ""


def may_be_turned(content: bytes) -> bool:
    """Tell whether an orientation may stand in a file, before its pixels or behind them."""
    return any(name in content for name in (b"eXIf", *_TELLING))


def decode_plain(content: bytes) -> Image.Image | None:
    """Return the image, mode "L" or "RGB", of a file of 8 bits in which nothing turns, hides or moves pixels.

    None for every other file, and for one in which anything is odd: Pillow's reader knows what to do with these.
    """
    if content[:8] != SIGNATURE or content[8:16] != b"\0\0\0\x0dIHDR" or len(content) < 33:
        return None
    width, height, *kind = _HEADER.unpack_from(content, _FIRST)
    mode = _PLAIN.get(tuple(kind))
    if mode is None or not 0 < width * height <= (Image.MAX_IMAGE_PIXELS or 0):
        return None
    pixels: list[memoryview] = []
    last, name, view = 0, b"", memoryview(content)
    for name, (start, end), critical, agrees in _chunks(content):
        if critical and not agrees:
            return None
        if name == b"IDAT" and (not pixels or start == last + _BETWEEN):
            pixels.append(view[start:end])
            last = end
        elif name == b"tEXt" and not content.startswith(_TELLING, start):
            continue
        elif name not in _SILENT and name != b"IEND" and start != _FIRST:
            return None
    if name != b"IEND":
        return None
    try:
        size = height * (1 + len(mode) * width)  # a row begins with the name of its filter
        stored = _stored(pixels, size)
        if size < _LARGE:
            return Image.frombytes(mode, (width, height), b"".join(stored), "zip", mode, 0)
        image = _Inflated(stored, mode, (width, height))
        image.load()
        return image
    except (ValueError, OSError, MemoryError, InflateError):
        return None


class _Inflated(ImageFile.ImageFile):
    """A large image as Pillow reads one from a file, of which nothing but a piece is held at a time."""

    def __init__(self, stored: Iterator[bytes], mode: str, size: tuple[int, int]) -> None:
        self._stored, self._head = stored, (mode, size)
        super().__init__(io.BytesIO())

    def _open(self) -> None:
        self._mode, self._size = self._head
        self.tile = [ImageFile._Tile("zip", (0, 0, *self._size), 0, self._mode)]

    def load_seek(self, pos: int) -> None:
        """Stay, at the beginning."""

    def load_read(self, read_bytes: int) -> bytes:
        """Return the next piece, however much is wanted."""
        return next(self._stored, b"")

    def load_end(self) -> None:
        """See to it that nothing stands behind the pixels, and that their check sum agrees."""
        for _ in self._stored:
            pass


def _stored(pieces: Sequence[memoryview], size: int) -> Iterator[bytes]:
    """Yield a zlib stream of `size` bytes with all of them in blocks that are stored as they are, RFC 1951, 3.2.4."""
    inflating, left = decompressobj(), size
    yield b"\x78\x01"
    for part in (piece[start : start + _PART] for piece in pieces for start in range(0, len(piece), _PART)):
        inflated = inflating.decompress(part)
        left -= len(inflated)
        if left < 0:
            break
        for start in range(0, len(inflated), _BLOCK):
            block = inflated[start : start + _BLOCK]
            yield _HEAD.pack(0, len(block), len(block) ^ 0xFFFF) + block
    if left or not inflating.eof:
        raise ValueError("more or fewer pixels than the header says, or their check sum does not agree")


def _chunks(content: bytes) -> Iterator[tuple[bytes, tuple[int, int], bool, bool]]:
    """Yield name, place, whether pixels hang on it, and whether its check sum agrees, of every whole chunk to the end.

    Check sums of others are not looked at.
    """
    view, start = memoryview(content), len(SIGNATURE)
    while start + 12 <= len(content):
        end = start + 8 + int.from_bytes(view[start : start + 4], "big")
        name = content[start + 4 : start + 8]
        critical = not name[0] & 0x20
        agrees = not critical or crc32(view[start + 4 : end]) == int.from_bytes(view[end : end + 4], "big")
        yield name, (start + 8, end), critical, agrees
        if name == b"IEND":
            return
        start = end + 4
