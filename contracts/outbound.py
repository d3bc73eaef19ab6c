"""What every document on its way out says, whatever kind it is, and the bytes that stand for it."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from pydantic import BaseModel, ConfigDict

from contracts.base import Id


class OutboundDocument(BaseModel):
    """What is sent about one shipment. The canonical bytes are stored before the first attempt and resent as they are.

    ``idempotency_key`` is what the document carries there; ``issue_date`` the day that it bears in the other system's books.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    idempotency_key: Id
    business_id: Id
    shipment_no: Id
    order_no: Id
    company_id: Id
    customer_id: Id
    issue_date: date

    def canonical_bytes(self) -> bytes:
        """UTF-8 JSON with sorted keys and decimals as strings: equal documents, equal bytes."""
        return json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()

    def payload_hash(self) -> str:
        """SHA-256 hex of the canonical bytes."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()
