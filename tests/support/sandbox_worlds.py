"""Many seeded worlds of the sandbox, each read over HTTP, built, judged, posted to and measured by the platform's own code.

Belongs here: what makes one more world cheap. The servers are threads of this process; rows go from landing into the raw
tables without dlt, the state's projections likewise; dbt compiles once, because the models' SQL is the same for every world
of one instant. What is left out so (dlt, dbt's own run, Dagster) is held by the tests of the demo.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import uvicorn

from core.flows import FLOWS
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.landing import Batch
from ingestion.ledger import project_gate, project_ledger
from ingestion.run import ensure_raw_tables, ingest
from ingestion.withdrawn import read as read_batch
from orchestration.platform import Platform
from orchestration.push_assets import push_released
from quality.gate import gate
from sandbox.clock import WorldClock
from sandbox.servers import store
from sandbox.servers.access import DEFAULTS
from sandbox.servers.process import SYSTEMS, outside
from sandbox.world.moments import GO_LIVE, NOW, iso
from sandbox.world.writing import Made, lay_out
from tests.support.warehouse import run_dbt

CONNECTIONS = Path(__file__).resolve().parents[2] / "connections" / "sandbox"
KINDS = ("erp", "dispatch", "telematics", "pod", "wms", "tms", "crm", "carrier", "maintenance")
"""What names others comes after them."""

TAGS = ("before_gate", "outbound", "after_push")
AS_OF = NOW + timedelta(minutes=10)
"""After everything that is posted here, and within the half hour in which no world has news."""

_LOAD = "1700000000.0"
_RUN = "run_of_one_world"


@dataclass(frozen=True)
class Script:
    """An empty warehouse with its seeds, and what builds the models of each tag on top of raw tables."""

    template: Path
    statements: Mapping[str, Sequence[str]]


class PlainLoader:
    """In the place of ``ingestion.load.Loader``: landed rows into their raw tables, each of which the border has let in once."""

    def __init__(self, settings: Settings, _connection: str, kind: str) -> None:
        self._settings, self._kind = settings, kind

    def cursors(self) -> dict[str, str]:
        return {}

    def load(self, batches: Sequence[Batch]) -> None:
        with open_warehouse(self._settings, "load") as warehouse:
            for number, batch in enumerate(batches):
                _insert(
                    warehouse,
                    f"raw_{self._kind}",
                    batch.resource,
                    read_batch(batch),
                    f"{batch.connection} {number}",
                )


def replace_plainly(settings: Settings, dataset: str, tables: Mapping[str, pa.Table]) -> None:
    """In the place of ``ingestion.load.replace_tables``."""
    with open_warehouse(settings, "project") as warehouse:
        for name, table in tables.items():
            warehouse.execute(f'DELETE FROM {dataset}."{name}"')
            _insert(warehouse, dataset, name, table, "state")


def _insert(warehouse: duckdb.DuckDBPyConnection, dataset: str, name: str, rows: pa.Table, mark: str) -> None:
    warehouse.register("came", rows)
    warehouse.execute(
        f"INSERT INTO {dataset}.\"{name}\" BY NAME SELECT *, '{_LOAD}' AS _dlt_load_id, "
        f"'{mark} ' || row_number() OVER () AS _dlt_id FROM came"
    )
    warehouse.unregister("came")


def empty_warehouse(settings: Settings) -> None:
    """Raw tables, and the one load that ``PlainLoader`` loads everything by."""
    ensure_raw_tables(settings)
    with open_warehouse(settings, "loads") as warehouse:
        for (dataset,) in warehouse.execute(
            "SELECT schema_name FROM duckdb_tables() WHERE table_name = '_dlt_loads'"
        ).fetchall():
            warehouse.execute(
                f"INSERT INTO {dataset}._dlt_loads BY NAME SELECT '{_LOAD}' AS load_id, 0 AS status, now() AS inserted_at"
            )


def script(folder: Path) -> Script:
    """Everything that is the same for every world, made once."""
    template = Settings(home=folder)
    empty_warehouse(template)
    assert run_dbt(template.warehouse, "seed").success
    compiled = run_dbt(
        template.warehouse, "compile", "--select", *(f"tag:{tag}" for tag in TAGS),
        as_of=AS_OF.isoformat(), go_live_at=GO_LIVE.isoformat(),
    )  # fmt: skip
    assert compiled.success, compiled.exception
    models = [each.node for each in compiled.result if each.node.resource_type == "model"]
    return Script(
        template.warehouse, {tag: [_statement(each) for each in models if tag in each.tags] for tag in TAGS}
    )


def _statement(model: Any) -> str:
    kind = "VIEW" if model.config.materialized == "view" else "TABLE"
    return f'CREATE SCHEMA IF NOT EXISTS "{model.schema}"; CREATE {kind} "{model.schema}"."{model.alias}" AS {model.compiled_code}'


def play(script: Script, made: Made, home: Path, seed: int, orders: int) -> Path:
    """One world from its first document to its last number; the warehouse with all of it."""
    path = store.world_file(home)
    path.parent.mkdir(parents=True)
    lay_out(made, path, seed, orders)
    store.prepare(path)
    shutil.copy(script.template, home / "warehouse.duckdb")
    settings = Settings(home=home, connections=CONNECTIONS)
    with servers(path) as urls, environment(urls, path.parent / "drop"):
        platform = Platform(settings)
        # Open throughout, without the lock: who opens it meanwhile, in any thread of this process, has it at once.
        with duckdb.connect(str(settings.warehouse)) as warehouse:
            warehouse.execute("SET TimeZone = 'UTC'; SET threads = 1")
            _through(platform, warehouse, script)
        platform.engine.dispose()
    return settings.warehouse


def _through(platform: Platform, warehouse: duckdb.DuckDBPyConnection, script: Script) -> None:
    settings, engine = platform.settings, platform.engine
    for kind in KINDS:
        for connection in platform.of_kind(kind):
            ingest(settings, engine, connection, _RUN)
    _build(warehouse, script, "before_gate")
    for flow in FLOWS:
        gate(settings, engine, platform.connections, _RUN, flow)
    project_gate(settings, engine)
    _build(warehouse, script, "outbound")
    push_released(platform)
    project_ledger(settings, engine)
    _build(warehouse, script, "after_push")


def _build(warehouse: duckdb.DuckDBPyConnection, script: Script, tag: str) -> None:
    for statement in script.statements[tag]:
        warehouse.execute(statement)


@contextmanager
def servers(path: Path) -> Iterator[dict[str, str]]:
    """The seven systems of a world, each on a free port."""
    clock = WorldClock(NOW, time.monotonic())
    urls, running = {}, []
    for system in SYSTEMS:
        listener = socket.create_server(("127.0.0.1", 0))
        urls[system] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            outside(system, path, clock), loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False,
            date_header=False, server_header=False, timeout_graceful_shutdown=1, h11_max_incomplete_event_size=1 << 20,
            http="h11",
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
    try:
        yield urls
    finally:
        for server, _ in running:
            server.should_exit = True
        for _, thread in running:
            thread.join()


@contextmanager
def environment(urls: Mapping[str, str], drop: Path) -> Iterator[None]:
    """What the connections of the sandbox read, while the block runs."""
    given = {f"SANDBOX_{system.upper()}_URL": url for system, url in urls.items()}
    given |= {
        "SANDBOX_GO_LIVE_AT": iso(GO_LIVE),
        "SANDBOX_NOW": iso(NOW),
        "SANDBOX_DROP": str(drop),
        **DEFAULTS,
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
