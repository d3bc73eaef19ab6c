"""What was published of shipments, from the serving copy: whose they are, where they stand.

Belongs here: reading. The file is opened once and again when a run has replaced it. Without a serving copy nothing is known.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from core.errors import WaybillError
from core.settings import Settings
from core.warehouse import keep_serving


@dataclass(frozen=True)
class Owner:
    """What says whose a shipment is."""

    connections: frozenset[str]
    carrier_id: str | None
    customer_id: str | None


class Published:
    """One reader of the serving copy for all threads of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: tuple[tuple[int, int], duckdb.DuckDBPyConnection] | None = None

    def shipments(self, numbers: Collection[str]) -> dict[str, list[Owner]]:
        """Shipment number → whose it is; the same number may be used by two connections."""
        return self._owners("shipment_no", numbers)

    def orders(self, numbers: Collection[str]) -> dict[str, list[Owner]]:
        """Order number → whose its shipments are."""
        return self._owners("order_no", numbers)

    def trips(self, trips: Collection[str]) -> dict[str, list[Owner]]:
        """Trip → whose it is."""
        return self._owners_of_stops("trip_id", trips)

    def stops(self, stops: Collection[str]) -> dict[str, list[Owner]]:
        """Stop → whose it is."""
        return self._owners_of_stops("stop_id", stops)

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query; none when nothing was published."""
        with self._lock:
            connection = self._current()
            if connection is None:
                return []
            try:
                return connection.execute(sql, list(parameters)).fetchall()
            except duckdb.Error as error:
                raise WaybillError(
                    f"The serving copy does not hold what is asked for: {error}",
                    remedy="Publish it anew with `waybill run`.",
                ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._open is not None:
                self._open[1].close()
                self._open = None

    def _owners_of_stops(self, column: str, ids: Collection[str]) -> dict[str, list[Owner]]:
        found: dict[str, list[Owner]] = {}
        if not ids:
            return found
        sql = (
            f"SELECT DISTINCT {column}, source_system, carrier_id, customer_id FROM marts.fct_stops "
            f"WHERE {column} = ANY($1)"
        )
        for name, system, carrier, customer in self.rows(sql, [sorted(ids)]):
            found.setdefault(name, []).append(Owner(frozenset({system}), carrier, customer))
        return found

    def _owners(self, column: str, numbers: Collection[str]) -> dict[str, list[Owner]]:
        found: dict[str, list[Owner]] = {}
        if not numbers:
            return found
        sql = (
            f"SELECT {column}, source_system, order_connection, carrier_id, customer_id "
            f"FROM marts.fct_shipments WHERE {column} = ANY($1)"
        )
        for name, system, orders, carrier, customer in self.rows(sql, [sorted(numbers)]):
            whose = frozenset(each for each in (system, orders) if each)
            found.setdefault(name, []).append(Owner(whose, carrier, customer))
        return found

    def _current(self) -> duckdb.DuckDBPyConnection | None:
        path = self._settings.serving
        if not path.exists():
            return None
        stat = path.stat()
        stamp = (stat.st_ino, stat.st_mtime_ns)
        if self._open is None or self._open[0] != stamp:
            if self._open is not None:
                self._open[1].close()
                self._open = None
            self._open = (stamp, keep_serving(self._settings))
        return self._open[1]
