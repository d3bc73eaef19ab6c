"""The table of what partners sent by themselves: every accepted message as it came, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from state.metadata import metadata
from state.types import Instant, JsonText

CHANNELS = ("api", "webhook", "mqtt")

inbox = Table(
    "inbox",
    metadata,
    Column("message_no", Integer, primary_key=True),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("partner", String(140), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("repeat_no", Integer, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("kind", String(80), nullable=False),
    Column("content_type", String(140), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_sha256", String(64), nullable=False),
    Column("trace_id", String(140), nullable=False),
    Column("key_id", String(140)),
    Column("received_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("run_id", String(140)),
    Column("rows_in", Integer),
    Column("loaded", Integer),
    Column("dead_lettered", Integer),
    Column("duplicate", Integer),
    Column("parked", Integer),
    Column("shipments", JsonText),
    Column("pruned_at", Instant),
    UniqueConstraint("partner", "event_id", "repeat_no"),
    CheckConstraint(f"channel IN {CHANNELS!r}", name="channel"),
    CheckConstraint("(settled_at IS NULL) = (run_id IS NULL)", name="settled"),
    CheckConstraint("rows_in = loaded + dead_lettered + duplicate + parked", name="adds_up"),
    Index("ix_inbox_partner", "partner", "message_no"),
)

Index(
    "ix_inbox_open",
    inbox.c.message_no,
    sqlite_where=inbox.c.settled_at.is_(None),
    postgresql_where=inbox.c.settled_at.is_(None),
)

_kept = inbox.c.settled_at.is_not(None) & inbox.c.pruned_at.is_(None)
Index("ix_inbox_kept", inbox.c.received_at, sqlite_where=_kept, postgresql_where=_kept)
