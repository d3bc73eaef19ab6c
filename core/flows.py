"""The registry of flows: what leaves Waybill, under which names, and what has to have arrived before it.

Gate, push, worker and Dagster go by these entries. Belongs here: names alone. What a flow's rules are is said in ``quality``
(by operation), what it sends in ``activation``; ``docs/adding-a-flow.md`` lists what an entry needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Flow:
    """One flow. ``candidates`` and ``outbound`` are dbt models, ``asset`` is what Dagster shows of the other system.

    ``follows``: the operation that has to be acknowledged before this one is sent, at a system that takes both.
    ``is_kept_up``: the next revision changes the document that the last one made. There is one document under the key of
    the first revision, never a draft, whose revisions go in their order; people go on working with it, so that what it says
    later is no difference.
    """

    operation: str
    noun: str
    candidates: str
    outbound: str
    asset: tuple[str, str]
    follows: str | None = None
    is_kept_up: bool = False


FULFILMENT: Final = Flow(
    operation="fulfilment",
    noun="fulfilment confirmation",
    candidates="fulfilment_candidates",
    outbound="outbound_erp__fulfilments",
    asset=("erp", "fulfilments"),
)
INVOICE: Final = Flow(
    operation="invoice",
    noun="customer invoice",
    candidates="invoice_candidates",
    outbound="outbound_erp__invoices",
    asset=("erp", "invoices"),
    follows=FULFILMENT.operation,
)
EXCEPTION_ALERT: Final = Flow(
    operation="exception_alert",
    noun="exception alert",
    candidates="exception_alert_candidates",
    outbound="outbound_erp__exception_alerts",
    asset=("erp", "exception_alerts"),
    is_kept_up=True,
)
FLOWS: Final = (FULFILMENT, INVOICE, EXCEPTION_ALERT)
"""In the order in which they are judged and put into the outbox."""
BY_OPERATION: Final[Mapping[str, Flow]] = {each.operation: each for each in FLOWS}
KEPT_UP: Final = frozenset(each.operation for each in FLOWS if each.is_kept_up)
