"""What was given up at every stage, as rows of one shape: refused rows, effects that the push gave up, blocked invoices.

Each stage has its own life cycle; a row names the command that decides about it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.flows import FLOWS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from state.dead_letters import Wanted

SHOWN = ("id", "stage", "status", "connection", "resource", "source id", "reason", "detail", "age")
"""What of a row stands in a table; a document has all of it."""
_COLUMNS = (
    *("stage", "id", "status", "connection", "resource", "source id", "reason", "detail", "received", "age"),
    "decide with",
)
Row = dict[str, Any]
_SHORT = 12
"""Characters of an id that a command takes for it."""
_DECIDE = {
    "open": "waybill dead-letter fix | replay | discard",
    "parked": "nothing: it waits for its parent",
    "replaying": "waybill dead-letter replay",
}


def ingestion_rows(engine: Engine, which: Wanted, now: datetime) -> list[Row]:
    """Letters of rows that came in."""
    from state.dead_letters import wanted

    return [
        _row(
            *("ingestion", each.dead_letter_id, each.status, each.connection, each.resource, each.source_id),
            *(each.reason, each.detail, each.received_at, now, _DECIDE.get(each.status)),
        )
        for each in wanted(engine, which)
    ]


def gate_rows(engine: Engine, now: datetime) -> list[Row]:
    """Candidates that the gate blocks: no letter is dead there, each run judges them anew."""
    from state.decisions import latest

    return [
        _row(
            *(
                "gate",
                each.decision_id,
                each.verdict,
                None,
                each.operation,
                each.shipment_no,
                ", ".join(each.codes),
            ),
            *(None, each.decided_at, now, f"waybill gate explain {each.shipment_no}"),
        )
        for flow in FLOWS
        for each in latest(engine, operation=flow.operation).values()
        if each.verdict == "blocked"
    ]


def push_rows(engine: Engine, now: datetime) -> list[Row]:
    """Effects that the push gave up; two people decide about each."""
    from state.outbox import rows
    from state.transitions import GIVEN_UP

    return [
        _row(
            *("push", each.idempotency_key, each.state, each.destination, each.operation, each.shipment_no),
            *(None, each.last_error, each.updated_at, now, f"waybill outbox propose {each.shipment_no}"),
        )
        for each in rows(engine, *sorted(GIVEN_UP))
    ]


def by_stage(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Stage, status, number, age of the oldest, and the command that decides about that one."""
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["stage"], row["status"]].append(row)
    oldest = {key: max(group, key=lambda row: row["age"]) for key, group in groups.items()}
    return [
        (*key, len(groups[key]), _words(row["age"]), row["decide with"])
        for key, row in sorted(oldest.items())
    ]


def told(row: Row) -> tuple[Any, ...]:
    """The row as it stands in a table."""
    as_words = {"id": row["id"][:_SHORT], "age": _words(row["age"])}
    return tuple(as_words.get(name, row[name]) for name in SHOWN)


def as_json(row: Row) -> Row:
    """The row as a document: its age in seconds."""
    return {name: value for name, value in row.items() if name != "age"} | {
        "age_s": int(row["age"].total_seconds())
    }


def _row(*values: Any) -> Row:
    *own, received, now, decide = values
    return dict(zip(_COLUMNS, (*own, received, max(now - received, timedelta(0)), decide), strict=True))


def _words(age: timedelta) -> str:
    """As a person says it: days, else hours, else minutes."""
    minutes = int(age.total_seconds() // 60)
    if minutes >= 48 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"
