"""Messages between Waybill and other systems: what was due, what failed for good, how often it was tried.

A message is one version of one thing for one system. What is loaded in bulk is counted in bulk, by run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from tests.reference.facts import age_bucket, shaped
from tests.reference.inputs import Inputs
from tests.reference.times import INSTANT

MEANT = {
    "erp": ("orders", "delivery_notes", "invoices"), "dispatch": ("consignments", "actions"), "pod": ("proofs",),
    "wms": ("delivery_events",), "tms": ("eta_predictions",), "crm": ("exception_events",),
    "carrier": ("freight_charges",), "maintenance": ("maintenance_orders",),
}  # fmt: skip
"""What is a business message: not its lines, nor master data, nor positions."""
CONTRADICTIONS = (
    "UNKNOWN_PARENT", "VERSION_CONFLICT", "TOTAL_MISMATCH", "QUANTITY_SIGN", "CYCLE", "STATUS_UNKNOWN",
    "CURRENCY_INVALID", "END_BEFORE_START",
)  # fmt: skip
"""Refused for what it says, not for how it is written."""
ENDS = {
    "ACKED": "fine",
    "RECONCILED": "fine",
    "DEAD": "business",
    "HELD": "technical",
    "CONFLICT": "technical",
}
"""How an effect ended; CANCELLED is none any more, and anything else is still on its way."""
_LETTER_ENDS = {"parked": "open", "replaying": "open", "resolved": "none", "replayed": "none"}
"""How a refused row ended: loaded after all, or on its way; an open one and a discarded one failed."""
_WEIGHT = {"open": 3, "parked": 2, "replaying": 2, "resolved": 1, "replayed": 1, "discarded": 0}
"""Which of several letters about one message speaks for it."""
SCHEMA = {
    "connection": pl.String(), "message_no": pl.String(), "end": pl.String(), "many": pl.Int64(),
    "tries": pl.Int64(), "bad_tries": pl.Int64(), "first_at": INSTANT, "last_at": INSTANT, "why": pl.String(),
}  # fmt: skip
Row = dict[str, Any]


def messages(inputs: Inputs) -> pl.DataFrame:
    """One row per message, or per run's bulk; ``end`` is fine, technical, business, open or none."""
    rows = [*_effects(inputs), *_letters(inputs), *_bulk(inputs)]
    return pl.DataFrame([dict(zip(SCHEMA, row, strict=True)) for row in rows], schema=SCHEMA)


def _effects(inputs: Inputs) -> list[tuple[Any, ...]]:
    tries = inputs["ledger", "push_attempts"].to_dicts()
    found = []
    for row in inputs["ledger", "outbox"].to_dicts():
        own = [each for each in tries if each["idempotency_key"] == row["idempotency_key"]]
        bad = [e for e in own if e["ended_at"] and e["outcome"] not in ("ACKED", "RECONCILED")]
        end = "none" if row["state"] == "CANCELLED" else ENDS.get(row["state"], "open")
        times = (row["enqueued_at"], row["updated_at"], _of_effect(row["state"], end))
        found.append((row["destination"], row["business_id"], end, 1, len(own), len(bad), *times))
    return found


def _of_effect(state: str, end: str) -> str | None:
    if end == "none":
        return "cancelled: nothing is due"
    return None if end == "fine" else state.lower()


def _of_letter(letter: Row, end: str) -> str:
    if end == "none":
        return "accepted after all, and counted with the run that did"
    status = "dead_lettered" if letter["status"] == "open" else letter["status"]
    return f"{status}: {letter['reason']}"


def _letters(inputs: Inputs) -> list[tuple[Any, ...]]:
    """What could not be loaded; once, however often it came. What was mended is counted with what was loaded."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in inputs["ledger", "dead_letters"].sort("received_at").to_dicts():
        if row["resource"] in MEANT.get(row["kind"], ()):
            name = row["source_id"] or row["raw_sha256"]
            groups.setdefault((row["connection"], row["resource"], name, row["source_version"]), []).append(
                row
            )
    found = []
    for (connection, _, name, _), letters in groups.items():
        last = max(letters, key=lambda row: (_WEIGHT[row["status"]], row["received_at"]))
        cause = "business" if last["reason"] in CONTRADICTIONS else "technical"
        end = _LETTER_ENDS.get(last["status"], cause)
        moment: datetime = last["received_at"]
        found.append(
            (
                connection,
                name,
                end,
                int(end != "none"),
                len(letters),
                len(letters),
                moment,
                moment,
                _of_letter(last, end),
            )
        )
    return found


def _bulk(inputs: Inputs) -> list[tuple[Any, ...]]:
    return [
        (row["connection"], row["resource"], "fine", row["loaded"], row["loaded"], 0, row["counted_at"], row["counted_at"], None)
        for row in inputs["ledger", "ingest_counts"].to_dicts()
        if row["loaded"] and row["resource"] in MEANT.get(row["source"].removeprefix("raw_"), ())
    ]  # fmt: skip


def facts(inputs: Inputs) -> pl.DataFrame:
    """Failures for good, by cause too, and failures of single tries."""
    found = messages(inputs).with_columns(pl.col("last_at").alias("day_at"), zone=pl.lit("UTC"))
    is_open, is_none = pl.col("end") == "open", pl.col("end") == "none"
    failures = found.with_columns(
        standing=pl.when(is_none)
        .then(pl.lit("out"))
        .when(is_open)
        .then(pl.lit("open"))
        .otherwise(pl.lit("in")),
        denominator="many",
        age_days=pl.when(is_open).then(age_bucket(pl.col("first_at"), inputs.as_of)),
    )
    attempts = found.with_columns(
        standing=pl.when(pl.col("tries") == 0).then(pl.lit("out")).otherwise(pl.lit("in")),
        why=pl.when(pl.col("bad_tries") > 0).then(pl.format("{} of its attempts failed", "bad_tries")),
        numerator="bad_tries",
        denominator="tries",
    )
    causes = {"default": ("technical", "business"), "technical": ("technical",), "business": ("business",)}
    return pl.concat([
        *(_shaped(failures.with_columns(numerator=pl.when(pl.col("end").is_in(of)).then("many").otherwise(0)),
                  "integration_failure_rate", variant) for variant, of in causes.items()),
        _shaped(attempts, "attempt_failure_rate", "default"),
    ])  # fmt: skip


def _shaped(found: pl.DataFrame, metric: str, variant: str) -> pl.DataFrame:
    return shaped(found, metric, variant, "message", "ratio", "zone")
