"""The warehouse as the event path holds it: open from one batch to the next, while events keep coming and nobody else waits.

To open the file DuckDB reads the catalogue and everything in the log, to put the log into its place it writes every table anew
that a row came into: together as long as building the batch. Belongs here: when it is let go. What is done with it meanwhile opens
it as ever, which costs nothing while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from core.settings import Settings
from core.warehouse import MEMORY_LIMIT, is_waited_for, open_warehouse

if TYPE_CHECKING:
    import duckdb


class KeptWarehouse:
    """Of one worker, whose thread alone may use it: the lock is that thread's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = ExitStack()
        self._warehouse: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def batch(self, holder: str) -> Iterator[None]:
        """Hold it for a batch, after whoever waits for it; it stays open afterwards unless somebody waits by then, or the batch
        failed."""
        self._give_way()
        if self._warehouse is None:
            self._warehouse = self._held.enter_context(open_warehouse(self._settings, holder))
            # Once: each time DuckDB gives all memory back that it does not use at the moment.
            self._warehouse.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        try:
            yield
        except BaseException:
            self.let_go()
            raise
        self._give_way()

    def rest(self) -> None:
        """No batch follows for now: put the log into its place, which delays no invoice, and let go."""
        if self._warehouse is None:
            return
        try:
            self._give_way()
            if self._warehouse is not None:
                self._warehouse.execute("CHECKPOINT")
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close it, with the log as it is: who opens it next reads that back."""
        self._warehouse = None
        self._held.close()

    def _give_way(self) -> None:
        if self._warehouse is not None and is_waited_for(self._settings):
            self.let_go()
