"""The tables of who pushes where: the pushers that live, and what all of them may do together at a destination."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from state.metadata import metadata
from state.types import Instant, JsonText

destinations = Table(
    "destinations",
    metadata,
    Column("destination", String(140), primary_key=True),
    Column("settings", JsonText, nullable=False),
    Column("next_turn_at", Instant),
    Column("retries_left", Float),
    Column("retries_at", Instant),
)

pushers = Table(
    "pushers",
    metadata,
    Column("worker", String(140), primary_key=True),
    Column("destination", String(140), primary_key=True),
    Column("at_a_time", Integer, nullable=False),
    Column("lives_until", Instant, nullable=False),
)
