"""Reading the world's documents from SQLite: only what is asked for, only what is visible by now.

Belongs here: queries over the tables that the world writes. Dialects and what servers write themselves do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from sandbox.clock import WorldClock, instant

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS documents_modified ON documents(system, collection, modified, id)"
    " WHERE system <> 'telematics'",
    "CREATE INDEX IF NOT EXISTS documents_feed ON documents(collection, visible_at, id, seq)"
    " WHERE system = 'telematics'",
)
# Of each id the newest version that is visible; the primary key answers the inner question.
_CURRENT = """
    d.system = :system AND d.collection = :collection AND d.visible_at <= :now
    AND d.seq = (SELECT max(e.seq) FROM documents e WHERE e.system = d.system
                 AND e.collection = d.collection AND e.id = d.id AND e.visible_at <= :now)
"""


@dataclass(frozen=True)
class Document:
    """One version of one document: ``body`` is the JSON text as it is to be served."""

    id: str
    modified: str
    body: str


@dataclass(frozen=True)
class Entry:
    """A document's version without its text, for sorting many before reading few."""

    id: str
    modified: str
    seq: int


@dataclass(frozen=True)
class Point:
    """One row of a feed; its first three fields are its place in the feed."""

    visible_at: str
    id: str
    seq: int
    body: str

    @property
    def place(self) -> tuple[str, str, int]:
        return self.visible_at, self.id, self.seq


def world_file(home: Path) -> Path:
    """Where the world of this home lives."""
    return home / "sandbox" / "world.sqlite"


def connect(path: Path) -> Any:
    """A connection that commits each statement by itself unless told otherwise, durably."""
    connection = sqlite3.connect(str(path), isolation_level=None, timeout=10, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def prepare(path: Path) -> dict[str, str]:
    """Make the world servable (WAL, indexes); returns its meta table."""
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in _INDEXES:
            connection.execute(statement)
        return dict(connection.execute("SELECT key, value FROM meta"))
    finally:
        connection.close()


class Store:
    """One system's view of the world. Not for several threads: each server is one loop."""

    def __init__(self, path: Path, system: str, clock: WorldClock) -> None:
        self.connection = connect(path)
        self.system = system
        self.clock = clock

    def _arguments(self, collection: str, **more: object) -> dict[str, object]:
        return {
            "system": self.system,
            "collection": collection,
            "now": instant(self.clock.now()),
            **more,
        }

    def collections(self) -> list[str]:
        """The collections this system has documents of."""
        rows = self.connection.execute(
            "SELECT DISTINCT collection FROM documents WHERE system = ?", (self.system,)
        )
        return sorted(row[0] for row in rows)

    def get(self, collection: str, identity: str) -> Document | None:
        """The current version of one document, None when it is not there or not visible yet."""
        row = self.connection.execute(
            f"SELECT d.id, d.modified, d.body FROM documents d WHERE {_CURRENT} AND d.id = :id",
            self._arguments(collection, id=identity),
        ).fetchone()
        return Document(*row) if row else None

    def page(
        self, collection: str, since: datetime | None, limit: int, offset: int = 0, *, order: str = "modified"
    ) -> list[Document]:
        """Current versions modified at or after ``since``, oldest change first (or by ``order`` = "id")."""
        by = "d.id" if order == "id" else "d.modified, d.id"
        rows = self.connection.execute(
            "SELECT d.id, d.modified, d.body FROM documents d"
            f" WHERE {_CURRENT} AND d.modified >= :since ORDER BY {by} LIMIT :limit OFFSET :offset",
            self._arguments(collection, since=instant(since) if since else "", limit=limit, offset=offset),
        )
        return [Document(*row) for row in rows]

    def behind(
        self, collection: str, since: datetime | None, place: tuple[str, str], limit: int
    ) -> list[Document]:
        """Like ``page``, beginning behind the change time and id of ``place``: nothing is lost while it is paged."""
        modified, identity = place
        rows = self.connection.execute(
            "SELECT d.id, d.modified, d.body FROM documents d"
            f" WHERE {_CURRENT} AND d.modified >= :since AND (d.modified, d.id) > (:after, :last)"
            " ORDER BY d.modified, d.id LIMIT :limit",
            self._arguments(
                collection, since=instant(since) if since else "", after=modified, last=identity, limit=limit
            ),
        )
        return [Document(*row) for row in rows]

    def after_id(self, collection: str, since: datetime | None, last: str, limit: int) -> list[Document]:
        """Like ``page`` by id, beginning behind the id ``last``."""
        rows = self.connection.execute(
            "SELECT d.id, d.modified, d.body FROM documents d"
            f" WHERE {_CURRENT} AND d.modified >= :since AND d.id > :last ORDER BY d.id LIMIT :limit",
            self._arguments(collection, since=instant(since) if since else "", last=last, limit=limit),
        )
        return [Document(*row) for row in rows]

    def feed(self, collection: str, after: tuple[str, str, int] | None, limit: int) -> list[Point]:
        """Every visible row behind ``after``, in the order in which rows became visible."""
        visible_at, identity, seq = after or ("", "", -1)
        rows = self.connection.execute(
            "SELECT visible_at, id, seq, body FROM documents INDEXED BY documents_feed"
            " WHERE system = 'telematics' AND collection = :collection AND visible_at <= :now"
            " AND (visible_at, id, seq) > (:after, :id, :seq) ORDER BY visible_at, id, seq LIMIT :limit",
            self._arguments(collection, after=visible_at, id=identity, seq=seq, limit=limit),
        )
        return [Point(*row) for row in rows]

    def scan(self, collection: str, contains: Iterable[str], ids: Iterable[str] | None) -> list[Entry]:
        """Current versions whose text contains every one of ``contains``; only ``ids`` when given."""
        arguments = self._arguments(collection)
        where = [_CURRENT]
        for position, text in enumerate(contains):
            arguments[f"text{position}"] = text
            where.append(f"instr(d.body, :text{position}) > 0")
        if ids is not None:
            names = {f"id{position}": each for position, each in enumerate(ids)}
            arguments |= names
            where.append(f"d.id IN ({', '.join(':' + name for name in names)})")
        rows = self.connection.execute(
            f"SELECT d.id, d.modified, d.seq FROM documents d WHERE {' AND '.join(where)}", arguments
        )
        return [Entry(*row) for row in rows]

    def body(self, collection: str, entry: Entry) -> str:
        """The JSON text of a version that ``scan`` found."""
        row = self.connection.execute(
            "SELECT body FROM documents WHERE system = ? AND collection = ? AND id = ? AND seq = ?",
            (self.system, collection, entry.id, entry.seq),
        ).fetchone()
        return str(row[0])

    def file(self, identity: str) -> tuple[str, bytes] | None:
        """Type and bytes of a photo or signature."""
        row = self.connection.execute("SELECT mime, body FROM files WHERE id = ?", (identity,)).fetchone()
        return (str(row[0]), bytes(row[1])) if row else None
