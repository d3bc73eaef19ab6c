"""Processes that read a small dispatch system and are killed in the middle of it.

Belongs here: the system's rows, where a process may die, and starting it. What has to hold afterwards is the tests'.
Each process is forked from one that has imported everything, and dies by SIGKILL: nothing of its own is run after it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from core import connections
from core.settings import Settings
from state.engine import open_state

EXTRACT: dict[str, tuple[str, int]] = {
    "landing the second batch": ("ingestion.run.land", 2),
    "handing the second batch to dlt": ("ingestion.load.read", 2),
}
NORMALIZE: dict[str, tuple[str, int]] = {
    "at its begin": ("dlt.normalize.normalize.Normalize.spool_schema_files", 1),
    "written, not yet committed": ("dlt.common.storages.load_storage.LoadStorage.commit_new_load_package", 1),
}
LOAD: dict[str, tuple[str, int]] = {
    "before its third job": ("dlt.load.load.Load.w_run_job", 3),
    "between the staged rows and the merge": ("dlt.load.load.Load.create_followup_jobs", 2),
    "merged, the warehouse still open": (
        "dlt.destinations.impl.duckdb.sql_client.DuckDbSqlClient.close_connection",
        6,
    ),
    "merged, not yet said to be": ("dlt.load.load.Load.complete_package", 1),
    "done, not yet written into the file": ("ingestion.load.checkpoint", 1),
}
"""By step of dlt: place → the function at the begin of whose n-th call the process dies."""
_TOKEN = "DEATHS_TOKEN"


def dispatch(url: str) -> connections.Connection:
    """The connection that is read."""
    os.environ[_TOKEN] = "hush"
    return connections.Connection(
        connection="fleet", kind="dispatch", adapter="otm5", owner="tests", base_url=url, secrets={"token": _TOKEN}
    )  # fmt: skip


def consignment(number: int, day: int = 12, status: str = "accepted") -> dict[str, Any]:
    """A parent with two children, as it was changed on a day of November."""
    lines = [
        {"id": f"G-{number}-{line}", "quantity": line, "externalAttributes": {"orderLineId": f"L-{number}-{line}", "itemCode": "I", "uom": "pcs"}}
        for line in (1, 2)
    ]  # fmt: skip
    goods = [{"associationType": "inline", "entity": {"entityType": "goods", **each}} for each in lines]
    own = {"orderId": f"O-{number}"}
    when = f"2026-11-{day:02}T09:00:00Z"
    return {
        "id": f"C-{number}",
        "lastModified": when,
        "status": status,
        "goods": goods,
        "externalAttributes": own,
    }


def ended(target: Callable[..., None], *arguments: Any) -> int:
    """Run a function in a process of its own to its end; the exit code, negative when a signal ended it."""
    process = _context().Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def read_whole(home: Path, url: str, run_id: str) -> None:
    """One reading that nothing disturbs."""
    from ingestion.run import ensure_warehouse, ingest

    settings = Settings(home=home)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    ingest(settings, engine, dispatch(url), run_id)


def read_and_die(home: Path, url: str, place: str) -> None:
    """The same, in a process of its own, that gets no further than a place."""
    _die_at(*(EXTRACT | NORMALIZE | LOAD)[place])
    read_whole(home, url, "killed")


def read_in_company_and_die(home: Path, url: str) -> None:
    """The same at the end of all, while the process has the warehouse open elsewhere, as a worker has: then it is not dlt's
    leaving that writes the log into the file."""
    import duckdb

    company = duckdb.connect(str(Settings(home=home).warehouse))
    company.execute("SELECT 1")
    read_and_die(home, url, "done, not yet written into the file")


def change_for_ever(home: Path, said: Connection) -> None:
    """Commits and DDL as loads and builds make them, one after the other; says the number of each that is committed."""
    from core.warehouse import open_warehouse

    settings = Settings(home=home)
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("CREATE TABLE IF NOT EXISTS main.turns (turn BIGINT)")
        for turn in count(1):
            warehouse.execute("BEGIN")
            warehouse.execute("CREATE TEMP TABLE IF NOT EXISTS lines AS FROM raw_dispatch.consignment_lines")
            warehouse.execute("DELETE FROM raw_dispatch.consignment_lines")
            warehouse.execute("INSERT INTO raw_dispatch.consignment_lines FROM lines")
            warehouse.execute("INSERT INTO main.turns VALUES (?)", [turn])
            warehouse.execute("COMMIT")
            said.send(turn)
            warehouse.execute(f"CREATE OR REPLACE TABLE main.built AS SELECT range, {turn} FROM range(20000)")
            warehouse.execute(f"ALTER TABLE main.built ADD COLUMN more_{turn} BIGINT DEFAULT {turn}")
            warehouse.execute("CREATE OR REPLACE VIEW main.seen AS SELECT * FROM main.built")
            if turn % 4 == 0:
                warehouse.execute("CHECKPOINT")


def leave_an_unreadable_log(home: Path) -> None:
    """Die after DDL that DuckDB writes into its log and cannot read back."""
    from core.warehouse import open_warehouse

    with open_warehouse(Settings(home=home), "test") as warehouse:
        warehouse.execute("CREATE TABLE main.built AS SELECT range FROM range(10)")
        warehouse.execute("ALTER TABLE main.built ADD COLUMN made_at TIMESTAMPTZ DEFAULT now()")
        kill_self()


def make_sure_of_it(home: Path) -> None:
    """What every run begins with."""
    from ingestion.run import ensure_warehouse

    settings = Settings(home=home)
    ensure_warehouse(settings, open_state(settings))


def killed_after(home: Path, turns: int) -> int:
    """Let a process change the warehouse and kill it once it has said so many turns; the last that it said."""
    receiver, sender = _context().Pipe(duplex=False)
    process = _context().Process(target=change_for_ever, args=(home, sender))
    process.start()
    sender.close()
    last = 0
    while last < turns:
        last = receiver.recv()
    process.kill()
    with suppress(EOFError):
        while True:
            last = receiver.recv()
    process.join()
    return last


def kill_self() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def _die_at(name: str, nth: int) -> None:
    import pkgutil

    owner_name, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    real, calls = getattr(owner, attribute), 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth:
            kill_self()
        return real(*arguments, **named)

    setattr(owner, attribute, dying)


@lru_cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.support.deaths", "ingestion.run", "dlt", "ingestion.dispatch.otm5"]
    )
    return context
