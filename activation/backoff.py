"""How long a row waits for its next attempt, and how long in all without an answer before a person is told.

Belongs here: lengths of time. What is a reason to wait is ``attempt``, what has waited too long ``state.waiting``.
"""

from __future__ import annotations

import random
from datetime import timedelta

GIVE_UP = timedelta(hours=72)
"""After this long without a definite answer a person is told."""
CEILING_S = 900.0
_FIRST_S = 2.0
_DOUBLED = 9
"""So many doublings reach the ceiling: a higher power is never made, as no float holds the 1,024th."""


def wait_s(attempts: int, told_s: float | None = None) -> float:
    """Seconds until the attempt after so many: what the other side said, at most as long as anything waits; else full
    jitter, up to 15 minutes."""
    if told_s is not None:
        return min(told_s, GIVE_UP.total_seconds())
    return random.uniform(0, min(CEILING_S, _FIRST_S * 2 ** min(attempts, _DOUBLED)))
