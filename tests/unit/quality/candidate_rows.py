"""A candidate that passes every rule, and the state around it: what the gate's tests start from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from quality.context import GateContext
from quality.policy import load_policy
from quality.rules import ruleset_version
from state.rulesets import Approved

AS_OF = datetime(2026, 11, 13, 17, 0, tzinfo=UTC)
RULES = Approved(ruleset_version(load_policy()), "boris, proposed by anna, 2026-11-01")


def content_hash(number: int) -> str:
    """What candidate ``number`` would bill."""
    return f"{number + 1_000_000:064x}"


def candidate(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A clean candidate; ``changes`` replace columns."""
    line = {"line_id": f"L{number}", "charge_key": f"S{number}|L{number}|goods", "net_amount": "100.00"}
    row: dict[str, Any] = {
        "business_id": f"b-{number}", "revision": 1, "shipment_no": f"S{number}", "order_no": f"O{number}",
        "company_id": "WBDE", "customer_id": "C1", "pod_id": f"P{number}", "erp_connection": "erp",
        "as_of": AS_OF, "input_hash": f"{number:064x}", "content_hash": content_hash(number),
        "currency": "EUR", "net_total_amount": Decimal("100.00"), "tax_total_amount": Decimal("19.00"),
        "grand_total_amount": Decimal("119.00"), "line_count": 1, "lines_json": json.dumps([line]),
        "live_pod_count": 1, "conflicting_pod_count": 0, "superseded_pod_count": 0,
        "is_pod_superseded": False, "pod_voided_at": None, "pod_outcome": "succeeded",
        "handover_result_status": "succeeded", "pod_order_no": f"O{number}",
        "pod_captured_at": datetime(2026, 11, 13, 10, 0, tzinfo=UTC),
        "pod_received_at": datetime(2026, 11, 13, 10, 5, tzinfo=UTC),
        "departed_at": datetime(2026, 11, 13, 6, 0, tzinfo=UTC),
        "delivered_at": datetime(2026, 11, 13, 10, 0, tzinfo=UTC),
        "requires_signature": True, "requires_photo": False, "sealed_signature_count": 1,
        "sealed_photo_count": 0, "evidence_hash_mismatch_count": 0, "pod_distance_m": 40.0,
        "has_open_damage": False, "time_quality": "exact", "delivered_quantity": Decimal(5),
        "over_delivered_line_count": 0, "over_ordered_line_count": 0, "short_line_count": 0,
        "allows_partial": True, "has_line_quantities": True, "unconvertible_uom_count": 0,
        "foreign_item_count": 0, "max_price_difference_amount": Decimal(0),
        "max_price_difference_percent": Decimal(0), "unevidenced_charge_count": 0,
        "billing_currency": "EUR", "is_known_currency": True, "company_currency": "EUR", "fx_rate": None,
        "fx_rate_age_days": None, "missing_tax_code_count": 0, "tax_rate_mismatch_count": 0,
        "vat_id": "DE123456789", "is_vat_id_valid": True, "lines_net_amount": Decimal("100.00"),
        "lines_tax_amount": Decimal("19.00"), "order_total_difference_amount": Decimal(0),
        "excess_decimals_count": 0, "external_invoice_id": None, "possible_duplicate_invoice_id": None,
        "is_self_billed": False, "posting_date": date(2026, 11, 13), "delivery_date": date(2026, 11, 13),
        "books_closed_until": date(2026, 10, 31), "order_status": "confirmed",
        "order_total_amount": Decimal("100.00"), "order_invoiced_amount": Decimal(0),
        "customer_is_active": True, "is_on_billing_hold": False, "credit_limit_amount": Decimal(50000),
        "customer_open_amount": Decimal("119.00"), "bill_to_address": "Am Kai 1, Hamburg",
        "payment_terms": "30 days net", "requires_po": True, "po_no": "PO-1",
        "missing_income_account_count": 0,
    }  # fmt: skip
    unknown = set(changes) - set(row)
    assert not unknown, unknown
    return row | changes


def context(**changes: Any) -> GateContext:
    """A state in which every source answers, nothing was sent yet and the rules are approved."""
    base: dict[str, Any] = {
        "destinations": {"erp": True},
        "default_sources": frozenset({"dispatch", "pod"}),
        "rules": RULES,
    }
    return GateContext(**(base | changes))
