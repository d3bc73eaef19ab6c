"""What one person has asked for and another one has to answer: rules, invoices, pushes that were given up, kill switches.

Belongs here: reading it from the state store, in words and with the command that answers. Drafts of credit notes, which wait for a
second person too, have what holds each beside them: ``waiting``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from core.errors import PermanentFailure
from dashboard.words import money
from state import approvals, kill_switch, proposals, rulesets
from state.engine import reading
from state.kill_switch import Scope
from state.ruleset_changes import changes
from state.rulesets import Rules

KEY = 12
"""Signs of an idempotency key that name a row of the outbox on a terminal."""


@dataclass(frozen=True)
class Asked:
    """One request. ``changes``: what would be otherwise, line by line. ``command`` is for somebody else than ``by``."""

    kind: str
    about: str
    changes: tuple[str, ...]
    by: str
    because: str
    since: datetime
    command: str


def asked(engine: Engine) -> tuple[Asked, ...]:
    """All that waits, what concerns most first."""
    return (*_switches(engine), *_rules(engine), *_given_up(engine), *_invoices(engine))


def _switches(engine: Engine) -> Iterator[Asked]:
    for switch in kill_switch.pulled(engine):
        if switch.release_asked_by and switch.release_asked_because and switch.release_asked_at:
            told = f"released; pulled by {switch.pulled_by}: {switch.pulled_because}"
            request = switch.release_asked_by, switch.release_asked_because, switch.release_asked_at
            command = f"waybill kill-switch release{_option(switch.scope)}"
            yield Asked("kill switch", str(switch.scope), (told,), *request, command)


def _rules(engine: Engine) -> Iterator[Asked]:
    with reading(engine) as db:
        for gate, name in rulesets.NAMES.items():
            if (new := rulesets.waiting(db, gate)) is None:
                continue
            version = new.ruleset_version[: rulesets.SHORT]
            about = f"{name}: {version}, policy {new.policy_version}"
            request = new.proposed_by, new.proposed_because, new.proposed_at
            told = tuple(_changes(db, new))
            yield Asked("rules", about, told, *request, f"waybill gate approve-rules {version}")


def _changes(db: Connection, new: Rules) -> list[str]:
    try:
        standing = rulesets.in_force(db, new.gate)
    except PermanentFailure as error:
        # Somebody changed the rules in the store: the page says so where it would say what changes, and shows the rest.
        return [error.message]
    return changes(standing.content, new.content) if standing else ["the first rules of this store"]


def _given_up(engine: Engine) -> Iterator[Asked]:
    for each in proposals.waiting(engine):
        told = f"{each.from_state} → {each.to_state}, with {proposals.documents(each.found)} under its key"
        request = each.proposed_by, each.proposed_because, each.proposed_at
        command = f"waybill outbox confirm {each.idempotency_key[:KEY]}"
        yield Asked("push", each.shipment_no, (told,), *request, command)


def _invoices(engine: Engine) -> Iterator[Asked]:
    for each in approvals.waiting(engine):
        told = f"{', '.join(each.codes)} let pass: {money(each.amount, each.currency)}"
        request = each.asked_by, each.asked_because, each.asked_at
        command = f"waybill gate approve {shlex.quote(each.business_id)}"
        yield Asked("invoice", each.shipment_no, (told,), *request, command)


def _option(scope: Scope) -> str:
    return "" if scope.kind == "global" else f" --{scope.kind} {shlex.quote(scope.name)}"
