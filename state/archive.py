"""The backup's file: a tar of what can never be rebuilt, with a manifest that knows each file's checksum.

Belongs here: the format. What is backed up is ``backup``, what becomes of it is ``restore``.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from core.errors import PermanentFailure
from core.files import sync_folder

MANIFEST = "manifest.json"
STATE = "state.sqlite"
HEADS = "ledger/heads.jsonl"
FOLDERS = ("landing", "evidence")
_CHUNK = 1 << 20


class File(BaseModel):
    """What one file of the archive must be; ``mode`` are its permissions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size: int
    mode: int


class Manifest(BaseModel):
    """What is in the archive. ``schema_version`` is the state store's newest migration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    schema_version: str
    made_at: AwareDatetime
    files: dict[str, File]


class Damaged(PermanentFailure):
    """The archive is not what was written."""

    def __init__(self, archive: Path, why: str) -> None:
        super().__init__(
            f"{archive} cannot be restored: {why}.",
            remedy="Take another copy of this backup, or an older backup; nothing was restored.",
        )


def write(
    target: Path, files: Iterable[tuple[str, Path]], schema_version: str, made_at: datetime
) -> Manifest:
    """Write the named files and then the manifest, synced; each is read once."""
    written: dict[str, File] = {}
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, path in files:
                with path.open("rb") as content:
                    info = tar.gettarinfo(arcname=name, fileobj=content)
                    counted = _Counted(content)
                    tar.addfile(info, counted)
                written[name] = File(sha256=counted.digest.hexdigest(), size=info.size, mode=info.mode)
            manifest = Manifest(schema_version=schema_version, made_at=made_at, files=written)
            told = manifest.model_dump_json(indent=1).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(told)
            tar.addfile(info, io.BytesIO(told))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def manifest_of(archive: Path) -> Manifest:
    """What the archive says is in it; Damaged when it says nothing that can be read."""
    try:
        with tarfile.open(archive, "r:") as tar:
            content = tar.extractfile(MANIFEST)
            manifest = Manifest.model_validate_json(content.read() if content else b"")
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise Damaged(archive, f"it has no readable manifest ({error})") from error
    if STATE not in manifest.files:
        raise Damaged(archive, "it holds no state store")
    return manifest


def extract(archive: Path, manifest: Manifest, into: Path) -> None:
    """Every file of the manifest, checked and synced; Damaged when one is missing, more, or not what it was."""
    try:
        with tarfile.open(archive, "r:") as tar:
            members = {each.name: each for each in tar.getmembers() if each.name != MANIFEST}
            if unlike := sorted(members.keys() ^ manifest.files.keys()):
                raise Damaged(archive, f"{unlike[0]} is not both in it and in its manifest")
            for name, expected in manifest.files.items():
                content = tar.extractfile(members[name]) if _is_ours(name) else None
                if content is None:
                    raise Damaged(archive, f"{name} is no file of a backup")
                if _copy(content, into / name, expected.mode) != expected.sha256:
                    raise Damaged(archive, f"{name} is not what its checksum says")
        for folder in (into, *(path for path in into.rglob("*") if path.is_dir())):
            sync_folder(folder)
    except (tarfile.TarError, OSError) as error:
        raise Damaged(archive, str(error)) from error


def _is_ours(name: str) -> bool:
    """Whether a name can lead nowhere but to where a backup's files belong."""
    parts = PurePosixPath(name).parts
    return name in {STATE, HEADS} or (parts[:1] in {(each,) for each in FOLDERS} and ".." not in parts)


def _copy(content: IO[bytes], path: Path, mode: int) -> str:
    """Write one file, synced; its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode & 0o777)
    return digest.hexdigest()


class _Counted(io.RawIOBase):
    """A file that is read once, and hashed on the way."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._content.read(size)
        self.digest.update(chunk)
        return chunk
