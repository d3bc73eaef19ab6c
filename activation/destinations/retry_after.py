"""What a system says about when to call again.

Belongs here: reading the header, in both forms that HTTP knows. For how long it is believed is ``activation.backoff``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from core.clock import utc_now


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds to wait; None when the answer does not say, or not in a way that HTTP knows.

    An instant is counted from the answer's own ``Date``, since the server's clock is not ours.
    """
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    until = _instant(told)
    if until is None:
        return None
    return max(0.0, (until - (_instant(headers.get("Date", "")) or utc_now())).total_seconds())


def _instant(told: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(told)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read
