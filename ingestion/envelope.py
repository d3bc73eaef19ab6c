"""The envelope: what every accepted row gets beside its contract's fields before it is landed."""

from __future__ import annotations

import pyarrow as pa

from contracts.arrow import schema_of
from contracts.base import Contract, Envelope
from contracts.resources import Resource
from core.clock import utc_now
from ingestion.border import Accepted
from ingestion.bulk import Plain
from ingestion.sorting import Sorted

_TRACE_LENGTH = 32


def enveloped(own: Resource, connection: str, run_id: str, outcome: Sorted) -> pa.Table:
    """All accepted rows with their envelopes, in the contract's own types."""
    same: dict[str, object] = {
        "source_system": connection,
        "ingested_at": utc_now(),
        "run_id": run_id,
        "contract_version": own.contract.version,
    }
    schema = schema_of(Envelope, own.contract)
    parts = [_as_plain(own.contract, outcome.accepted), *outcome.plain]
    return pa.concat_tables([_table(each, schema, same) for each in parts])


def _as_plain(contract: type[Contract], rows: list[Accepted]) -> Plain:
    """Rows judged one by one, as columns."""
    schema = schema_of(contract)
    columns = [pa.array([row.fields[each.name] for row in rows], each.type) for each in schema]
    return Plain(
        pa.Table.from_arrays(columns, schema=schema),
        [row.source_id for row in rows],
        [row.version for row in rows],
        [row.row_hash for row in rows],
        [row.record.raw for row in rows],
    )


def _table(rows: Plain, schema: pa.Schema, same: dict[str, object]) -> pa.Table:
    own: dict[str, list[object]] = {
        "source_id": [*rows.source_ids],
        "source_version": [*rows.versions],
        "trace_id": [each[:_TRACE_LENGTH] for each in rows.row_hashes],
        "row_hash": [*rows.row_hashes],
    }
    columns: list[pa.Array | pa.ChunkedArray] = []
    for each in schema:
        if each.name in same:
            columns.append(pa.repeat(pa.scalar(same[each.name], each.type), rows.table.num_rows))
        elif each.name in own:
            columns.append(pa.array(own[each.name], each.type))
        else:
            columns.append(rows.table[each.name])
    return pa.Table.from_arrays(columns, schema=schema)
