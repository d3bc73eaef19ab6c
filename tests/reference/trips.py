"""Trips from their actions: when they departed, until when they carried something, and how much."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.stops import setting

Row = dict[str, Any]
_REACHES = ("stop", "unload", "handOver")


@dataclass
class Trip:
    connection: str
    trip_id: str
    vehicle_id: str
    departed_at: datetime
    ended_at: datetime
    loaded_until: datetime
    loaded_kg: Decimal | None

    @property
    def vehicle_key(self) -> tuple[str | None, str | None]:
        return self.connection, self.vehicle_id

    def is_under_way(self, moment: datetime) -> bool:
        return self.departed_at < moment <= self.ended_at

    def is_loaded(self, moment: datetime) -> bool:
        return self.is_under_way(moment) and moment <= self.loaded_until


def trips(inputs: Inputs) -> list[Trip]:
    """Of lorries that are known; those that did not depart are none yet."""
    acts: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    every = inputs["dispatch", "actions"].filter(pl.col("trip_id").is_not_null())
    for row in every.filter(pl.col("result_status").fill_null("") != "cancelled").to_dicts():
        acts[row["source_system"], row["trip_id"]].append(row)
    weights = _weights(inputs)
    found = [
        trip
        for row in inputs["dispatch", "trips"].filter(pl.col("vehicle_id").is_not_null()).to_dicts()
        if (trip := _trip(row, acts[row["source_system"], row["trip_id"]], weights))
    ]
    return _one_at_a_time(found)


def _trip(row: Row, acts: list[Row], weights: dict[str, Decimal | None]) -> Trip | None:
    done = [act for act in acts if act["lifecycle"] == "realized"]
    loads = [act["end_at"] for act in done if act["action_type"] == "load" and act["end_at"]]
    starts = [act["start_at"] for act in done if act["start_at"]]
    departed = min(loads or starts, default=None)
    if departed is None:
        return None
    latest = departed + timedelta(hours=int(setting("longest_trip_h")))
    is_over = all(act["lifecycle"] == "realized" for act in acts if act["action_type"] in _REACHES)
    ended = min(max(act["end_at"] or act["start_at"] for act in done), latest) if is_over else latest
    given = [act["end_at"] for act in done if act["action_type"] in ("unload", "handOver") and act["end_at"]]
    loaded = max(given) if is_over and given else ended
    goods = {
        act["consignment_id"]
        for act in done
        if act["action_type"] == "load"
        and act["result_status"] in ("succeeded", "partiallySucceeded")
        and act["consignment_id"]
    }
    each = [weights.get(name) for name in goods]
    known = [weight for weight in each if weight is not None]
    total = sum(known, Decimal(0)) if each and len(known) == len(each) else None
    return Trip(row["source_system"], row["trip_id"], row["vehicle_id"], departed, ended, loaded, total)


def _weights(inputs: Inputs) -> dict[str, Decimal | None]:
    """Of each consignment; one line that nobody weighed leaves the whole unknown."""
    lines: defaultdict[str, list[Decimal | None]] = defaultdict(list)
    for row in inputs["dispatch", "consignment_lines"].to_dicts():
        lines[row["consignment_id"]].append(row["weight_kg"])
    return {
        name: None if None in each else sum((w for w in each if w is not None), Decimal(0))
        for name, each in lines.items()
    }


def _one_at_a_time(found: list[Trip]) -> list[Trip]:
    """A lorry's next trip ends the one before."""
    found.sort(key=lambda each: (*each.vehicle_key, each.departed_at, each.trip_id))
    for trip, after in pairwise(found):
        if trip.vehicle_key == after.vehicle_key:
            trip.ended_at = min(trip.ended_at, after.departed_at)
    return found
