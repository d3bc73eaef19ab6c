"""Which database belongs to which home: one that was mistaken for another would not know what was posted.

A state store in PostgreSQL and its home carry the same id, the database in a row and the home in a file. A home that
keeps its state in SQLite carries no id: the store lies in it.

Belongs here: the id and the refusals. Opening is ``engine``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select

from core.errors import ConfigurationError
from core.files import sync_folder
from core.settings import Settings
from state.postgresql import shown, url_of
from state.tables import store_identity

_MOVE = "To move it, see docs/runbooks.md, section “Moving the state to PostgreSQL”."


def marker(settings: Settings) -> Path:
    """The file with the id of the database that holds this home's state."""
    return settings.root / "state.postgresql"


def has_state(settings: Settings) -> bool:
    """Whether this home has a state store; asking makes none."""
    return (settings.state if settings.state_url is None else marker(settings)).exists()


def where(settings: Settings) -> str:
    """Where the state lies: a path, or an address without its secrets."""
    url = url_of(settings)
    return str(settings.state) if url is None else shown(url)


def refuse_another_kind(settings: Settings) -> None:
    """ConfigurationError when this home keeps its state in the other kind of database than the setting says."""
    if settings.state_url is None and marker(settings).exists():
        raise ConfigurationError(
            f"{settings.root} keeps its state in PostgreSQL, and WAYBILL_STATE_URL is not set.",
            remedy=f"Set WAYBILL_STATE_URL for every process of this home. {_MOVE}",
        )
    if settings.state_url is not None and settings.state.exists():
        raise ConfigurationError(
            f"WAYBILL_STATE_URL is set, and {settings.root} keeps its state in {settings.state.name}.",
            remedy=f"Unset WAYBILL_STATE_URL for every process of this home. {_MOVE}",
        )


def bind(settings: Settings, engine: Engine) -> None:
    """Give a new database and a new home one id; ConfigurationError when they are not each other's."""
    final = marker(settings)
    draft = final.with_suffix(".new")
    with engine.begin() as db:
        known, told = _id_in(db), _read(final)
        if known is None and told is None:
            # A draft is left when a process ended between writing it and the commit.
            known = told = _read(draft) or uuid4().hex
            _write(draft, known)
            db.execute(insert(store_identity).values(store_id=known))
        elif told is None:
            told = _read(draft)
    if known != told:
        raise ConfigurationError(
            f"{where(settings)} is not the state store of {settings.root}"
            + (": it is another home's." if known else ": it is new, and the home has one already."),
            remedy="Set WAYBILL_HOME and WAYBILL_STATE_URL to a home and its own database. A new home takes a new, empty "
            f"database; a restore too. {_MOVE}",
        )
    if not final.exists():
        _finish(draft, final)


def _id_in(db: Connection) -> str | None:
    found: str | None = db.scalar(select(store_identity.c.store_id))
    return found


def _read(path: Path) -> str | None:
    return path.read_text(encoding="ascii") if path.exists() else None


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _finish(draft: Path, final: Path) -> None:
    """Name the file as what is committed; of two that do it at once one finds it done."""
    with suppress(FileNotFoundError):
        draft.replace(final)
    sync_folder(final.parent)
