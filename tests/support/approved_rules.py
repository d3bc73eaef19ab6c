"""Rules that two people let in, for tests that keep decisions of their own making: the database takes releases by others from nobody."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, update

from core.ids import sha256_hex
from state.shipped_rules import Gate
from state.tables_of_people import rulesets

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NOTHING = sha256_hex(b"{}")
"""The version of what is let in here: under another name it is found to be changed, where somebody looks."""


def let_in(store: Engine | Connection, version: str, gate: Gate = "flows") -> None:
    """Bring the rules of this name into force, as a proposal and its approval would; their content is empty."""
    if isinstance(store, Engine):
        with store.begin() as db:
            let_in(db, version, gate)
        return
    rules = {"gate": gate, "ruleset_version": version, "policy_version": "p", "content": b"{}"}
    proposed = {"proposed_by": "anna", "proposed_because": "test", "proposed_at": NOW}
    granted = {"answer": "granted", "answered_by": "boris", "answered_because": "test", "answered_at": NOW}
    made = store.execute(insert(rulesets).values(**rules, **proposed)).inserted_primary_key
    assert made is not None
    same = rulesets.c.ruleset_id == made[0]
    store.execute(update(rulesets).where(same).values(**granted, answered_for=version))
