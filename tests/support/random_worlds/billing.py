"""What the ERP holds against a customer, and how it came there: through the gate or by hand, once or in pieces."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.support.random_worlds.proofs import Told
from tests.support.random_worlds.pushing import judge, push
from tests.support.random_worlds.transport import Load, Movement
from tests.support.random_worlds.world import RandomWorld, Row, by_now, local_day

Delivered = tuple[Movement, Told]


def plant_billing(world: RandomWorld, order: Row, delivered: list[Delivered]) -> None:
    """Bills for the proofs of one order."""
    told = [(move, proof) for move, proof in delivered if proof.outcome != "failed"]
    if not told:
        return
    if len(told) > 1 and world.chance(0.5):
        _consolidated(world, order, told)
        return
    for move, proof in told:
        way = world.weighted(pushed=45, judged=15, hand=30, nobody=10)
        if way in {"pushed", "judged"}:
            _through_the_gate(world, move, proof, is_pushed=way == "pushed")
        elif way == "hand":
            _by_hand(world, move, proof)


def _through_the_gate(world: RandomWorld, move: Movement, proof: Told, *, is_pushed: bool) -> None:
    decision = judge(world, move, proof, must_release=is_pushed)
    if decision and is_pushed:
        posted = decision["decided_at"] + world.hours(0, 0.5)
        if by_now(posted):
            key = f"{move.shipment_id}-KEY"
            invoice = _invoice(world, move.order, proof.accepted, posted, move.shipment_id, key)
            push(world, decision, invoice)
            _afterwards(world, invoice)


def _by_hand(world: RandomWorld, move: Movement, proof: Told) -> None:
    """One invoice, or two for parts; some written before the proof was there."""
    posted = proof.received_at + world.hours(-6, 60)
    parts = _parts(world, proof.accepted)
    for part in parts:
        names_shipment = len(parts) > 1 or world.chance(0.7)
        invoice = _invoice(world, move.order, part, posted, move.shipment_id if names_shipment else None)
        posted += world.hours(1, 30)
        _afterwards(world, invoice)


def _parts(world: RandomWorld, accepted: list[Load]) -> list[list[Load]]:
    if world.chance(0.75):
        return [accepted]
    halves = [(line, Decimal(int(quantity // 2))) for line, quantity in accepted]
    return [
        halves,
        [(line, quantity - half) for (line, quantity), (_, half) in zip(accepted, halves, strict=True)],
    ]


def _consolidated(world: RandomWorld, order: Row, told: list[Delivered]) -> None:
    """One invoice that names the order alone and bills what all its shipments brought."""
    goods = [load for _, proof in told for load in proof.accepted]
    posted = max(proof.received_at for _, proof in told) + world.hours(1, 30)
    _afterwards(world, _invoice(world, order, goods, posted, None))


def _afterwards(world: RandomWorld, invoice: Row) -> None:
    """Most invoices stand; some are cancelled or credited, in part or in full, and some then written again."""
    fate = world.weighted(stands=68, cancelled=8, in_full=8, in_two=4, in_part=8, in_vain=4)
    when = by_now(invoice["posted_at"] + world.hours(1, 40)) if invoice["posted_at"] else None
    if fate == "stands" or when is None:
        return
    if fate == "cancelled":
        invoice["status"] = "cancelled"
    elif fate == "in_vain":
        _credit(world, invoice, Decimal(1), when, status=world.pick("draft", "cancelled"))
    else:
        for share in {"in_full": (1,), "in_two": (4, 4), "in_part": (4,)}[fate]:
            divisor = Decimal(share) if fate == "in_part" else Decimal(share).sqrt()
            _credit(world, invoice, divisor, when)
    if world.chance(0.5) and fate in {"cancelled", "in_full", "in_two"}:
        _again(world, invoice, when + timedelta(hours=2))


def _again(world: RandomWorld, invoice: Row, posted: datetime) -> None:
    """The same bill a second time, by hand."""
    if by_now(posted):
        number = _next_number(world)
        copy = {"invoice_id": number, "status": "posted", "idempotency_key": None, "created_at": posted,
                "posted_at": posted, "issue_date": local_day(posted, world.zone)}  # fmt: skip
        _copy_lines(world, invoice, number)
        world.add("erp", "invoices", **(invoice | copy))


def _credit(
    world: RandomWorld, invoice: Row, divisor: Decimal, when: datetime, status: str = "posted"
) -> None:
    amounts = {
        name: -(invoice[name] / divisor).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for name in ("net_total_amount", "tax_total_amount", "grand_total_amount")
    }
    if divisor == 2 and _notes_of(world, invoice):  # the last note absorbs the residual cent
        first = _notes_of(world, invoice)[0]
        amounts = {name: -invoice[name] - first[name] for name in amounts}
    note = {
        "invoice_id": _next_number(world), "is_credit_note": True, "credited_invoice_id": invoice["invoice_id"],
        "status": status, "created_at": when, "posted_at": when if status != "draft" else None,
        "idempotency_key": None, "issue_date": local_day(when, world.zone), **amounts,
    }  # fmt: skip
    world.add("erp", "invoices", **(invoice | note))


def _notes_of(world: RandomWorld, invoice: Row) -> list[Row]:
    return [
        row
        for row in world.rows["erp", "invoices"]
        if row.get("credited_invoice_id") == invoice["invoice_id"]
    ]


def _next_number(world: RandomWorld) -> str:
    return f"{world.name}-V{len(world.rows['erp', 'invoices']) + 1}"


def _invoice(
    world: RandomWorld, order: Row, goods: list[Load], posted: datetime, shipment_id: str | None,
    key: str | None = None,
) -> Row:  # fmt: skip
    """An invoice over goods; one that is still to be posted is a draft."""
    number = _next_number(world)
    at_time = by_now(posted)
    net = Decimal(0)
    for each, (line, quantity) in enumerate(goods, start=1):
        amount = (quantity * line["unit_price_amount"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        net += amount
        world.add("erp", "invoice_lines", invoice_line_id=f"{number}-{each}", invoice_id=number,
                  order_line_id=line["order_line_id"], item_id=line["item_id"], quantity=quantity,
                  uom=line["uom"], unit_price_amount=line["unit_price_amount"], net_amount=amount)  # fmt: skip
    tax = (net * Decimal("0.19")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return world.add(
        "erp", "invoices", invoice_id=number, customer_id=order["customer_id"], company_id=order["company_id"],
        order_id=order["order_id"], shipment_id=shipment_id, currency=order["currency"], idempotency_key=key,
        status="posted" if at_time else "draft", created_at=min(posted, posted - timedelta(minutes=5)),
        posted_at=at_time, issue_date=local_day(posted, world.zone), net_total_amount=net, tax_total_amount=tax,
        grand_total_amount=net + tax,
    )  # fmt: skip


def _copy_lines(world: RandomWorld, invoice: Row, number: str) -> None:
    lines = world.rows["erp", "invoice_lines"]
    for line in [each for each in lines if each["invoice_id"] == invoice["invoice_id"]]:
        key = f"{number}-{line['invoice_line_id'].rsplit('-', 1)[1]}"
        world.add("erp", "invoice_lines", **(line | {"invoice_id": number, "invoice_line_id": key}))
