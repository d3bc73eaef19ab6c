"""A kind of ERPNext's documents as a destination handles it: its fields, how one is written, and how one is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from activation.destinations.base import PostedInvoice
from contracts.outbound import OutboundDocument
from core.clock import localize

KEY: Final = "custom_waybill_key"
STATUS: Final[Mapping[int, Literal["draft", "posted", "cancelled"]]] = {
    0: "draft",
    1: "posted",
    2: "cancelled",
}


@dataclass(frozen=True)
class Kind:
    """``fields`` are asked for; ``body`` makes what is sent; ``read`` takes a document and the site's time zone; ``change`` makes
    what brings a document that is kept up to what it should say, None where a draft is submitted instead."""

    doctype: str
    fields: tuple[str, ...]
    body: Callable[[OutboundDocument], dict[str, Any]]
    read: Callable[[Mapping[str, Any], str], PostedInvoice]
    change: Callable[[OutboundDocument], dict[str, Any]] | None = None


def posted_at(data: Mapping[str, Any], zone: str) -> datetime | None:
    """When it was submitted. A site without our field still tells when a submitted document last changed."""
    posted = data.get("custom_posted_at") or (data["modified"] if data["docstatus"] == 1 else None)
    return localize(datetime.fromisoformat(posted), zone)[0] if posted else None
