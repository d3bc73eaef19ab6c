"""From an accepted proof to the invoice in the ERP: ``python -m benchmarks.events --shipments 100000 --proofs 150 --rate 5``.

A home with the sandbox's world and, beside it, a year of ``--shipments`` that are billed already; API, worker and ERP are
processes of their own. Orders, routes and departures of ``--proofs`` lorries come in first; then their proofs are sent to the
API, so many a second, each over HTTP with its documents uploaded before. What is timed is Waybill's own: from the receipt of
the proof (``inbox.received_at``) to the invoice as read back from the ERP (``receipts.read_back_at``), by one clock.

With ``--beside-runs`` a process of its own does meanwhile what the schedule does every hour, one run after the other from
the first proof to the last invoice: it holds the warehouse and the second core, and the worker gets its turns.

Prints a histogram on stderr and one JSON document on stdout. Nothing is left out: what has no invoice at the end counts as lost.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select

from benchmarks.big_world import fill
from benchmarks.runs_beside import runs_beside
from cli.live import POD, Delivery, clients, send_proof, upload_documents
from cli.services import Children, answers, services, wait_until
from core.settings import Settings, get_settings
from core.warehouse import open_warehouse
from state import inbox
from state.engine import open_state, reading
from state.observations import business_now
from state.tables import receipts
from state.tables_of_messages import inbox as messages
from tests.support.departures import depart
from tests.support.sandbox import running_sandbox

_BUCKETS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60)
_PATIENCE_S = 600.0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shipments", type=int, default=100_000)
    parser.add_argument("--proofs", type=int, default=150)
    parser.add_argument("--rate", type=float, default=5.0, help="proofs a second")
    parser.add_argument("--beside-runs", action="store_true", help="while scheduled runs are going on")
    parser.add_argument("--port", type=int, default=8690)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with running_sandbox(home, orders=120) as outside:
            os.environ.update(outside.env | {"WAYBILL_HOME": str(home)})
            document = _measure(get_settings(), given)
    _show(document)
    print(json.dumps(document, indent=2))
    return 0 if not document["lost"] else 1


def _measure(settings: Settings, given: argparse.Namespace) -> dict[str, Any]:
    from orchestration.run import run_once

    run_once(settings)
    built_s = _add_year(settings, given.shipments) if given.shipments else None
    engine, url = open_state(settings), f"http://127.0.0.1:{given.port}"
    commands = {
        "api": [sys.executable, "-m", "api", "--port", str(given.port)],
        "worker": [sys.executable, "-m", "orchestration.worker"],
    }
    with services(settings, commands) as children:
        wait_until(children, "The API", lambda: answers(f"{url}/healthz"), _PATIENCE_S)
        wait_until(children, "The worker", settings.worker_note.exists, _PATIENCE_S)
        deliveries = depart(settings, engine, given.proofs)
        _wait(children, "The departures", lambda: not inbox.waiting(engine))
        with runs_beside(settings, wanted=given.beside_runs) as runs:
            sent_s = _prove(settings, engine, url, deliveries, given.rate)
            _wait(children, "The invoices", lambda: len(_seconds(engine, deliveries)) == len(deliveries))
        found = _seconds(engine, deliveries)
    return {
        "shipments": given.shipments, "full_build_s": built_s, "proofs": given.proofs, "rate": given.rate,
        "sent_in_s": round(sent_s, 1), "runs_beside": runs, "cores": os.cpu_count(), "lost": len(deliveries) - len(found),
        "seconds": _summary(found), "histogram": _histogram(found),
    }  # fmt: skip


def _add_year(settings: Settings, shipments: int) -> float:
    """A year that is over beside the sandbox's world, and a complete build of both; its seconds."""
    from orchestration.dbt_assets import run_variables
    from orchestration.dbt_runner import rebuild
    from orchestration.platform import Platform

    year = settings.root / "year.duckdb"
    fill(year, shipments)
    with open_warehouse(settings, "add a year") as warehouse:
        warehouse.execute(f"ATTACH '{year}' AS year (READ_ONLY)")
        for schema, table in warehouse.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'year'"
        ).fetchall():
            # dlt also says when a load was done.
            more = ", now() AS inserted_at" if table == "_dlt_loads" else ""
            warehouse.execute(
                f'INSERT INTO {schema}."{table}" BY NAME SELECT *{more} FROM year.{schema}."{table}"'
            )
        warehouse.execute("DETACH year")
        # Nothing was published before the year was there: its numbers are first ones and no corrections.
        for table in ("intermediate.int_kpi_published", "marts.kpi_restatements"):
            warehouse.execute(f"DROP TABLE {table}")
        warehouse.execute("CHECKPOINT")
    year.unlink()
    started = time.monotonic()
    bad = rebuild(settings, run_variables(Platform(settings)) | {"builds_on": None})
    if bad:
        raise RuntimeError(f"the year was not built: {bad[0].unique_id}: {bad[0].message[:300]}")
    return round(time.monotonic() - started, 1)


def _prove(
    settings: Settings, engine: Engine, url: str, deliveries: Sequence[Delivery], rate: float
) -> float:
    """Send the proofs, evenly; how long that took, in seconds."""
    with clients(settings, engine, url) as (_, pod):
        documents = [upload_documents(pod, each) for each in deliveries]
        started = time.monotonic()
        for number, (each, its) in enumerate(zip(deliveries, documents, strict=True)):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            send_proof(pod, each, its, business_now(engine) - timedelta(seconds=5))
        return time.monotonic() - started


def _seconds(engine: Engine, deliveries: Sequence[Delivery]) -> list[float]:
    """From receipt to read-back, of those that are there."""
    proofs = {f"proof_of_delivery:{each.pod_id}": each.shipment_no for each in deliveries}
    with reading(engine) as db:
        came = {
            proofs[row.event_id]: row.received_at
            for row in db.execute(
                select(messages.c.event_id, messages.c.received_at).where(messages.c.partner == POD)
            )
            if row.event_id in proofs
        }
        there = db.execute(
            select(receipts.c.shipment_no, receipts.c.read_back_at).where(receipts.c.total_quantity.is_(None))
        ).all()
    return sorted((at - came[shipment]).total_seconds() for shipment, at in there if shipment in came)


def _wait(children: Children, what: str, is_there: Callable[[], bool]) -> None:
    wait_until(children, what, is_there, _PATIENCE_S)


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    if len(seconds) < 2:
        return {}
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "max": round(seconds[-1], 2)}


def _histogram(seconds: Sequence[float]) -> dict[str, int]:
    found: dict[str, int] = {}
    below = 0.0
    for bound in _BUCKETS:
        found[f"<= {bound} s"] = sum(below < each <= bound for each in seconds)
        below = bound
    found["more"] = sum(each > below for each in seconds)
    return found


def _show(document: dict[str, Any]) -> None:
    table = Table(
        title=f"{document['proofs']} proofs, {document['rate']:g} a second, beside {document['shipments']:,} shipments"
    )
    for column in ("from proof to invoice", "proofs", ""):
        table.add_column(column)
    most = max(document["histogram"].values()) or 1
    for bucket, count in document["histogram"].items():
        table.add_row(bucket, str(count), "█" * round(40 * count / most))
    console = Console(stderr=True)
    console.print(table)
    beside = (
        f"beside scheduled runs of {document['runs_beside']} s"
        if document["runs_beside"]
        else "no run beside"
    )
    console.print(f"{document['seconds']}, lost {document['lost']}, {beside}")


if __name__ == "__main__":
    sys.exit(main())
