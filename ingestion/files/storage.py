"""Where the files lie: a folder or any fsspec path, by the same code.

Belongs here: finding files, their fingerprints, and opening them. What is in them is not looked at here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, cast

import fsspec

from contracts.base import EARLIEST
from core.errors import PermanentFailure, TransientFailure

# Brackets of a glob stay as they are; every other letter stands for both of its cases.
_LETTER = re.compile(r"(\[[^\]]*\])|([A-Za-z])")


@dataclass(frozen=True)
class Found:
    """One file. ``modified`` is None where the storage does not tell."""

    path: str
    name: str
    size: int
    modified: datetime | None

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file was written again."""
        return f"{self.size}@{self.modified.isoformat() if self.modified else ''}"


class Folder:
    """A folder somewhere. ``options`` go to fsspec as they are (keys, endpoints)."""

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        self.url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **(options or {}))
        except (ValueError, ImportError) as error:
            raise PermanentFailure(
                f"The folder {url} cannot be opened: {error}.",
                remedy="Give a folder or an fsspec path, and install the package its protocol needs.",
            ) from error
        self._root = str(root).rstrip("/")
        self._listed: dict[str, list[Found]] = {}

    def find(self, pattern: str) -> list[Found]:
        """The files whose name fits the glob ``pattern`` in any case, by path; none when there is none.

        A name that begins with a dot fits only a pattern that does.
        """
        if pattern not in self._listed:
            try:
                self._fs.invalidate_cache()
                if not self._fs.exists(self._root):
                    raise PermanentFailure(
                        f"The folder {self.url} does not exist.",
                        remedy="Correct `options.folder`, or the variable it names.",
                    )
                found = self._fs.glob(f"{self._root}/{_any_case(pattern)}", detail=True)
            except OSError as error:
                raise TransientFailure(
                    f"The folder {self.url} did not answer: {error}.",
                    remedy="Check the path and the rights, then run again.",
                ) from error
            self._listed[pattern] = [
                _found(path, info, self._root)
                for path, info in sorted(found.items())
                if info["type"] == "file"
                and (pattern.startswith(".") or not path.rpartition("/")[2].startswith("."))
            ]
        return self._listed[pattern]

    def open(self, file: Found) -> IO[bytes]:
        """The file's bytes, unpacked when its name says that it is packed (.gz, .zst …)."""
        try:
            return cast(IO[bytes], self._fs.open(file.path, "rb", compression=_compression(file.name)))
        except OSError as error:
            raise TransientFailure(
                f"{file.path} cannot be read: {error}.", remedy="Check the rights, then run again."
            ) from error


def _any_case(pattern: str) -> str:
    """The glob with every letter in both cases, except in brackets of its own."""
    return _LETTER.sub(lambda found: found[1] or f"[{found[2].lower()}{found[2].upper()}]", pattern)


def _compression(name: str) -> str | None:
    return cast("str | None", fsspec.utils.infer_compression(name))


def _found(path: str, info: dict[str, Any], root: str) -> Found:
    name = path.removeprefix(root).lstrip("/")
    return Found(path=path, name=name, size=int(info.get("size") or 0), modified=_modified(info))


def _modified(info: dict[str, Any]) -> datetime | None:
    """The time of the last writing under the names that the file systems give it."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = info.get(key)
        if isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            return aware.astimezone(UTC) if aware >= EARLIEST else None
    return None
