"""For each rule one row that trips exactly it, and the nearest row that does not.

``{n}`` stands for the case's own number, so that all cases fit into one batch and one state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from candidate_rows import AS_OF, content_hash

from quality.context import Posted

OTHER = "f" * 64


@dataclass(frozen=True)
class Case:
    """Changes of row and state that trip the rule, and those that just do not.

    The state is given as parts: ``outbox`` (state, content or None for the row's own, key, charges),
    ``order_letters``, ``shipment_letters``, ``stale`` and ``destinations`` by name.
    """

    trips: dict[str, Any] = field(default_factory=dict)
    passes: dict[str, Any] = field(default_factory=dict)
    trips_state: dict[str, Any] = field(default_factory=dict)
    passes_state: dict[str, Any] = field(default_factory=dict)


def posted(state: str, content: str | None = None, key: str = "b-{n}", *charges: str) -> dict[str, Any]:
    """An outbox row."""
    return {"outbox": {key: (state, content, charges)}}


def filled(part: dict[str, Any], number: int) -> dict[str, Any]:
    """A state part of one case as arguments of GateContext."""
    text = lambda value: value.format(n=number)  # noqa: E731
    made: dict[str, Any] = {}
    for name, content in part.items():
        if name == "outbox":
            made[name] = {
                (text(key), 1): Posted(
                    state, given or content_hash(number), frozenset(text(charge) for charge in charges)
                )
                for key, (state, given, charges) in content.items()
            }
        else:
            made[name] = {text(key): value for key, value in content.items()}
    return made


NO_POD: dict[str, Any] = {
    "live_pod_count": 0, "pod_id": None, "pod_outcome": None, "pod_captured_at": None,
    "pod_received_at": None, "pod_order_no": None, "sealed_signature_count": 0, "pod_distance_m": None,
    "delivered_quantity": Decimal(0), "net_total_amount": Decimal(0), "tax_total_amount": Decimal(0),
    "grand_total_amount": Decimal(0), "lines_net_amount": Decimal(0), "lines_tax_amount": Decimal(0),
}  # fmt: skip
CASES: dict[str, Case] = {
    "POD_MISSING": Case(NO_POD, {"live_pod_count": 1}),
    "POD_VOIDED": Case(NO_POD | {"pod_voided_at": AS_OF}, {"pod_voided_at": None}),
    "POD_NOT_REALIZED_OK": Case({"pod_outcome": "failed"}, {"pod_outcome": "partiallySucceeded"}),
    "POD_BEFORE_DISPATCH": Case(
        {"departed_at": datetime(2026, 11, 13, 10, 0, 1, tzinfo=UTC)},
        {"departed_at": datetime(2026, 11, 13, 10, 0, 0, tzinfo=UTC)},
    ),
    "POD_IN_FUTURE": Case(
        {"pod_captured_at": AS_OF + timedelta(seconds=301)},
        {"pod_captured_at": AS_OF + timedelta(seconds=300)},
    ),
    "POD_WRONG_CONSIGNMENT": Case({"pod_order_no": "another"}, {"pod_order_no": None}),
    "POD_SUPERSEDED": Case({"conflicting_pod_count": 1}, {"superseded_pod_count": 1}),
    "POD_DOCUMENT_REQUIRED": Case(
        {"sealed_signature_count": 0}, {"sealed_signature_count": 0, "requires_signature": False}
    ),
    "POD_HASH_MISMATCH": Case(
        {"evidence_hash_mismatch_count": 1}, {"evidence_hash_mismatch_count": 0},
        passes_state={"order_letters": {"S{n}": frozenset({"EVIDENCE_HASH_MISMATCH"})}},
    ),
    "POD_GEO_MISMATCH": Case({"pod_distance_m": 1000.5}, {"pod_distance_m": 1000.0}),
    "OPEN_DAMAGE_OR_SHORTAGE": Case({"has_open_damage": True}, {"short_line_count": 1}),
    "TIME_AMBIGUOUS": Case({"time_quality": "gap"}, {"time_quality": "assumed_zone"}),
    "QTY_OVER_DELIVERED": Case({"over_delivered_line_count": 1}, {"over_delivered_line_count": 0}),
    "QTY_OVER_ORDERED_CUMULATIVE": Case({"over_ordered_line_count": 2}, {"over_ordered_line_count": 0}),
    "NOTHING_DELIVERED": Case(
        {"delivered_quantity": Decimal(0), "grand_total_amount": Decimal(0), "net_total_amount": Decimal(0)},
        {"delivered_quantity": Decimal("0.0001")},
    ),
    "PARTIAL_NOT_ALLOWED": Case(
        {"short_line_count": 1, "allows_partial": False}, {"short_line_count": 0, "allows_partial": False}
    ),
    "UOM_UNCONVERTIBLE": Case({"unconvertible_uom_count": 1}, {"unconvertible_uom_count": 0}),
    "ITEM_NOT_ON_ORDER": Case({"foreign_item_count": 1}, {"foreign_item_count": 0}),
    "PRICE_MISMATCH": Case(
        {"max_price_difference_amount": Decimal("0.03"), "max_price_difference_percent": Decimal("0.51")},
        {"max_price_difference_amount": Decimal("9.00"), "max_price_difference_percent": Decimal("0.5")},
    ),
    "ACCESSORIAL_NO_EVIDENCE": Case({"unevidenced_charge_count": 1}, {"unevidenced_charge_count": 0}),
    "CURRENCY_MISMATCH": Case({"billing_currency": "USD"}, {"billing_currency": None}),
    "CURRENCY_UNKNOWN": Case(
        {"currency": "EUX", "is_known_currency": False}, {"currency": "EUR", "is_known_currency": True}
    ),
    "FX_RATE_MISSING_OR_STALE": Case(
        {"company_currency": "JPY", "fx_rate": Decimal("0.006"), "fx_rate_age_days": 31},
        {"company_currency": "JPY", "fx_rate": Decimal("0.006"), "fx_rate_age_days": 30},
    ),
    "TAX_CODE_MISSING": Case({"missing_tax_code_count": 1}, {"missing_tax_code_count": 0}),
    "TAX_RATE_MISMATCH": Case({"tax_rate_mismatch_count": 1}, {"tax_rate_mismatch_count": 0}),
    "VAT_ID_INVALID": Case(
        {"vat_id": "DE1", "is_vat_id_valid": False}, {"vat_id": None, "is_vat_id_valid": None}
    ),
    "TOTALS_INCONSISTENT": Case(
        {"grand_total_amount": Decimal("119.01")},
        {"grand_total_amount": Decimal("119.01"), "tax_total_amount": Decimal("19.01"),
         "lines_tax_amount": Decimal("19.01")},
    ),
    "TOO_MANY_DECIMALS": Case({"excess_decimals_count": 1}, {"excess_decimals_count": 0}),
    "ROUNDING_UNEXPLAINED": Case(
        {"order_total_difference_amount": Decimal("0.05")}, {"order_total_difference_amount": Decimal(0)}
    ),
    "ZERO_OR_NEGATIVE_TOTAL": Case(
        {"grand_total_amount": Decimal(0), "net_total_amount": Decimal(0), "tax_total_amount": Decimal(0),
         "lines_net_amount": Decimal(0), "lines_tax_amount": Decimal(0)},
        {"grand_total_amount": Decimal("0.01"), "net_total_amount": Decimal("0.01"),
         "tax_total_amount": Decimal(0), "lines_net_amount": Decimal("0.01"), "lines_tax_amount": Decimal(0)},
    ),
    "ALREADY_POSTED": Case(
        trips_state=posted("ACKED", OTHER, "other-{n}", "S{n}|L{n}|goods"),
        passes_state=posted("ACKED", OTHER, "other-{n}", "S{n}|L0|goods"),
    ),
    "IN_FLIGHT_UNKNOWN": Case(trips_state=posted("UNKNOWN"), passes_state=posted("READY")),
    "PAYLOAD_CHANGED_AFTER_POST": Case(trips_state=posted("ACKED", OTHER), passes_state=posted("ACKED")),
    "EXTERNALLY_INVOICED": Case({"external_invoice_id": "SINV-1"}, {"external_invoice_id": None}),
    "SELF_BILLED": Case({"is_self_billed": True}, {"is_self_billed": False}),
    "POSSIBLE_DUPLICATE": Case(
        {"possible_duplicate_invoice_id": "SINV-2"}, {"possible_duplicate_invoice_id": None}
    ),
    "PERIOD_CLOSED": Case(
        {"books_closed_until": date(2026, 11, 13)}, {"books_closed_until": date(2026, 11, 12)}
    ),
    "CUTOFF_MISMATCH": Case({"delivery_date": date(2026, 10, 31)}, {"delivery_date": date(2026, 11, 1)}),
    "ORDER_CANCELLED": Case({"order_status": "cancelled"}, {"order_status": "closed"}),
    "ORDER_FULLY_INVOICED": Case(
        {"order_invoiced_amount": Decimal(100)}, {"order_invoiced_amount": Decimal("99.99")}
    ),
    "CUSTOMER_UNKNOWN_OR_INACTIVE": Case({"customer_is_active": False}, {"customer_is_active": True}),
    "CUSTOMER_BILLING_HOLD": Case({"is_on_billing_hold": True}, {"is_on_billing_hold": False}),
    "CREDIT_LIMIT": Case(
        {"customer_open_amount": Decimal("50000.01")}, {"customer_open_amount": Decimal(50000)}
    ),
    "BILL_TO_MISSING": Case({"bill_to_address": "  "}, {"bill_to_address": "x"}),
    "PAYMENT_TERMS_MISSING": Case({"payment_terms": None}, {"payment_terms": "cash"}),
    "PO_REFERENCE_REQUIRED": Case({"po_no": ""}, {"po_no": None, "requires_po": False}),
    "GL_MAPPING_MISSING": Case({"missing_income_account_count": 1}, {"missing_income_account_count": 0}),
    "MASTER_DATA_CONFLICT": Case(
        trips_state={"order_letters": {"O{n}": frozenset({"VERSION_CONFLICT"})}},
        passes_state={"order_letters": {"O{n}x": frozenset({"VERSION_CONFLICT"})}},
    ),
    "SOURCE_STALE": Case(
        {"erp_connection": "slow_erp"}, {"erp_connection": "erp"},
        {"stale": {"slow_erp": "timed out"}, "destinations": {"slow_erp": True}},
        {"stale": {"telematics": "timed out"}},
    ),
    "CONTRACT_BROKEN": Case(
        trips_state={"shipment_letters": {"S{n}": frozenset({"FIELD_MISSING"})}},
        passes_state={"shipment_letters": {"S{n}x": frozenset({"FIELD_MISSING"})}},
    ),
    "CHECK_NOT_RUN": Case({"short_line_count": None}, {"short_line_count": 0}),
    "VALUE_OVER_LIMIT": Case(
        {"grand_total_amount": Decimal("250000.01"), "net_total_amount": Decimal("249981.01"),
         "lines_net_amount": Decimal("249981.01")},
        {"grand_total_amount": Decimal(250000), "net_total_amount": Decimal(249981),
         "lines_net_amount": Decimal(249981)},
    ),
    "ERP_UNAVAILABLE": Case(
        {"erp_connection": "dead_erp"}, {"erp_connection": "erp"},
        {"destinations": {"dead_erp": False}}, {"destinations": {"dead_erp": False}},
    ),
}  # fmt: skip
