"""What the warehouse knows already: versions, hashes and parents, asked for one batch at a time.

Known is what a completed load vouches for, as for the models: the rows of a load that died count nowhere, and whoever
took them for known would never load them again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from datetime import datetime

import duckdb
import pyarrow as pa

from contracts.arrow import INSTANT
from contracts.resources import Parent, Resource
from core.settings import Settings
from core.warehouse import open_warehouse

Version = tuple[str, datetime]


def known_hashes(
    settings: Settings, resource: Resource, connection: str, versions: Sequence[Version]
) -> dict[Version, str]:
    """``(source_id, source_version)`` → row hash, for those of the given versions that are loaded."""
    if not versions:
        return {}
    asked = pa.table(
        {
            "source_id": pa.array([each[0] for each in versions], pa.string()),
            "source_version": pa.array([each[1] for each in versions], INSTANT),
        }
    )
    with open_warehouse(settings, f"look up {resource.dataset}.{resource.name}") as warehouse:
        warehouse.register("asked", asked)
        found = warehouse.execute(
            f"SELECT source_id, source_version, row_hash FROM {resource.dataset}.{resource.name} "
            f"JOIN asked USING (source_id, source_version) WHERE source_system = ? AND {_completed(resource.dataset)}",
            [connection],
        ).to_arrow_table()
    return {(row["source_id"], row["source_version"]): row["row_hash"] for row in found.to_pylist()}


def _completed(dataset: str) -> str:
    """The condition on a raw row of this dataset that its load was completed."""
    return f"_dlt_load_id IN (SELECT load_id FROM {dataset}._dlt_loads WHERE status = 0)"


class Known:
    """What one reading may ask again and again: a table that was empty when it began stays so until its end.

    A reading loads at its end only, and no other reads the same connection meanwhile.
    """

    def __init__(self, settings: Settings, resource: Resource, connection: str) -> None:
        self._settings, self._resource, self._connection = settings, resource, connection
        self._is_empty: bool | None = None

    def hashes(self, versions: Sequence[Version]) -> dict[Version, str]:
        """As ``known_hashes``, without opening the warehouse when there is nothing to find."""
        if versions and self._is_empty is None:
            self._is_empty = not self._has_rows()
        return (
            {} if self._is_empty else known_hashes(self._settings, self._resource, self._connection, versions)
        )

    def _has_rows(self) -> bool:
        table = f"{self._resource.dataset}.{self._resource.name}"
        with open_warehouse(self._settings, f"look up {table}") as warehouse:
            found = warehouse.execute(
                f"SELECT 1 FROM {table} WHERE source_system = ? AND {_completed(self._resource.dataset)} LIMIT 1",
                [self._connection],
            ).fetchone()
        return found is not None


def known_parents(
    settings: Settings, parent: Parent, named: Collection[str] | None = None
) -> set[str] | None:
    """The ids a child may name, or those of the ids ``named``; None when nothing was ever loaded there, so that nobody can
    know them."""
    table, field = f"raw_{parent.kind}.{parent.resource}", parent.parent_field
    loaded = f"FROM {table} WHERE {field} IS NOT NULL AND {_completed(f'raw_{parent.kind}')}"
    with open_warehouse(settings, f"parents in {table}") as warehouse:
        if named is None:
            found = warehouse.execute(f"SELECT DISTINCT {field} {loaded}").fetchall()
        else:
            warehouse.register("asked", pa.table({"id": pa.array(named, pa.string())}))
            found = warehouse.execute(
                f"SELECT DISTINCT {field} {loaded} AND {field} IN (SELECT id FROM asked)"
            ).fetchall()
        is_empty = not found and warehouse.execute(f"SELECT 1 {loaded} LIMIT 1").fetchone() is None
    return None if is_empty else {row[0] for row in found}


class Parents:
    """The ids that children of one reading may name; ``fresh`` are those that it accepted and that are not loaded yet.

    A page asks for its own ids: a message has few of them, and there may be millions. Who has a second page has more:
    then all are looked up, once.
    """

    def __init__(self, settings: Settings, parent: Parent, fresh: Set[str] = frozenset()) -> None:
        self._settings, self._parent, self._fresh = settings, parent, fresh
        self._pages = 0
        self._all: set[str] | None = None

    def among(self, named: Collection[str]) -> set[str] | None:
        """Those of the ids that are known; None when there are none at all, so that nobody can know them."""
        known = self._known(named)
        if known is None and not self._fresh:
            return None
        return {each for each in named if each in self._fresh or (known is not None and each in known)}

    def _known(self, named: Collection[str]) -> set[str] | None:
        self._pages += 1
        if self._pages == 1:
            return known_parents(self._settings, self._parent, named)
        if self._pages == 2:
            self._all = known_parents(self._settings, self._parent)
        return self._all


def table_exists(warehouse: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    """Whether the warehouse has a table."""
    return (
        warehouse.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?", [schema, table]
        ).fetchone()
        is not None
    )


def known_versions(settings: Settings, resource: Resource, connection: str) -> set[Version]:
    """Every ``(source_id, source_version)`` of one connection that is loaded."""
    with open_warehouse(settings, f"look up {resource.dataset}.{resource.name}") as warehouse:
        found = warehouse.execute(
            f"SELECT source_id, source_version FROM {resource.dataset}.{resource.name} "
            f"WHERE source_system = ? AND {_completed(resource.dataset)}",
            [connection],
        ).fetchall()
    return {(row[0], row[1]) for row in found}


def known_parents_of_consignments(settings: Settings, connection: str) -> dict[str, str]:
    """Each loaded consignment's parent, as its newest version has it."""
    with open_warehouse(settings, "look up raw_dispatch.consignments") as warehouse:
        found = warehouse.execute(
            "SELECT consignment_id, arg_max(coalesce(parent_id, ''), source_version) "
            "FROM raw_dispatch.consignments "
            f"WHERE source_system = ? AND {_completed('raw_dispatch')} GROUP BY consignment_id",
            [connection],
        ).fetchall()
    return {child: parent for child, parent in found if parent}
