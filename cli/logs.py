"""What a server says, kept in a file that only its owner reads and that does not grow for ever.

Belongs here: the sizes, and copying a stream into such files. All servers' logs are written this way, by their keepers.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any

MOST_BYTES, KEPT = 10_000_000, 4
"""A log is so large at most, and so many older ones stay beside it, the newest as ``.1``."""
_LONGEST_LINE = 64 * 1024
_MODE = 0o600


class _Private(RotatingFileHandler):
    """Lines as they come, in files of mode 0600, also one that was there before."""

    def _open(self) -> Any:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        os.fchmod(handle, _MODE)
        return os.fdopen(handle, self.mode, encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is its parent's)
        """A line that cannot be written, because the disk is full, say, is lost, and who said it goes on."""


def copy(said: IO[bytes], path: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> None:
    """Write what is said until its end."""
    handler = _Private(path, maxBytes=most_bytes, backupCount=kept, encoding="utf-8", errors="replace")
    try:
        while line := said.readline(_LONGEST_LINE):
            text = line.decode("utf-8", "replace").removesuffix("\n")
            handler.handle(logging.makeLogRecord({"msg": text}))
    finally:
        handler.close()
