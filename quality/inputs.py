"""What a batch was judged on, as text: exact, complete, and read back as the very tables that were judged.

A decision's line names it and holds every row of its key, candidate and facts side by side: decimals, instants and days as
text, what is unknown as null. Belongs here: writing lines and reading them. Keeping them is ``state.gate_inputs``, judging
them again ``replay``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import duckdb
import pyarrow as pa

from quality import facts as looked_up
from quality.context import Key
from quality.intake import OWN, SCHEMA
from quality.memory import in_memory
from state.decisions import Decision

_PART = 2_000
"""Decisions whose lines are made at once."""
ROW_NO = "row_no"
_NOT_KEPT = frozenset({ROW_NO})


class Unreadable(Exception):
    """A kept line does not say what a row of the frame is."""


@dataclass(frozen=True)
class BatchInputs:
    """Candidates and facts as they were judged, row by row. ``not_run``: why checks of this batch were not made, if so."""

    candidates: pa.Table
    facts: pa.Table
    operation: str
    not_run: str

    def lines(self, decisions: Sequence[Decision]) -> Iterator[str]:
        """One line for each decision on a candidate of this batch, in their order."""
        kept = [name for name in OWN[self.operation].names if name not in _NOT_KEPT]
        table = self.candidates.select(kept)
        for name in _of_facts():
            table = table.append_column(self.facts.schema.field(name), self.facts.column(name))
        rows = _rows_of(table)
        rest = iter(decisions)
        told = f'"not_run":{json.dumps(self.not_run)},' if self.not_run else ""
        with in_memory() as memory:
            while some := list(islice(rest, _PART)):
                own = [rows[each.key] for each in some]
                texts = iter(_texts(memory, table.take(pa.array(chain.from_iterable(own), pa.int64()))))
                for decision, numbers in zip(some, own, strict=True):
                    listed = ",".join(islice(texts, len(numbers)))
                    yield f'{{"decision_id":"{decision.decision_id}",{told}"rows":[{listed}]}}'


def read(lines: Sequence[str], operation: str) -> tuple[pa.Table, pa.Table]:
    """Candidates and facts of kept lines, as the tables that were judged; Unreadable when a value is none of its column.

    A column that was not kept, because there was none then, is unknown.
    """
    own = [field for field in OWN[operation] if field.name not in _NOT_KEPT]
    wanted = [*own, *(looked_up.SCHEMA.field(name) for name in _of_facts())]
    form = json.dumps([{field.name: "VARCHAR" for field in wanted}])
    columns = ", ".join(f'CAST(kept."{each.name}" AS {_type(each.type)}) AS "{each.name}"' for each in wanted)
    with in_memory() as memory:
        memory.register("lines", pa.table({"line": pa.array(lines, pa.string())}))
        try:
            found = memory.execute(
                f"SELECT {columns} FROM (SELECT unnest(from_json(line->'rows', '{form}')) AS kept FROM lines)"
            ).to_arrow_table()
        except duckdb.Error as error:
            raise Unreadable(" ".join(str(error).split())) from error
    numbers = pa.array(range(found.num_rows), pa.int64())
    candidates = [
        found.column(field.name).cast(field.type).combine_chunks()
        if field.name in found.column_names
        else pa.nulls(found.num_rows, field.type)
        for field in SCHEMA
    ]
    return (
        pa.table([*candidates, numbers], names=[*SCHEMA.names, ROW_NO]),
        pa.table(
            [
                numbers if field.name == ROW_NO else found.column(field.name).cast(field.type)
                for field in looked_up.SCHEMA
            ],
            schema=looked_up.SCHEMA,
        ),
    )


def _of_facts() -> list[str]:
    return [name for name in looked_up.SCHEMA.names if name not in _NOT_KEPT]


def _rows_of(table: pa.Table) -> dict[Key, list[int]]:
    """Key → its rows, of which there are several when a batch names a candidate twice."""
    found: dict[Key, list[int]] = defaultdict(list)
    keys = zip(table.column("business_id").to_pylist(), table.column("revision").to_pylist(), strict=True)
    for number, key in enumerate(keys):
        found[key].append(number)
    return found


def _texts(memory: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[str]:
    """Each row as one JSON object."""
    memory.register("rows", rows)
    fields = ", ".join(f'"{field.name}" := {_as_text(field)}' for field in rows.schema)
    told = memory.execute(f"SELECT to_json(struct_pack({fields}))::VARCHAR AS told FROM rows")
    texts: list[str] = told.to_arrow_table().column("told").to_pylist()
    return texts


def _as_text(field: pa.Field) -> str:
    """A JSON number is a binary one: what is exact is told as text."""
    exact = (pa.types.is_decimal, pa.types.is_timestamp, pa.types.is_date)
    return f'"{field.name}"::VARCHAR' if any(each(field.type) for each in exact) else f'"{field.name}"'


def _type(of: pa.DataType) -> str:
    """The type of a column in DuckDB's words."""
    if pa.types.is_decimal(of):
        return f"DECIMAL({of.precision}, {of.scale})"
    if pa.types.is_timestamp(of):
        return "TIMESTAMPTZ"
    if pa.types.is_date(of):
        return "DATE"
    if pa.types.is_boolean(of):
        return "BOOLEAN"
    if pa.types.is_floating(of):
        return "DOUBLE"
    return "BIGINT" if pa.types.is_integer(of) else "VARCHAR"
