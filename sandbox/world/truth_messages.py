"""Messages of a first run, by connection: how many are due, how many fail for good and why, how many wait.

A business message is a document or an event, not its lines, nor master data, nor a position; one document refused twice
is one. On which day Waybill hears of it, and in how many runs, only Waybill knows: so there is no day here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

_MEANT = frozenset({
    "erp.orders", "erp.delivery_notes", "erp.invoices", "dispatch.consignments", "dispatch.actions", "pod.proofs",
    "depot_pod.proofs", "wms.delivery_events", "tms.eta_predictions", "crm.exception_events",
    "carrier.freight_charges", "maintenance.maintenance_orders",
})  # fmt: skip
_SAYS_WRONG = frozenset({
    "UNKNOWN_PARENT", "VERSION_CONFLICT", "TOTAL_MISMATCH", "QUANTITY_SIGN", "CYCLE", "STATUS_UNKNOWN",
    "CURRENCY_INVALID", "END_BEFORE_START",
})  # fmt: skip
"""Refused for what it says, not for how it is written."""
Counts = dict[str, int]


def messages(
    sources: dict[str, Counts],
    letters: list[dict[str, Any]],
    parked: list[dict[str, Any]],
    posted: int,
    confirmed: int,
    alerted: int,
) -> dict[str, Counts]:
    """``posted``, ``confirmed`` and ``alerted``: the invoices, delivery notes and issues that the ERP takes, each at the first
    try."""
    found: defaultdict[str, Counts] = defaultdict(
        lambda: dict.fromkeys(("due", "technical", "business", "waiting", "tries", "failed_tries"), 0)
    )
    for name, counts in sources.items():
        if _is_meant(name):
            _add(found[name.partition(".")[0]], due=counts["loaded"], tries=counts["loaded"])
    refused: dict[tuple[str, str, str], str] = {}
    for number, letter in enumerate(letters):
        name = f"{letter['connection']}.{letter['resource']}"
        if _is_meant(name):
            _add(found[letter["connection"]], tries=1, failed_tries=1)
            cause = "business" if letter["reason"] in _SAYS_WRONG else "technical"
            refused[letter["connection"], letter["resource"], letter["source_id"] or str(number)] = cause
    for (connection, _, _), cause in refused.items():
        _add(found[connection], due=1, **{cause: 1})
    for row in parked:
        if _is_meant(f"{row['connection']}.{row['resource']}"):
            _add(found[row["connection"]], waiting=1, tries=1, failed_tries=1)
    written = posted + confirmed + alerted
    _add(found["sandbox_erp"], due=written, tries=written)
    return dict(sorted(found.items()))


def _is_meant(name: str) -> bool:
    return name.removeprefix("sandbox_") in _MEANT


def _add(counts: Counts, **more: int) -> None:
    for name, many in more.items():
        counts[name] += many
