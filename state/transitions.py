"""The outbox's state machine as one table: what a reader compares with the diagram, what the database holds.

``TRANSITIONS`` maps each state to the states it may become. The migrations write it out as a trigger, so that no
code path, however wrong, can move a row along an edge that is not here; a test holds that both say the same.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "READY": frozenset({"SENDING", "UNKNOWN", "BLOCKED", "CANCELLED"}),
    "SENDING": frozenset({"ACKED", "RETRY_WAIT", "DEAD", "UNKNOWN", "CONFLICT", "HELD"}),
    "UNKNOWN": frozenset({"ACKED", "RETRY_WAIT", "CONFLICT", "HELD"}),
    "RETRY_WAIT": frozenset({"READY", "UNKNOWN", "DEAD", "HELD"}),
    "BLOCKED": frozenset({"READY", "UNKNOWN", "CANCELLED"}),
    "DEAD": frozenset({"READY", "UNKNOWN", "CANCELLED"}),
    "HELD": frozenset({"READY", "UNKNOWN", "CANCELLED"}),
    "CONFLICT": frozenset({"READY", "UNKNOWN", "RECONCILED", "CANCELLED"}),
    "ACKED": frozenset({"RECONCILED", "CONFLICT"}),
    "RECONCILED": frozenset({"CONFLICT"}),
    "CANCELLED": frozenset({"BLOCKED"}),
}
STATES: Final = tuple(TRANSITIONS)
TAKEN_BACK: Final = ("CANCELLED", "BLOCKED")
"""From where to where two people take a cancellation back: the gate decides anew, under the same key."""
RESTORED: Final = frozenset({"READY", "SENDING", "UNKNOWN", "RETRY_WAIT", "BLOCKED"})
"""States whose row may have been posted after the backup was made, and that nobody decides on: restored as UNKNOWN.
From READY, RETRY_WAIT and BLOCKED only a restore goes there (ADR 17)."""
GIVEN_UP: Final = frozenset({"DEAD", "HELD", "CONFLICT"})
"""States that nothing leaves by itself: two people decide."""
SeenAs = Literal["made", "draft", "behind", "gone"]
"""What is known of a document that is not acknowledged: the system made it, or a look showed it as a draft, or as one that is kept up
and not up to date yet; ``gone``: two looks found nothing, once all had settled."""
SEEN_AS: Final[tuple[SeenAs, ...]] = get_args(SeenAs)
UNSENT: Final = frozenset({"READY", "BLOCKED"})
"""States that wait for nothing but their turn: a newer decision on the same content makes them READY."""
REPLACEABLE: Final = frozenset({"READY", "BLOCKED", "RETRY_WAIT", "DEAD"})
"""States in which other content may replace the old, as long as nothing can exist in the foreign system."""
