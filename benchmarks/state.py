"""The state store full of rows: ``python -m benchmarks.state --rows 1000000``.

- ``fill``: rows of the ledger and of the outbox, all waiting for a retry, written in bulk;
- ``verify``: the ledger's chain walked from its first row to its last;
- ``ready``: the outbox's rows, which are due, become READY, each with its row of the ledger;
- ``lease``: 100 times, the eight rows whose turn it is are taken by a worker.

On SQLite, or on the empty PostgreSQL database that ``WAYBILL_STATE_URL`` names. Prints a table on stderr and one JSON
document on stdout: also by how many MB the process grew while it verified. What counts are the ratios to what SHA-256 and JSON alone take for as many rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, insert

from core.clock import utc_now
from core.ids import canonical_json, sha256_hex
from core.settings import Settings
from state import leases, ledger, waiting
from state.engine import open_state
from state.tables import ledger as ledger_table
from state.tables import outbox as outbox_table
from state.tables import outbox_documents as documents_table

_BATCH = 10_000
_LEASES = 100


def main() -> int:
    """Measure one store and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        engine = open_state(Settings(home=Path(folder)))
        stages = {
            "hash alone": _timed(lambda: _hash_alone(rows)),
            "fill": _timed(lambda: _fill(engine, rows)),
        }
        before = _peak_mb()
        stages["verify"] = _timed(lambda: _verify(engine, rows))
        grown = _peak_mb() - before
        stages |= {
            "ready": _timed(lambda: _ready(engine, rows)),
            "lease": _timed(lambda: _lease(engine)),
        }
        document = {
            "database": engine.dialect.name,
            "rows": rows,
            "cores": os.cpu_count(),
            "wall_s": stages,
            "verify_grows_mb": grown,
            "ratios": {"verify ÷ hash alone": round(stages["verify"] / stages["hash alone"], 2)},
        }
        engine.dispose()
    _show(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0


def _timed(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 3)


def _hash_alone(rows: int) -> None:
    row: list[Any] = [
        1,
        utc_now().isoformat(),
        "enqueued",
        "push",
        "k" * 64,
        canonical_json({"n": 1}).decode(),
    ]
    for _ in range(rows):
        sha256_hex(ledger.GENESIS.encode() + canonical_json(row))


def _fill(engine: Engine, rows: int) -> None:
    now = utc_now()
    with engine.begin() as db:
        for table, made in (
            (ledger_table, _ledger_rows(rows, now)),
            (documents_table, _documents(rows)),
            (outbox_table, _outbox_rows(rows, now)),
        ):
            while some := list(islice(made, _BATCH)):
                db.execute(insert(table), some)


def _ledger_rows(rows: int, now: datetime) -> Iterator[dict[str, Any]]:
    previous = ledger.GENESIS
    for sequence in range(1, rows + 1):
        said = {
            "event": "enqueued",
            "actor": "push",
            "subject": f"{sequence:064d}",
            "detail": {"n": sequence},
        }
        row_hash = ledger.hash_of(previous, sequence, now, **said)
        yield {
            "sequence": sequence,
            "recorded_at": now,
            **said,
            "previous_hash": previous,
            "row_hash": row_hash,
        }
        previous = row_hash


def _documents(rows: int) -> Iterator[dict[str, Any]]:
    for number in range(rows):
        yield {"idempotency_key": f"{number:064d}", "payload_hash": "p" * 64, "payload": b"{}" * 500}


def _outbox_rows(rows: int, now: datetime) -> Iterator[dict[str, Any]]:
    same = {
        "company": "WBDE", "destination": "erp", "operation": "invoice", "revision": 1, "decision_id": "d",
        "payload_hash": "p" * 64, "content_hash": "c" * 64, "input_hash": "i" * 64, "amount": "1.10",
        "currency": "EUR", "state": "RETRY_WAIT", "fencing_token": 0, "attempt_count": 0, "may_exist": False,
        "enqueued_at": now, "updated_at": now,
    }  # fmt: skip
    for number in range(rows):
        yield {
            **same,
            "idempotency_key": f"{number:064d}",
            "business_id": f"{number}",
            "shipment_no": f"{number}",
        }


def _verify(engine: Engine, rows: int) -> None:
    found = ledger.verify(engine)
    if (found.rows, found.problem) != (rows, None):
        raise SystemExit(f"the ledger was not verified: {found}")


def _ready(engine: Engine, rows: int) -> None:
    made, part = 0, rows
    while part:
        with engine.begin() as db:
            part = waiting.make_ready(db, "erp", utc_now(), rows)
        made += part
    if made != rows:
        raise SystemExit(f"{made} rows of {rows} became ready")


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _lease(engine: Engine) -> None:
    now = utc_now()
    for _ in range(_LEASES):
        leases.lease(engine, "erp", "worker", now, now + timedelta(minutes=2), 8)


def _show(document: dict[str, Any]) -> None:
    table = Table(title=f"{document['rows']:,} rows in {document['database']}")
    for name in ("stage", "wall s"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, wall in document["wall_s"].items():
        table.add_row(name, f"{wall:.2f}")
    for name, ratio in document["ratios"].items():
        table.add_row(name, f"{ratio:.2f}")
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
