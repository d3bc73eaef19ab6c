"""Restoring a backup into an empty home: all or nothing, and nothing is sent before it was looked up.

What was open when the backup was made may have been posted since: it is UNKNOWN, and the push looks it up. What was
enqueued since is released again by the gate under the same key, and looked up by its first attempt as always.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pysqlite3
from sqlalchemy import Connection, Engine

from core.clock import utc_now
from core.errors import PermanentFailure
from core.files import sync_folder
from core.settings import Settings
from state import archive, heads, ledger, outbox, outbox_rows
from state.copies import copy_rows, refuse_unless_empty
from state.engine import HEAD, open_state, open_unbound, reading
from state.home import where
from state.tables import outbox as outbox_table
from state.transitions import RESTORED

ACTOR = "restore"
_WHY = "restored: it may have been posted since the backup"


@dataclass(frozen=True)
class Restored:
    """What was restored. ``doubtful`` counts the open rows that are UNKNOWN now."""

    manifest: archive.Manifest
    doubtful: int


def restore(settings: Settings, source: Path) -> Restored:
    """Restore a backup into this home, which must be empty.

    PermanentFailure, and nothing restored, when the home or the PostgreSQL database that its setting names holds
    anything, the archive is damaged or of another schema version, or its ledger was changed before it was backed up.
    """
    home = settings.root
    if home.exists() and any(home.iterdir()):
        raise PermanentFailure(
            f"{home} is not empty: restoring over a store would lose what it knows of invoices that were posted.",
            remedy="Set WAYBILL_HOME to an empty folder, or move what is there away.",
        )
    manifest = archive.manifest_of(source)
    if manifest.schema_version != HEAD:
        raise PermanentFailure(
            f"{source} has schema {manifest.schema_version}; this Waybill has {HEAD}.",
            remedy="Restore it with the version that made it; a newer one then migrates the store by itself.",
        )
    if settings.state_url is not None:
        _refuse_filled(settings)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=home) as folder:
        staged = settings.model_copy(update={"home": Path(folder), "state_url": None})
        archive.extract(source, manifest, staged.root)
        doubtful = _make_ready(staged, source, manifest)
        # The state store last: without it the home is none yet, and what is there has to be cleared away.
        for name in (*archive.FOLDERS, "ledger"):
            if (staged.root / name).exists():
                (staged.root / name).rename(home / name)
        if settings.state_url is None:
            staged.state.rename(settings.state)
        else:
            _fill(settings, staged)
        sync_folder(home)
    heads.sign(settings, open_state(settings))
    return Restored(manifest, doubtful)


def _refuse_filled(settings: Settings) -> None:
    engine = open_unbound(settings)
    with reading(engine) as db:
        refuse_unless_empty(db, where(settings))
    engine.dispose()


def _fill(settings: Settings, staged: Settings) -> None:
    """Bring the extracted store into PostgreSQL, in one transaction."""
    source, target = open_state(staged), open_unbound(settings)
    with reading(source) as read, target.begin() as db:
        refuse_unless_empty(db, where(settings))
        copy_rows(read, db)
    source.dispose()
    target.dispose()


def _make_ready(staged: Settings, source: Path, manifest: archive.Manifest) -> int:
    """Check the extracted store, doubt what was open, leave one file without a log."""
    with closing(pysqlite3.connect(str(staged.state))) as copy:
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise archive.Damaged(source, "its state store is damaged")
    engine = open_state(staged)
    try:
        _refuse_changed(staged, engine, source)
        now = utc_now()
        with engine.begin() as db:
            doubtful = _doubt(db, now)
            told = {"made_at": manifest.made_at, "doubtful": doubtful}
            ledger.append(db, "restored", ACTOR, "state store", told)
    finally:
        # The last connection that closes takes SQLite's log with it.
        engine.dispose()
    return doubtful


def _doubt(db: Connection, now: datetime) -> int:
    """Make every open row UNKNOWN, its settling time beginning now; how many."""
    told = {"last_error": _WHY, "leased_by": None, "leased_until": None, "not_before": None}
    doubtful = outbox_rows.entries(db, outbox_table.c.state.in_(RESTORED))
    for row in doubtful:
        outbox.move(db, row, "UNKNOWN", now, told, ACTOR)
    return len(doubtful)


def _refuse_changed(staged: Settings, engine: Engine, source: Path) -> None:
    chain = ledger.verify(engine)
    found = [chain.problem] if chain.problem else heads.problems(engine, heads.read(staged.ledger_heads))
    if found:
        raise PermanentFailure(
            f"The ledger in {source} was changed before it was backed up: {found[0]}.",
            remedy="Restore an older backup, and keep this one for the auditors.",
        )
