"""Backing up what can never be rebuilt: state store, landing, evidence, and the ledger's signed heads.

Everything else follows from these. Left out are the warehouse, the serving copy, dlt's and Dagster's own files, and the
signing key, which never leaves its home. What runs goes on running. The state store is one SQLite file in every
backup, wherever it lies: a home is moved to another database by its backup.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pysqlite3
from sqlalchemy import Engine

from core.clock import utc_now
from core.errors import PermanentFailure
from core.files import sync_folder
from core.settings import Settings
from state import archive, heads
from state.copies import copy_rows
from state.engine import HEAD, open_state, reading
from state.home import has_state

_UNFINISHED = ".new"
"""How a file is named while it is written."""


def backup(settings: Settings, target: Path) -> archive.Manifest:
    """Write a backup of this home to ``target``, which must not exist; what is in it.

    PermanentFailure when there is nothing to back up, or something at ``target``.
    """
    if not has_state(settings):
        raise PermanentFailure(
            f"{settings.root} holds no state store.", remedy="Set WAYBILL_HOME to the home to back up."
        )
    if target.exists():
        raise _taken(target)
    engine = open_state(settings)
    heads.sign(settings, engine)
    made_at = utc_now()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
        staged = Path(folder)
        # The heads before the rows that they sign: a head without its row would read as a cut tail.
        _copy_heads(settings, staged / "heads")
        if settings.state_url is None:
            _copy_state(settings.state, staged / "state")
        else:
            _copy_rows(engine, staged)
        files = [(archive.HEADS, staged / "heads"), (archive.STATE, staged / "state"), *_folders(settings)]
        manifest = archive.write(staged / "archive", files, HEAD, made_at)
        try:
            os.link(staged / "archive", target)
        except FileExistsError as error:
            raise _taken(target) from error
    sync_folder(target.parent)
    return manifest


def _copy_heads(settings: Settings, to: Path) -> None:
    """Whole lines only: a batch may be writing one."""
    to.write_text("".join(f"{head.line()}\n" for head in heads.read(settings.ledger_heads)), encoding="utf-8")


def _copy_state(source: Path, to: Path) -> None:
    """SQLite's online backup: one consistent copy while others write, checked before it is believed."""
    with closing(pysqlite3.connect(str(source))) as live, closing(pysqlite3.connect(str(to))) as copy:
        live.backup(copy)
        # One file, with no log beside it.
        copy.execute("PRAGMA journal_mode = delete")
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise PermanentFailure(
            f"{source} is damaged: {found}.",
            remedy="Stop Waybill and restore the newest good backup; nothing was backed up.",
        )


def _copy_rows(engine: Engine, staged: Path) -> None:
    """One snapshot of every row, while others write, as a store of SQLite."""
    written = Settings(home=staged / "rows", state_url=None)
    copy = open_state(written)
    with reading(engine) as source, copy.begin() as target:
        copy_rows(source, target)
    # The last connection that closes takes SQLite's log with it.
    copy.dispose()
    written.state.rename(staged / "state")


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Landing and evidence, whose files never change once they have their name."""
    for name in archive.FOLDERS:
        for path in sorted((settings.root / name).rglob("*")):
            if path.is_file() and path.suffix != _UNFINISHED:
                yield path.relative_to(settings.root).as_posix(), path


def _taken(target: Path) -> PermanentFailure:
    return PermanentFailure(
        f"{target} is there already.", remedy="Name a file that is not: a backup is never overwritten."
    )
