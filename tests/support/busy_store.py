"""Work on a state store whose every answer is said aloud: ``python -m tests.support.busy_store HOME [SYNCHRONOUS]``.

After each commit it writes to its standard output how many rows the ledger has: so much was acknowledged. The log is
carried into the database after a few pages already, so that a short run shows both many times.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from activation.books import Books
from activation.document import document_of, effect_of
from core.settings import Settings
from state import decisions, leases, ledger
from state.engine import open_state, reading
from state.outbox_intake import enqueue_all
from tests.simulation.world import released, row_of
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
INVOICES = 6


def main(home: str, synchronous: str | None = None) -> None:
    """Enqueue a few invoices and begin and end an attempt at each."""
    engine = open_state(Settings(home=Path(home)))

    def on_connect(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA wal_autocheckpoint = 12")
        if synchronous is not None:
            connection.execute(f"PRAGMA synchronous = {synchronous}")

    event.listen(engine, "connect", on_connect)
    engine.dispose()
    rows = [row_of(number) for number in range(INVOICES)]
    let_in(engine, "r")
    decisions.record(engine, [released(row) for row in rows])
    with engine.begin() as db:
        enqueue_all(db, [effect_of(row, document_of(row)) for row in rows], NOW)
    _say(engine)
    books = Books(engine, "worker", lambda: NOW)
    for row in leases.lease(engine, "erp", "worker", NOW, NOW + timedelta(minutes=2), INVOICES):
        (begun,) = books.begin([row])
        assert begun is not None
        _say(engine)
        books.end(begun, "UNKNOWN", {"last_error": "no answer"})
    books.flush()
    _say(engine)
    # Without closing: closing would carry everything into the database in peace.
    os._exit(0)


def _say(engine: Engine) -> None:
    with reading(engine) as db:
        os.write(1, b"ACK %d\n" % ledger.newest(db)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
