"""Connections: windows in which their feed was silent, how long it took until they delivered, and until they were stable."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl

from tests.reference.facts import COLUMNS, cycle
from tests.reference.inputs import Inputs
from tests.reference.messages import messages
from tests.reference.times import INSTANT

WEEK = timedelta(days=7)


def missed_windows(inputs: Inputs) -> pl.DataFrame:
    """Per connection in production and day (UTC) of an answer: the agreed windows that passed before it in silence.

    The last look at anything ends the silence of all."""
    looks = inputs["ledger", "observations"].sort("observed_at").to_dicts()
    last = max((row["observed_at"] for row in looks), default=None)
    answers: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in looks:
        if row["ok"]:
            answers[row["connection"]].append(row["observed_at"])
    rows = [
        fact
        for partner in inputs["ledger", "connections"].to_dicts()
        if answers[partner["connection"]]
        for fact in _windows(partner, [*answers[partner["connection"]], last])
    ]
    return pl.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in rows], schema=COLUMNS)


def _windows(partner: dict[str, Any], moments: list[datetime]) -> list[dict[str, Any]]:
    missed = {moment.date(): 0 for moment in moments}
    for before, after in pairwise(moments):
        windows = (after - before).total_seconds() / partner["freshness_s"]
        missed[after.date()] += max(math.ceil(windows) - 1, 0)
    is_meant, words = partner["lifecycle"] == "production", "silent for more than it agreed to"
    return [
        {"metric": "missed_feed_windows", "variant": "default", "entity_type": "feed_day",
         "entity_no": partner["connection"], "connection": partner["connection"],
         "standing": "in" if is_meant else "out", "why": words if many and is_meant else None if is_meant else "not in production",
         "period_date": day, "unit": "count", "amount": Decimal(many)}
        for day, many in missed.items()
    ]  # fmt: skip


def onboarding(inputs: Inputs) -> pl.DataFrame:
    """From the request to the first production message, and to the first seven days with under 1 % failures."""
    loaded = inputs["ledger", "ingest_counts"].filter(pl.col("loaded") > 0)
    first = loaded.group_by("connection").agg(pl.col("counted_at").min().alias("first_at"))
    found = inputs["ledger", "connections"].join(first, on="connection", how="left")
    stable = _stable(inputs, dict(first.rows()))
    live = pl.col("lifecycle").is_in(("production", "retired"))
    found = found.with_columns(
        pl.when(live).then("first_at").alias("accepted_at"),
        pl.when(live)
        .then(pl.col("connection").replace_strict(stable, default=None, return_dtype=INSTANT))
        .alias("stable_at"),
        partner_no="connection", zone=pl.lit("UTC"), quality=pl.lit(0, pl.Int64()),
    )  # fmt: skip
    lives = ~((pl.col("lifecycle") == "retired") & pl.col("first_at").is_null())
    return pl.concat([
        cycle(found, metric, inputs.as_of, start="requested_at", end=end, zone="zone", scope=lives, entity="partner",
              why_not="abandoned: retired before its first message")
        for metric, end in (("partner_onboarding_s", "accepted_at"), ("partner_time_to_stable_s", "stable_at"))
    ])  # fmt: skip


def _stable(inputs: Inputs, first: dict[str, datetime]) -> dict[str, datetime]:
    """A week begins on a day with messages, and is over when anything at all happened after it."""
    counts: defaultdict[str, defaultdict[date, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in messages(inputs).to_dicts():
        if row["end"] in ("fine", "technical", "business") or (row["end"] == "none" and row["many"] == 0):
            day = counts[row["connection"]][row["last_at"].date()]
            day[0] += row["many"]
            day[1] += row["many"] if row["end"] in ("technical", "business") else 0
    newest = max((day for days in counts.values() for day in days), default=date.min)
    found: dict[str, datetime] = {}
    for name, accepted in first.items():
        for start in sorted(counts[name]):
            week = [each for day, each in counts[name].items() if start <= day < start + WEEK]
            many, bad = (sum(column) for column in zip(*week, strict=True))
            if start >= accepted.date() and newest >= start + WEEK and 100 * bad < many:
                begin = datetime.combine(start, time(), UTC)
                found[name] = max(begin, accepted)
                break
    return found
