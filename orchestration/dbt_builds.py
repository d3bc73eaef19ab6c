"""What a run of dbt may go on from: the last complete build, when its definitions were today's.

Belongs here: telling definitions apart, and reading and forgetting what the models of ``changes`` wrote down. What a
run then builds is said by those models.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from core.settings import ROOT, Settings
from core.warehouse import open_warehouse

_PROJECT = ROOT / "dbt_project"
_SUFFIXES = frozenset({".sql", ".yml", ".csv"})


def definitions(go_live_at: datetime | None) -> str:
    """A text that differs when any model, macro, seed or setting does: rows of two definitions do not mix."""
    newest = max(path.stat().st_mtime_ns for path in _files())
    return hashlib.sha256(f"{_digest(newest)}|{go_live_at}".encode()).hexdigest()


def builds_on(settings: Settings, of: str, as_of: datetime) -> datetime | None:
    """The instant of the complete build by the definitions ``of`` that a run for ``as_of`` may go on from; None when
    there is none, or when it is of a later instant, and everything has to be built."""
    if not settings.warehouse.exists():
        return None
    with open_warehouse(settings, "last build") as warehouse:
        there = warehouse.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'changes' AND table_name = 'builds'"
        ).fetchone()
        if not there or not there[0]:
            return None
        row = warehouse.execute("SELECT as_of, definitions FROM changes.builds").fetchone()
    if row is None or row[1] != of or row[0] > as_of:
        return None
    built: datetime = row[0]
    return built


def forget_builds(settings: Settings) -> None:
    """Make the next run build everything; what it builds it from stays."""
    with open_warehouse(settings, "forget builds") as warehouse:
        warehouse.execute("DROP TABLE IF EXISTS changes.builds")
        warehouse.execute("CHECKPOINT")


def _files() -> list[Path]:
    return sorted(
        path for path in _PROJECT.rglob("*") if path.suffix in _SUFFIXES and "target" not in path.parts
    )


@lru_cache(maxsize=2)
def _digest(newest: int) -> str:
    digest = hashlib.sha256()
    for path in _files():
        digest.update(path.relative_to(_PROJECT).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
