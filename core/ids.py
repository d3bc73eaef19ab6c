"""Deterministic identifiers: equal inputs give equal ids, on any machine, for ever."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

NAMESPACE = uuid.UUID("6f0d6bb5-5f0b-5d3c-9a56-0c9ed1f3a7b1")
"""Namespace of all surrogate keys; the dbt macro ``surrogate_uuid`` holds the same value."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
"""Made once: the ledger's chain writes two texts per row."""


def surrogate_uuid(connection: str, source_id: str) -> str:
    """UUIDv5 of ``connection|source_id``: the key of one source row in the canonical model."""
    return str(uuid.uuid5(NAMESPACE, f"{connection}|{source_id}"))


def canonical_json(value: Mapping[str, Any] | list[Any]) -> bytes:
    """UTF-8 JSON with sorted keys and no white space; what is not JSON becomes its ``str``."""
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def quoted(text: str) -> str:
    """A text as it stands in canonical JSON."""
    return _CANONICAL.encode(text)


def sha256_hex(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def idempotency_key(company: str, destination: str, operation: str, business_id: str, revision: int) -> str:
    """SHA-256 of exactly the five values that make one outside effect; never of the payload."""
    return sha256_hex(canonical_json([company, destination, operation, business_id, str(revision)]))


def new_id(prefix: str) -> str:
    """A fresh random id, readable by its prefix (``run``, ``trace`` …)."""
    return f"{prefix}_{uuid.uuid4().hex}"
