"""How much a candidate bills: quantities in the order's unit, prices, taxes, charges, invoices made by hand."""

from __future__ import annotations

import json
from decimal import Decimal

from tests.integration.dbt_core.conftest import Row, seen
from tests.support.deliveries import DELIVERED


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


def test_only_a_posted_credit_note_of_ours_raises_the_revision(candidates: dict[str, Row]) -> None:
    seen(candidates["rebilled"], revision=2, external_invoice_id=None, order_invoiced_amount=Decimal(0))
    (line,) = json.loads(candidates["rebilled"]["lines_json"])
    assert line["charge_key"] == "Srebilled|Orebilled-1|goods|2"
    for name in ("drafted", "credited", "clean"):
        seen(candidates[name], revision=1)
