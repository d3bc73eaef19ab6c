"""Whether what was promised was kept: by shipment and by order, in each meaning of the word.

A promise for a day belongs to that day, wherever its end falls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sandbox.world.known import Told, by_now, deadline, is_on_requested_day, is_on_time, requested_end
from sandbox.world.model import Order
from sandbox.world.moments import NOW, SITE
from sandbox.world.truth_billing import Billing
from sandbox.world.truth_numbers import Fact, Subject, judged

_PAPERS = frozenset({"POD_DOCUMENT_REQUIRED", "POD_HASH_MISMATCH", "POD_MISSING", "POD_VOIDED"})
_VARIANTS = ("first_confirmed", "last_confirmed", "requested")


def commitments(told: Told, about: Subject) -> Iterator[Fact]:
    """Missed is what is late, early or not there; on a redelivery the first attempt counts."""
    if told.is_redelivery or told.is_cancelled_before_dispatch:
        return
    order, moment = told.order, told.delivered
    for variant in _VARIANTS:
        if not told.is_order_known:
            yield from judged("missed_commitment_rate", about, None, None, variant)
        elif _end(order, variant) <= NOW:
            kept = is_on_requested_day if variant == "requested" else is_on_time
            is_missed = moment is None or not kept(order, moment)
            yield from judged("missed_commitment_rate", about, _day(order, variant), is_missed, variant)


def orders_kept(
    order: Order, parts: list[Told], about: Subject, corrected: set[str], *, is_refused: bool
) -> Iterator[Fact]:
    """An order: all of it accepted, however many shipments and attempts it took, all on time; and perfect at that."""
    if by_now(order.cancelled) and not any(each.departed for each in parts):
        return
    is_otif = _is_otif(order, parts)
    # What another attempt made good is forgiven, a wrong bill is not.
    counting = [each for each in parts if not each.is_redelivered and not each.is_cancelled_before_dispatch]
    is_flawed = any(not is_flawless(each) for each in counting) or any(
        e.shipment.id in corrected for e in parts
    )
    for metric, is_kept in (("otif_rate", is_otif), ("perfect_order_rate", is_otif and not is_flawed)):
        if is_refused:
            yield from judged(metric, about, None, None, "order")
        elif deadline(order) <= NOW:
            yield from judged(metric, about, order.promised, is_kept, "order")
    if not parts and not is_refused:
        for variant in _VARIANTS:
            if _end(order, variant) <= NOW:
                yield from judged("missed_commitment_rate", about, _day(order, variant), True, variant)


def perfection(told: Told, about: Subject, billing: Billing) -> Iterator[Fact]:
    """On time in full, undamaged, all papers there, billed rightly at once."""
    if told.is_due:
        is_perfect = told.is_otif and is_flawless(told) and told.shipment.id not in billing.corrected
        yield from judged("perfect_order_rate", about, told.order.promised, is_perfect, "shipment")
    elif not told.is_order_known and not told.is_cancelled_before_dispatch:
        yield from judged("perfect_order_rate", about, None, None, "shipment")


def is_flawless(told: Told) -> bool:
    """Undamaged, with every paper that the customer asks for."""
    has_papers = told.proof is not None and bool(told.proof.signature) and not told.codes & _PAPERS
    return has_papers and "OPEN_DAMAGE_OR_SHORTAGE" not in told.codes


def _is_otif(order: Order, parts: list[Told]) -> bool:
    accepted: defaultdict[str, int] = defaultdict(int)
    for each in parts:
        if each.delivered and each.proof:
            for line, count in each.proof.delivered.items():
                accepted[line] += count
    is_in_full = all(accepted[line.id] >= line.quantity for line in order.lines)
    return is_in_full and all(is_on_time(order, each.delivered) for each in parts if each.delivered)


def _end(order: Order, variant: str) -> datetime:
    return requested_end(order) if variant == "requested" else deadline(order)


def _day(order: Order, variant: str) -> datetime:
    """An instant on the day that was promised."""
    if variant != "requested":
        return order.promised
    day = order.promised.astimezone(SITE).date()
    return datetime.combine(day, time(12), ZoneInfo(order.depot.zone))
