"""Where evidence is sealed: files named after their SHA-256, written once, synced, read-only, never changed.

Belongs here: writing, and the least that a document must be to count as one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from core.ids import new_id, sha256_hex
from core.settings import Settings

_MAGIC = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "application/pdf": b"%PDF-",
}
_NAMED = {".png": "image", ".jpg": "image", ".jpeg": "image", ".pdf": "application"}
_PNG_HEAD = 24
# The segment that tells a JPEG's size is one of these; the others carry their length and are passed over.
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
MOST_PIXELS = 100_000_000


def objection(content: bytes, declared_type: str, name: str = "") -> str | None:
    """Why these bytes are no evidence; None when they may be. ``name`` is what the app calls the file."""
    if not content:
        return "the file is empty"
    kind = mime_type(content)
    if kind is None:
        return "the file is neither PNG nor JPEG nor PDF"
    if declared_type in _MAGIC and declared_type != kind:
        return f"declared as {declared_type}, but it is {kind}"
    suffix = PurePosixPath(name.partition("?")[0]).suffix.lower()
    if suffix in _NAMED and _NAMED[suffix] != kind.partition("/")[0]:
        return f"named {suffix}, but it is {kind}"
    if kind == "image/png" and len(content) < _PNG_HEAD:
        return "the PNG is cut off"
    return _size_objection(kind, content)


def mime_type(content: bytes) -> str | None:
    """What the first bytes say it is."""
    return next((kind for kind, magic in _MAGIC.items() if content.startswith(magic)), None)


def seal(settings: Settings, content: bytes) -> str:
    """Keep the bytes; their SHA-256. What is there already is not touched. Call ``sync_folders`` afterwards."""
    digest = sha256_hex(content)
    path = path_of(settings, digest)
    if path.exists():
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(new_id("new"))
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(path)
    return digest


def path_of(settings: Settings, digest: str) -> Path:
    """Where the evidence of this SHA-256 lies."""
    return settings.evidence / digest[:2] / digest


def sync_folders(settings: Settings, digests: Iterable[str]) -> None:
    """Make the names of freshly sealed files durable too."""
    folders = {path_of(settings, each).parent for each in digests}
    if folders:
        folders.add(settings.evidence)
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _size_objection(kind: str, content: bytes) -> str | None:
    """A picture of one pixel shows nothing, and one of too many would fill the memory that opens it."""
    if kind == "image/png":
        width, height = struct.unpack(">II", content[16:_PNG_HEAD])
    elif kind == "image/jpeg":
        width, height = _jpeg_size(content)
    else:
        return None
    if width <= 1 and height <= 1:
        return f"the picture has {width} x {height} pixels"
    if width * height > MOST_PIXELS:
        return f"the picture claims {width} x {height} pixels"
    return None


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height; an ordinary size where no segment tells it."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, (length,) = content[at + 1], struct.unpack(">H", content[at + 2 : at + 4])
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return 2, 2
