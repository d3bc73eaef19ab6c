"""What waits for a person beside the blocked invoices: drafts of credit notes, and rows that were refused.

Belongs here: reading it from the state store. The pages change nothing: each names the command that does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.settings import Settings
from dashboard.data import engine_of
from state import credit_notes, letter_overview
from state.credit_notes import CreditNote
from state.home import has_state
from state.letter_overview import Group, Head

SHOWN = 100
"""Letters on the page; the command lists all."""


@dataclass(frozen=True)
class Waiting:
    """Everything the page shows. ``letters`` are the newest of those that ``groups`` count."""

    notes: Sequence[CreditNote] = ()
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
        for note in self.notes:
            found[note.currency] += note.amount
        return dict(sorted(found.items()))


def waiting(settings: Settings) -> Waiting:
    """What waits now; nothing where there is no state store yet."""
    if not has_state(settings):
        return Waiting()
    engine = engine_of(settings)
    return Waiting(
        credit_notes.waiting(engine), letter_overview.groups(engine), letter_overview.newest(engine, SHOWN)
    )
