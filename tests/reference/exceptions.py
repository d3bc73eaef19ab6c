"""Cases of trouble from their events: how long each was open, when it was noticed, and what it did to a shipment."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

from tests.reference.facts import cycle, either, rate
from tests.reference.inputs import Inputs
from tests.reference.times import INSTANT

Event = dict[str, Any]
SEVERITIES = ("low", "medium", "high", "critical")
_SCHEMA = {
    "case_no": pl.String(), "shipment_no": pl.String(), "connection": pl.String(), "severity": pl.String(),
    "cause_class": pl.String(), "code": pl.String(), "opened_at": INSTANT, "detected_at": INSTANT, "resolved_at": INSTANT,
    "open_s": pl.Float64(),
}  # fmt: skip
_AFTER = {"opened": "open", "reopened": "open", "resumed": "open", "resolved": "resolved"}


def cases(inputs: Inputs) -> pl.DataFrame:
    """One row per shipment, code and stretch of time in which some record of them was unresolved."""
    records: defaultdict[tuple[str, str], list[list[Event]]] = defaultdict(list)
    events = inputs["crm", "exception_events"].sort("occurred_at", "event_id").partition_by("exception_id")
    for record in events:
        rows = record.to_dicts()
        records[rows[0]["consignment_id"], rows[0]["code"]].append(rows)
    return pl.DataFrame([_told(case) for each in records.values() for case in _merged(each)], schema=_SCHEMA)


def _merged(records: list[list[Event]]) -> list[list[list[Event]]]:
    """Records of one shipment and code that begin while a case is open belong to that case."""
    found: list[list[list[Event]]] = []
    for record in sorted(records, key=lambda each: (each[0]["occurred_at"], each[0]["exception_id"])):
        if found and (_closed_at(found[-1]) is None or record[0]["occurred_at"] <= _closed_at(found[-1])):
            found[-1].append(record)
        else:
            found.append([record])
    return found


def _closed_at(case: list[list[Event]]) -> Any:
    """When the last of its records was resolved; None while one is not."""
    if any(record[-1]["change"] != "resolved" for record in case):
        return None
    return max(record[-1]["occurred_at"] for record in case)


def _told(case: list[list[Event]]) -> dict[str, Any]:
    events = [event for record in case for event in record]
    first = case[0][0]
    noticed = [event["detected_at"] for event in events if event["detected_at"]]
    closed = _closed_at(case)
    return {
        "case_no": first["exception_id"], "shipment_no": first["consignment_id"],
        "connection": first["source_system"], "cause_class": first["cause_class"], "code": first["code"],
        "severity": max((event["severity"] for event in events), key=SEVERITIES.index),
        "opened_at": first["occurred_at"], "detected_at": min(noticed, default=None), "resolved_at": closed,
        "open_s": _open_seconds(case, closed) if closed else None,
    }  # fmt: skip


def _open_seconds(case: list[list[Event]], closed: datetime) -> float:
    """While one record at least is at work, or waits for somebody other than the customer."""
    moments = sorted({event["occurred_at"] for record in case for event in record} | {closed})
    total = timedelta()
    for begin, end in pairwise(moments):
        if "open" in {_state(record, begin) for record in case}:
            total += end - begin
    return total.total_seconds()


def _state(record: list[Event], moment: datetime) -> str:
    """How a record stands from a moment on."""
    past = [event for event in record if event["occurred_at"] <= moment]
    if not past:
        return "resolved"
    waits = past[-1]["change"] == "paused"
    return ("waits" if past[-1]["is_customer_pause"] else "open") if waits else _AFTER[past[-1]["change"]]


def facts(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """How long cases took, and how long until somebody noticed; cut as their shipments are, on the days of
    their depot."""
    cut_by = ("company_id", "customer_id", "depot_id", "region", "carrier_id", "depot_zone")
    found = cases(inputs).join(ships.select("shipment_no", *cut_by), on="shipment_no", how="left")
    found = found.with_columns(pl.lit(0, pl.Int64()).alias("quality"))
    every = pl.lit(value=True)
    return pl.concat([
        cycle(found, "exception_resolution_s", inputs.as_of, start="opened_at", end="resolved_at", scope=every,
              zone="depot_zone", entity="case", length=found["open_s"]),
        cycle(found, "exception_detection_s", inputs.as_of, start="opened_at", end="detected_at", scope=every,
              zone="depot_zone", entity="case"),
    ])  # fmt: skip


def data_issues(inputs: Inputs, ships: pl.DataFrame) -> pl.DataFrame:
    """Shipments that are settled: delayed or failed, and the first thing that went wrong was an issue of data."""
    first = (
        cases(inputs).sort("opened_at", "case_no").unique("shipment_no", keep="first", maintain_order=True)
    )
    found = ships.join(first.select("shipment_no", "cause_class", "code"), on="shipment_no", how="left")
    end = pl.col("first_confirmed_ends_at")
    is_day = pl.col("promise_precision") == "date"
    after = pl.when(is_day).then(pl.col("delivered_at") >= end).otherwise(pl.col("delivered_at") > end)
    overdue = ~pl.col("is_delivered") & (end <= inputs.as_of).fill_null(value=False)
    failed = pl.col("has_failed") | pl.col("is_brought_again")
    delayed = after.fill_null(value=False) | overdue
    settled = pl.col("is_delivered") | failed | overdue
    by_data = (pl.col("cause_class") == "data").fill_null(value=False)
    missed_at = pl.min_horizontal("first_confirmed_last_at", pl.lit(inputs.as_of))
    return rate(found, "data_issue_delay_rate", scope=settled & ~pl.col("is_off"), known=pl.lit(value=True),
                met=(delayed | failed) & by_data, day_at=pl.coalesce("delivered_at", "failed_at", missed_at),
                zone="place_zone", kept=pl.lit("first of its exceptions: ") + pl.col("code"),
                why_not=either((pl.col("is_off"), "cancelled before dispatch"), otherwise="it is not settled yet"),
                missed=either((~(delayed | failed), "neither delayed nor failed"),
                              (pl.col("code").is_null(), "nobody recorded an exception"),
                              otherwise="its first exception is of another kind"))  # fmt: skip
