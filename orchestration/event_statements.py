"""The SQL of a batch of events as dbt made it: the worker's first batch is built by dbt, the later ones run its statements.

Of what dbt needs for such a batch a tenth is the warehouse's; the rest is compiling the same text again. Nothing in the
text is of one batch alone: which rows are touched, and as of which instant, it reads from tables. Belongs here: taking
the statements out of what dbt has built, and running them. Which models a batch needs is said by ``event_builds``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import duckdb

from core.errors import WaybillError
from ingestion.events.giving_up import is_of_the_data
from orchestration.dbt_runner import NodeResult

_NEWS = re.compile(r'"(\w+__dbt_tmp\w*)"')
"""The temporary table in which dbt puts what it has selected, before that goes into a model's table."""


class Statements:
    """Those of every model that dbt has built, in its order: parents first."""

    def __init__(self, built: Iterable[NodeResult]) -> None:
        self._statements = [(each, _statement(each)) for each in built]

    def run(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        models: Collection[str],
        first: Callable[[], object] = lambda: None,
        *,
        is_trial: bool = False,
    ) -> list[NodeResult]:
        """Build these models, all in one transaction, after what is to be done ``first`` in it; each one's result. Of a
        trial nothing stays. WaybillError when one of them fails: ``ModelFailed`` when rows may be to blame."""
        results = []
        warehouse.execute("BEGIN")
        try:
            first()
            for model, sql in self._statements:
                if model.name in models:
                    results.append(_run(warehouse, model, sql))
            warehouse.execute("ROLLBACK" if is_trial else "COMMIT")
        except BaseException:
            warehouse.execute("ROLLBACK")
            raise
        return results


class ModelFailed(WaybillError):
    """A model cannot be built with the rows that there are."""


def _run(warehouse: duckdb.DuckDBPyConnection, model: NodeResult, sql: str) -> NodeResult:
    started = time.monotonic()
    try:
        warehouse.execute(sql)
    except duckdb.IOException:
        raise  # a full disk says so itself
    except duckdb.Error as error:
        failed = ModelFailed if is_of_the_data(error) else WaybillError
        raise failed(
            f"{model.unique_id} of a batch of events failed: {str(error)[:300]}",
            remedy="`waybill run` builds it and says more; the events stay where they are.",
        ) from error
    return replace(model, seconds=time.monotonic() - started)


def _statement(built: NodeResult) -> str:
    """A table is emptied and filled again, which leaves no change of the catalogue in the log; for the others dbt wrote
    down itself how the rows that it had selected go into the table."""
    assert built.compiled is not None and built.written is not None, built.unique_id
    if built.materialized == "table":
        table = f'"{built.schema}"."{built.name}"'
        return f"DELETE FROM {table}; INSERT INTO {table} BY NAME ({built.compiled}\n)"
    into = built.written.read_text(encoding="utf-8")
    (news,) = set(_NEWS.findall(into))
    return f'CREATE TEMP TABLE "{news}" AS ({built.compiled}\n); {into}; DROP TABLE "{news}"'
