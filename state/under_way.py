"""Where everything that the outbox holds of some businesses stands.

Belongs here: asking by business id. Asking by key, destination or state is ``outbox``'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Engine, select

from state.engine import reading
from state.outbox_moves import few
from state.tables import outbox

OPEN = frozenset({"SENDING", "UNKNOWN"})
"""An attempt was begun, and what became of it is not known yet."""
FOR_A_PERSON = frozenset({"HELD", "CONFLICT"})
"""Nothing more is found out by itself."""


def states_of(engine: Engine, business_ids: Collection[str]) -> dict[str, set[str]]:
    """Business id → the states of its rows, of those that have any."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    with reading(engine) as db:
        for some in few(sorted(business_ids)):
            query = select(outbox.c.business_id, outbox.c.state).where(outbox.c.business_id.in_(some))
            for row in db.execute(query):
                found[row.business_id].add(row.state)
    return dict(found)
