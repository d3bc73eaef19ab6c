"""What waits for a person beside the blocked invoices: requests, drafts of credit notes, and rows that were refused.

Belongs here: reading it from the state store. The pages change nothing: each names the command that does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.settings import Settings
from dashboard.data import engine_of
from dashboard.second_person import Asked, asked
from state import credit_decisions, credit_notes, credit_rules, letter_overview
from state.credit_decisions import CreditDecision
from state.credit_notes import CreditNote
from state.home import has_state
from state.letter_overview import Group, Head
from state.observations import business_now

SHOWN = 100
"""Letters on the page; the command lists all."""


DRAFTS_SHOWN = 10
"""Drafts on the executive page; the page of all that waits lists each."""


@dataclass(frozen=True)
class Hold:
    """One reason why a draft is not posted. ``code`` None: nothing is wrong with it, a second person has to approve it."""

    code: str | None
    explanation: str
    owner: str


@dataclass(frozen=True)
class Draft:
    """A draft of a credit note, what holds it, and for how many seconds of business time it has waited."""

    note: CreditNote
    holds: tuple[Hold, ...]
    age_s: float


@dataclass(frozen=True)
class Waiting:
    """Everything the page shows. ``letters`` are the newest of those that ``groups`` count."""

    asked: Sequence[Asked] = ()
    drafts: Sequence[Draft] = ()
    groups: Sequence[Group] = ()
    letters: Sequence[Head] = ()

    @property
    def refused(self) -> int:
        """How many letters nobody has decided on."""
        return sum(each.many for each in self.groups)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """What the drafts would credit, by currency; negative."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for draft in self.drafts:
            found[draft.note.currency] += draft.note.amount
        return dict(sorted(found.items()))


def waiting(settings: Settings) -> Waiting:
    """What waits now; nothing where there is no state store yet."""
    if not has_state(settings):
        return Waiting()
    engine = engine_of(settings)
    judged, now = credit_decisions.standing(engine), business_now(engine)
    drafts = [
        Draft(note, holds(judged.get(note.idempotency_key)), (now - note.drafted_at).total_seconds())
        for note in credit_notes.waiting(engine)
    ]
    return Waiting(
        asked(engine), drafts, letter_overview.groups(engine), letter_overview.newest(engine, SHOWN)
    )


def holds(decision: CreditDecision | None) -> tuple[Hold, ...]:
    """What holds a draft by its newest decision: every code of the gate, or that nobody has approved it."""
    if decision is None or not decision.reasons:
        return (Hold(None, "A second person has to approve it.", credit_rules.CONTROLLING),)
    return tuple(
        Hold(
            each["code"],
            known.explanation if (known := credit_rules.BY_CODE.get(each["code"])) else each["seen"],
            each["owner"],
        )
        for each in decision.reasons
    )
