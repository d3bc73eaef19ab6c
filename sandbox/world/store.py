"""The world on disk: documents with versions, files and meta in one SQLite file, written in one go."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.world.moments import END, NOW, iso, visible

_TABLES = """
CREATE TABLE documents(system TEXT, collection TEXT, id TEXT, seq INTEGER, visible_at TEXT, modified TEXT,
    body TEXT, PRIMARY KEY(system, collection, id, seq)) WITHOUT ROWID;
CREATE TABLE files(id TEXT PRIMARY KEY, mime TEXT, body BLOB);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
"""
Row = tuple[str, str, str, int, str, str, str]
Body = dict[str, Any]


class Documents:
    """Collects what the five systems hold; nothing is on disk before ``write``."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.current: dict[tuple[str, str, str], Body] = {}
        """The version that each list shows at NOW, for counting."""
        self.strays: list[tuple[str, str, Body]] = []
        """What the lists show besides, for counting: second copies, and documents of nothing that happened."""

    def add(
        self,
        system: str,
        collection: str,
        identity: str,
        moments: Iterable[datetime],
        body: Callable[[datetime, datetime], Body | None],
    ) -> None:
        """One version for the newest of ``moments`` by NOW and one for each later one.

        ``body(happened, modified)`` makes the version in which everything up to ``happened`` is known.
        """
        known = sorted(set(moments))
        past = [moment for moment in known if visible(moment) <= NOW]
        later = [moment for moment in known if visible(moment) > NOW and moment <= END]
        for seq, moment in enumerate(past[-1:] + later, 1):
            document = body(moment, visible(moment))
            if document is None:
                continue
            if visible(moment) <= NOW:
                self.current[system, collection, identity] = document
            self.put(system, collection, identity, seq, visible(moment), document)

    def put(
        self,
        system: str,
        collection: str,
        identity: str,
        seq: int,
        moment: datetime,
        body: Body | str,
        modified: datetime | None = None,
    ) -> None:
        """One version as it stands; a text is served as it is."""
        text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        stamp = iso(moment)
        self.rows.append(
            (system, collection, identity, seq, stamp, iso(modified) if modified else stamp, text)
        )

    def stray(
        self,
        system: str,
        collection: str,
        identity: str,
        moment: datetime,
        body: Body,
        text: str | None = None,
    ) -> None:
        """A document of nothing that happened; ``text`` is what is served where JSON cannot be written so."""
        self.put(system, collection, identity, 1, moment, body if text is None else text)
        self.strays.append((system, collection, body))

    def again(
        self, system: str, collection: str, identity: str, change: Callable[[Body], None] | None = None
    ) -> Body:
        """What is shown of a document, listed a second time beside it and perhaps not quite the same."""
        shown = [row for row in self.rows if row[:3] == (system, collection, identity) and row[4] <= iso(NOW)]
        body: Body = json.loads(shown[-1][6])
        if change:
            change(body)
        text = json.dumps(body, separators=(",", ":"))
        self.rows.append((system, collection, f"{identity}~", 1, *shown[-1][4:6], text))
        self.strays.append((system, collection, body))
        return body

    def edit(self, system: str, collection: str, identity: str, change: Callable[[Body], None]) -> None:
        """Change every version of one document, as it is served and as it is counted."""
        for place, row in enumerate(self.rows):
            if row[:3] == (system, collection, identity):
                body = json.loads(row[6])
                change(body)
                self.rows[place] = (*row[:6], json.dumps(body, separators=(",", ":")))
                self.current[system, collection, identity] = body

    def write(self, path: Path, meta: dict[str, str]) -> None:
        """Everything in one transaction, then moved into place: a world is complete or absent."""
        draft = path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        with sqlite3.connect(draft) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.executescript(_TABLES)
            self.rows.sort(key=lambda row: row[:4])
            connection.executemany("INSERT INTO documents VALUES (?,?,?,?,?,?,?)", self.rows)
            connection.executemany(
                "INSERT INTO files VALUES (?,?,?)", [(i, *f) for i, f in self.files.items()]
            )
            connection.executemany("INSERT INTO meta VALUES (?,?)", list(meta.items()))
        connection.close()
        draft.replace(path)
