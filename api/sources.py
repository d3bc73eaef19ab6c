"""Who sent a body, and as what it is kept. Belongs here: that, and nothing that is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from state.inbox import Channel


@dataclass(frozen=True)
class Source:
    """Who sent a body, and as what it is kept."""

    partner: str
    kind: str
    channel: Channel
    trace_id: str
    key_id: str | None = None
    content_type: str = "application/json"
