"""From raw rows to candidates and outbound invoices: one small world per edge, all in one build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate, InvoiceDocumentLine
from core.ids import surrogate_uuid
from tests.support.deliveries import DELIVERED, DEPARTED, RECEIVED, World, moved, order_line
from tests.support.warehouse import VERSION, append, create_raw_tables, insert_rows, query, run_dbt

AS_OF = "2026-11-13T17:00:00+00:00"
GO_LIVE = "2026-11-10T00:00:00+00:00"
BEFORE = datetime(2026, 11, 3, 9, tzinfo=UTC)
LATER = VERSION + timedelta(hours=1)
Row = dict[str, Any]


def build(path: Path, tag: str = "before_gate", as_of: str = AS_OF) -> None:
    more = {"as_of": as_of, "go_live_at": GO_LIVE}
    result = run_dbt(path, "build", "--select", f"tag:{tag}", "--exclude-resource-type", "unit_test", **more)
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) in ("error", "fail")
    ]


def plant(world: World) -> None:
    """Every edge under its own shipment number."""
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


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("core") / "warehouse.duckdb"
    create_raw_tables(path)
    world = World()
    plant(world)
    world.write(path)
    insert_rows(path, "erp", "orders", [{"order_id": "Ohalf", "customer_id": "C1", "currency": "EUR",
                "status": "confirmed", "ordered_at": DEPARTED, "_dlt_load_id": "not finished"}])  # fmt: skip
    build(path)
    yield path


@pytest.fixture(scope="module")
def candidates(warehouse: Path) -> dict[str, Row]:
    return {
        row["shipment_no"][1:]: row for row in query(warehouse, "SELECT * FROM candidates.invoice_candidates")
    }


@pytest.fixture(scope="module")
def shipments(warehouse: Path) -> dict[str, Row]:
    return {
        row["shipment_no"][1:]: row for row in query(warehouse, "SELECT * FROM canonical.canonical_shipments")
    }


def seen(row: Row, **expected: Any) -> None:
    assert {name: row[name] for name in expected} == expected


def test_the_candidate_is_the_contract(warehouse: Path) -> None:
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        table = connection.execute("SELECT * FROM candidates.invoice_candidates").to_arrow_table()
    found = {field.name: field.type for field in table.schema}
    wanted = {field.name: field.type for field in schema_of(InvoiceCandidate)}
    assert set(found) == set(wanted)
    assert {
        name for name, kind in wanted.items() if found[name] != kind and not pa.types.is_timestamp(kind)
    } == set()
    required = [field.name for field in schema_of(InvoiceCandidate) if not field.nullable]
    assert [name for name in required if table.column(name).null_count] == []


def test_a_clean_delivery_is_billed_as_delivered(candidates: dict[str, Row]) -> None:
    row = candidates["clean"]
    seen(row, business_id=surrogate_uuid("dispatch", "Sclean"), net_total_amount=Decimal(100),
         tax_total_amount=Decimal(19), grand_total_amount=Decimal(119), line_count=1, live_pod_count=1,
         conflicting_pod_count=0, short_line_count=0, over_ordered_line_count=0, external_invoice_id=None,
         possible_duplicate_invoice_id=None, posting_date=date(2026, 11, 13), delivery_date=date(2026, 11, 12),
         order_total_difference_amount=Decimal(0), missing_income_account_count=0, erp_connection="erp")  # fmt: skip
    line = InvoiceDocumentLine.model_validate(json.loads(row["lines_json"])[0])
    assert (line.charge_key, line.net_amount, line.quantity) == (
        "Sclean|Oclean-1|goods|1",
        Decimal(100),
        Decimal(10),
    )


def test_only_what_was_delivered_is_a_candidate(candidates: dict[str, Row]) -> None:
    assert {"pending", "both", "cancelled", "again-1", "history"}.isdisjoint(candidates)
    assert {"late", "again-2", "forgotten", "missing", "failed", "credited"} <= set(candidates)


def test_the_live_proof_is_neither_void_nor_replaced(candidates: dict[str, Row]) -> None:
    seen(candidates["void"], live_pod_count=0, pod_voided_at=RECEIVED, pod_id=None, is_pod_superseded=False)
    seen(candidates["replaced"], pod_id="Preplaced-2", live_pod_count=1, superseded_pod_count=1,
         conflicting_pod_count=0, delivered_quantity=Decimal(10))  # fmt: skip
    seen(candidates["conflict"], pod_id="Pconflict-2", live_pod_count=2, conflicting_pod_count=1)
    seen(candidates["orphaned"], live_pod_count=0, is_pod_superseded=True, pod_voided_at=None)
    seen(candidates["missing"], live_pod_count=0, pod_voided_at=None, line_count=0, lines_json="[]")


def test_evidence_is_counted_as_it_lies_under_seal(candidates: dict[str, Row]) -> None:
    row = candidates["damage"]
    seen(
        row,
        has_open_damage=True,
        sealed_signature_count=1,
        sealed_photo_count=0,
        evidence_hash_mismatch_count=1,
    )
    assert 11_000 < row["pod_distance_m"] < 11_300
    seen(candidates["clean"], has_open_damage=False, pod_distance_m=None)


def test_units_are_converted_and_only_where_a_factor_is_known(candidates: dict[str, Row]) -> None:
    seen(candidates["box"], delivered_quantity=Decimal(24), net_total_amount=Decimal(48), unconvertible_uom_count=0,
         short_line_count=0)  # fmt: skip
    seen(candidates["pallet"], unconvertible_uom_count=1)


def test_partial_deliveries_bill_what_was_accepted(
    candidates: dict[str, Row], shipments: dict[str, Row]
) -> None:
    seen(
        candidates["part"], net_total_amount=Decimal(40), tax_total_amount=Decimal("7.60"), short_line_count=1
    )
    seen(shipments["part"], is_in_full=False, ordered_quantity=Decimal(10), accepted_quantity=Decimal(4))
    seen(candidates["blind"], delivered_quantity=Decimal(0), has_line_quantities=False)
    seen(shipments["blind"], accepted_quantity=None, is_in_full=None)
    seen(candidates["full"], delivered_quantity=Decimal(10), net_total_amount=Decimal(100))


def test_foreign_items_and_surplus_are_seen(candidates: dict[str, Row]) -> None:
    seen(
        candidates["foreign"],
        foreign_item_count=1,
        net_total_amount=Decimal(100),
        over_delivered_line_count=0,
    )
    seen(candidates["more"], over_delivered_line_count=1, over_ordered_line_count=0)


def test_what_is_billed_in_total_is_held_against_the_order(candidates: dict[str, Row]) -> None:
    assert [candidates[name]["over_ordered_line_count"] for name in ("split-1", "split-2")] == [0, 0]
    assert [candidates[name]["over_ordered_line_count"] for name in ("over-1", "over-2")] == [0, 1]


def test_a_split_answers_for_its_part_and_a_redelivery_for_the_whole(shipments: dict[str, Row]) -> None:
    seen(shipments["split-1"], ordered_quantity=Decimal(6), is_in_full=True)
    seen(shipments["again-2"], ordered_quantity=Decimal(10), is_in_full=True, parent_shipment_no="Sagain-1")
    seen(shipments["again-1"], is_delivered=False, failed_attempt_at=DELIVERED, accepted_quantity=Decimal(0))


def test_cancellation_before_and_after_the_departure(shipments: dict[str, Row]) -> None:
    seen(shipments["late"], is_cancelled_before_dispatch=False, departed_at=DEPARTED)
    seen(shipments["clean"], is_cancelled_before_dispatch=False, delivered_at=DELIVERED, region="North")


def test_lines_round_half_up_and_tax_rounds_once_per_rate(candidates: dict[str, Row]) -> None:
    # 1.005 -> 1.01 at 19 % = 0.1919 -> 0.19; 2.675 -> 2.68 at 7 % = 0.1876 -> 0.19
    seen(candidates["round"], net_total_amount=Decimal("3.69"), tax_total_amount=Decimal("0.38"))
    # 10 x 33.35 = 333.5 -> 334 yen; 19 % = 63.46 -> 63
    seen(candidates["yen"], net_total_amount=Decimal(334), tax_total_amount=Decimal(63))


def test_price_tax_and_header_are_measured(candidates: dict[str, Row]) -> None:
    seen(candidates["price"], max_price_difference_amount=Decimal("0.10"), tax_rate_mismatch_count=1,
         max_price_difference_percent=Decimal("1.01010101"), order_total_difference_amount=Decimal("0.03"))  # fmt: skip
    seen(candidates["xts"], is_known_currency=False)
    seen(candidates["usd"], company_currency="EUR", fx_rate_age_days=43)


def test_only_proven_charges_are_billed(candidates: dict[str, Row]) -> None:
    row = candidates["charge"]
    seen(row, net_total_amount=Decimal("112.50"), unevidenced_charge_count=1, line_count=2)
    assert "Scharge|X-waiting|WAITING|1" in row["lines_json"]
    assert "X-ghost" not in row["lines_json"]


def test_an_amount_that_does_not_fit_is_unknown_and_stops_nobody_else(candidates: dict[str, Row]) -> None:
    seen(candidates["huge"], net_total_amount=None, grand_total_amount=None)


def test_invoices_made_by_hand(candidates: dict[str, Row]) -> None:
    seen(candidates["external"], external_invoice_id="Vexternal", order_invoiced_amount=Decimal(0))
    seen(candidates["credited"], external_invoice_id=None)
    seen(
        candidates["ordered"],
        external_invoice_id=None,
        order_invoiced_amount=Decimal(100),
        over_ordered_line_count=0,
    )
    assert candidates["alike"]["possible_duplicate_invoice_id"] == "Valike"
    assert candidates["unlike"]["possible_duplicate_invoice_id"] is None


def test_a_late_older_version_and_its_lines_do_not_count(warehouse: Path, candidates: dict[str, Row]) -> None:
    seen(candidates["versions"], net_total_amount=Decimal(100), order_total_amount=Decimal(100), po_no=None)
    half = query(warehouse, "SELECT order_no FROM canonical.canonical_orders WHERE order_no = 'Ohalf'")
    assert half == []


def test_an_unknown_order_leaves_a_candidate_without_amounts(candidates: dict[str, Row]) -> None:
    seen(
        candidates["unknown"],
        order_no="Ounknown",
        order_status=None,
        grand_total_amount=None,
        customer_id=None,
    )


def test_time_alone_changes_no_hash_and_a_new_price_does(
    warehouse: Path, candidates: dict[str, Row], tmp_path: Path
) -> None:
    copy = tmp_path / "later.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    insert_rows(copy, "erp", "orders", [{"order_id": "Opart", "customer_id": "C1", "currency": "EUR",
                "status": "confirmed", "company_id": "WBDE", "ordered_at": DEPARTED, "source_version": LATER}])  # fmt: skip
    changed = order_line("Opart-1", "10", "11") | {"order_id": "Opart", "line_no": 1, "source_version": LATER}
    insert_rows(copy, "erp", "order_lines", [changed])
    build(copy, as_of="2026-11-20T09:00:00+00:00")
    later = {
        row["shipment_no"][1:]: row for row in query(copy, "SELECT * FROM candidates.invoice_candidates")
    }
    differing = {name for name, row in later.items() if row["input_hash"] != candidates[name]["input_hash"]}
    assert differing == {"part"}
    assert later["part"]["content_hash"] != candidates["part"]["content_hash"]
    assert later["clean"]["posting_date"] == date(2026, 11, 20)


def decision(row: Row, sequence: int, **changes: Any) -> Row:
    return {
        "sequence": sequence, "decision_id": f"d{sequence}", "business_id": row["business_id"], "revision": 1,
        "shipment_no": row["shipment_no"], "verdict": "released", "codes": "[]", "warnings": "[]", "reasons": "[]",
        "input_hash": row["input_hash"], "content_hash": row["content_hash"], "decided_at": RECEIVED,
    } | changes  # fmt: skip


def test_only_the_latest_release_on_the_same_inputs_goes_out(
    warehouse: Path, candidates: dict[str, Row], tmp_path: Path
) -> None:
    copy = tmp_path / "sent.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    append(copy, "raw_gate", "decisions", [
        decision(candidates["clean"], 1, verdict="blocked"),
        decision(candidates["clean"], 2),
        decision(candidates["part"], 3),
        decision(candidates["part"], 4, verdict="blocked"),
        decision(candidates["full"], 5, input_hash="of other inputs"),
    ])  # fmt: skip
    build(copy, "outbound")
    rows = query(copy, "SELECT * FROM outbound.outbound_erp__invoices")
    assert [(row["shipment_no"], row["decision_id"], row["destination"]) for row in rows] == [
        ("Sclean", "d2", "erp")
    ]


def test_the_unit_tests_beside_the_models_pass(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"  # views name the file they were made in
    copy.write_bytes(warehouse.read_bytes())
    result = run_dbt(copy, "test", "--select", "test_type:unit,tag:before_gate", as_of=AS_OF)
    assert result.success, [(each.node.name, each.message) for each in result.result.results]
    assert len(result.result.results) >= 7
