"""A disk that is full, told in words: which one, and what to do.

Belongs here: telling it from every other failure, whatever library came upon it. What was under way was not kept; what had
been acknowledged before is there.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import TransientFailure

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
_LEAST_ROOM = 64 * 1024
"""With less than that SQLite cannot make the index of its log, and says "disk I/O error", as of a disk that is broken."""
_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
"""What stands in the messages of those that raise an error of their own."""


class DiskFull(TransientFailure):
    """The disk takes nothing more."""


def disk_full(root: Path) -> DiskFull:
    """The failure, with the disk that holds ``root``."""
    room = shutil.disk_usage(_there(root))
    return DiskFull(
        f"The disk that holds {root} is full: {room.free // 1024:,} of {room.total // 1024:,} KiB are free.",
        remedy="Make room on it, then run again: what was acknowledged is there, and what was under way is done anew.",
    )


def is_full(error: BaseException | None, root: Path) -> bool:
    """Whether a full disk is what is behind this error, or behind one that led to it."""
    while error is not None:
        if isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in _NUMBERS):
            return True
        if any(each in str(error) for each in _WORDS):
            return True
        if str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_IOERR"):
            return shutil.disk_usage(_there(root)).free < _LEAST_ROOM
        error = error.__cause__ or error.__context__
    return False


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


@contextmanager
def told_when_full(root: Path) -> Iterator[None]:
    """DiskFull in place of whatever the block raises because the disk that holds ``root`` is full."""
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if is_full(error, root):
            raise disk_full(root) from error
        raise
