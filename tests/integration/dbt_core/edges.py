"""The small worlds from which candidates are built: every edge under its own shipment number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.support.deliveries import DELIVERED, RECEIVED, World, moved, order_line
from tests.support.warehouse import VERSION

BEFORE = datetime(2026, 11, 3, 9, tzinfo=UTC)
"""Before Waybill went live."""
LATER = VERSION + timedelta(hours=1)


def plant(world: World) -> None:
    """All of them."""
    world.delivery("clean")
    world.delivery("pending")
    world.rows["dispatch", "actions"].pop()
    world.rows["pod", "proofs"].pop()
    plant_proofs(world)
    plant_quantities(world)
    plant_money(world)
    plant_invoices(world)
    plant_versions(world)


def plant_proofs(world: World) -> None:
    for name in ("void", "replaced", "conflict", "missing", "failed", "damage", "orphaned"):
        world.order(f"O{name}")
        world.shipment(f"S{name}", f"O{name}", handover="failed" if name == "failed" else "succeeded")
    world.proof("Pvoid", "Svoid", voided_at=RECEIVED)
    world.proof("Preplaced-1", "Sreplaced", moved("Oreplaced-1", "3"), outcome="partiallySucceeded")
    world.proof(
        "Preplaced-2", "Sreplaced", supersedes_id="Preplaced-1", captured_at=DELIVERED - timedelta(hours=1)
    )
    world.proof("Pconflict-1", "Sconflict")
    world.proof(
        "Pconflict-2", "Sconflict", moved("Oconflict-1", "9"), captured_at=DELIVERED + timedelta(minutes=5)
    )
    world.proof("Pfailed", "Sfailed")
    world.proof("Pdamage", "Sdamage", has_damage=True, latitude=53.65, longitude=9.99)
    world.add("pod", "evidence", evidence_id="E1", pod_id="Pdamage", kind="signature", status="sealed",
              sha256="aa", declared_sha256="bb", fetched_at=RECEIVED)  # fmt: skip
    world.add(
        "pod",
        "evidence",
        evidence_id="E2",
        pod_id="Pdamage",
        kind="photo",
        status="expired",
        fetched_at=RECEIVED,
    )
    world.proof("Porphaned", "Sorphaned")
    world.proof("Pelsewhere", "Sclean-not-there", supersedes_id="Porphaned", order_id="Oclean")
    world.order("Oboth")
    world.shipment("Sboth", "Oboth", handover="failed")
    world.proof("Pboth", "Sboth", outcome="failed", has_line_quantities=False)
    world.order("Ocancelled", status="cancelled")
    world.shipment("Scancelled", "Ocancelled", handover=None, status="cancelled")
    world.order("Olate", status="cancelled")
    world.shipment("Slate", "Olate", status="cancelled")
    world.proof("Plate", "Slate")
    world.order("Oagain")
    world.shipment("Sagain-1", "Oagain", handover="failed")
    world.proof("Pagain-1", "Sagain-1", outcome="failed", order_id="Oagain", has_line_quantities=False)
    world.shipment("Sagain-2", "Oagain", parent_id="Sagain-1", relation="redelivery")
    world.proof("Pagain-2", "Sagain-2", order_id="Oagain")


def plant_quantities(world: World) -> None:
    world.item("BOXED")
    world.add("erp", "item_uoms", item_id="BOXED", uom="BOX", factor=Decimal(12))
    world.order("Obox", order_line("Obox-1", "24", "2", item_id="BOXED"))
    world.shipment("Sbox", "Obox", moved("Obox-1", "2", "BOXED", "BOX"))
    world.proof("Pbox", "Sbox", moved("Obox-1", "2", "BOXED", "BOX"))
    world.order("Opallet", order_line("Opallet-1", "10", "2", item_id="BOXED"))
    world.shipment("Spallet", "Opallet", moved("Opallet-1", "10", "BOXED"))
    world.proof("Ppallet", "Spallet", moved("Opallet-1", "10", "BOXED", "PAL"))
    world.order("Opart")
    world.shipment("Spart", "Opart")
    world.proof("Ppart", "Spart", moved("Opart-1", "4"), outcome="partiallySucceeded")
    world.order("Oblind")
    world.shipment("Sblind", "Oblind")
    world.proof("Pblind", "Sblind", outcome="partiallySucceeded", has_line_quantities=False)
    world.order("Ofull")
    world.shipment("Sfull", "Ofull")
    world.proof("Pfull", "Sfull", has_line_quantities=False)
    world.order("Oforeign")
    world.shipment("Sforeign", "Oforeign")
    world.proof("Pforeign", "Sforeign", moved("Oforeign-1"), moved(None, "1", "I2"))
    world.order("Osplit")
    for number, quantity in (("1", "6"), ("2", "4")):
        world.shipment(f"Ssplit-{number}", "Osplit", moved("Osplit-1", quantity))
        world.proof(f"Psplit-{number}", f"Ssplit-{number}", moved("Osplit-1", quantity), order_id="Osplit")
    world.order("Oover")
    for number, hours in (("1", 0), ("2", 1)):
        world.shipment(f"Sover-{number}", "Oover", moved("Oover-1", "6"))
        world.proof(f"Pover-{number}", f"Sover-{number}", moved("Oover-1", "6"), order_id="Oover",
                    received_at=RECEIVED + timedelta(hours=hours))  # fmt: skip
    world.order("Omore")
    world.shipment("Smore", "Omore", moved("Omore-1", "9"))
    world.proof("Pmore", "Smore", moved("Omore-1", "10"))


def plant_money(world: World) -> None:
    world.order("Oround", order_line("Oround-1", "1", "1.005"), order_line("Oround-2", "1", "2.675", tax_code="DE7",
                tax_rate_percent=Decimal(7), item_id="I2"))  # fmt: skip
    both = (moved("Oround-1", "1"), moved("Oround-2", "1", "I2"))
    world.shipment("Sround", "Oround", *both)
    world.proof("Pround", "Sround", *both)
    world.delivery("yen", currency="JPY")
    world.rows["erp", "order_lines"][-1] |= {
        "unit_price_amount": Decimal("33.35"),
        "net_amount": Decimal(334),
    }
    world.rows["erp", "orders"][-1] |= {"net_total_amount": Decimal(334)}
    line = order_line("Oprice-1", tax_code="DE7", contract_price_amount=Decimal("9.90"))
    world.order("Oprice", line, net_total_amount=Decimal("100.03"))
    world.shipment("Sprice", "Oprice")
    world.proof("Pprice", "Sprice")
    world.delivery("xts", currency="XTS")
    world.delivery("usd", currency="USD", fx_rate=Decimal("0.9"), fx_rate_date=date(2026, 10, 1))
    world.delivery("charge")
    for charge, action in (("waiting", "Scharge-hand"), ("ghost", "no-such-action")):
        world.add("dispatch", "consignment_charges", charge_id=f"X-{charge}", consignment_id="Scharge", code="WAITING",
                  amount=Decimal("12.50"), currency="EUR", evidence_action_id=action)  # fmt: skip
    world.delivery("huge")
    world.rows["erp", "order_lines"][-1]["unit_price_amount"] = Decimal("99999999999999.9999")


def plant_invoices(world: World) -> None:
    for name, at_time in (
        ("history", BEFORE),
        ("forgotten", BEFORE),
        ("external", RECEIVED),
        ("credited", RECEIVED),
    ):
        world.order(f"O{name}")
        world.shipment(f"S{name}", f"O{name}")
        world.proof(f"P{name}", f"S{name}", received_at=at_time)
        if name != "forgotten":
            world.invoice(f"V{name}", order_id=f"O{name}", shipment_id=f"S{name}")
    world.invoice("Vcredit", is_credit_note=True, credited_invoice_id="Vcredited", order_id="Ocredited",
                  net_total_amount=Decimal(-100), tax_total_amount=Decimal(-19), grand_total_amount=Decimal(-119))  # fmt: skip
    for name, status in (("rebilled", "posted"), ("drafted", "draft")):
        world.delivery(name)
        world.invoice(f"V{name}", order_id=f"O{name}", shipment_id=f"S{name}", idempotency_key=f"key-{name}")
        world.invoice(f"N{name}", order_id=f"O{name}", shipment_id=f"S{name}", idempotency_key=f"note-{name}",
                      is_credit_note=True, credited_invoice_id=f"V{name}", status=status,
                      net_total_amount=Decimal(-100), tax_total_amount=Decimal(-19),
                      grand_total_amount=Decimal(-119))  # fmt: skip
    world.delivery("ordered")
    world.invoice("Vordered", moved("Oordered-1"), order_id="Oordered")
    world.delivery("alike", po_no="PO-7")
    world.invoice("Valike", po_no="PO-7", issue_date=date(2026, 11, 13))
    world.delivery("unlike", po_no="PO-8")
    world.invoice("Vunlike", po_no="PO-8", grand_total_amount=Decimal("119.01"))


def plant_versions(world: World) -> None:
    world.delivery("versions", source_version=LATER)
    old = order_line("Oversions-1", "10", "99")
    world.order("Oversions", old, order_line("Oversions-gone", "1", "5"), po_no="OLD", source_version=VERSION)
    world.delivery("unknown")
    world.rows["erp", "orders"].pop()
