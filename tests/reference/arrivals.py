"""What arrived between two runs, and which rows it concerns: the order, its shipments and invoices, the stop.

Master data concerns everything and nothing in particular, and what Waybill decides did not arrive: both are left out.

Told by what is known otherwise: the current rows of one run beside those of the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from tests.reference.inputs import Inputs
from tests.reference.invoices import bills_of
from tests.reference.shipments import shipments

KNOWN_KINDS = ("shipment", "order", "invoice", "stop", "arrival")
"""Of the others nothing is noted when it arrives: what changed is what arrived."""
_OF_ORDERS = {
    ("erp", "orders"): "order_id", ("erp", "order_lines"): "order_id", ("erp", "delivery_notes"): "order_id",
}  # fmt: skip
_OF_SHIPMENTS = {
    ("dispatch", "consignments"): "consignment_id", ("dispatch", "consignment_lines"): "consignment_id",
    ("dispatch", "consignment_charges"): "consignment_id", ("dispatch", "actions"): "consignment_id",
    ("pod", "proofs"): "consignment_id",
    ("crm", "exception_events"): "consignment_id",
}  # fmt: skip
_OF_PROOFS = (("pod", "delivered_lines"), ("pod", "evidence"))


@dataclass
class Arrived:
    """Which rows something arrived about, and of which something was taken back."""

    about: set[tuple[str, str]] = field(default_factory=set)
    corrected: set[tuple[str, str]] = field(default_factory=set)

    def cause(self, kind: str, name: str) -> str:
        if (kind, name) in self.corrected:
            return "correction"
        if (kind, name) in self.about or kind not in KNOWN_KINDS:
            return "late event"
        return "definition or deadline"


def arrived(before: Inputs, after: Inputs) -> Arrived:
    ships = shipments(after)
    bills = bills_of(
        after["erp", "invoices"].filter(~pl.col("is_credit_note")).with_columns(made_by=pl.lit("")), ships
    )
    of_order = dict(ships.select("shipment_no", "order_no").iter_rows())
    billed: dict[str, set[str]] = {}
    for shipment, invoice in bills.select("shipment_no", "invoice_id").iter_rows():
        billed.setdefault(invoice, set()).add(shipment)
    orders, taken_back = _orders(before, after, of_order, billed)
    found = Arrived(_concerned(orders, of_order, billed), _concerned(taken_back, of_order, billed))
    found.about |= {(kind, stop) for stop in _stops(before, after) for kind in ("stop", "arrival")}
    return found


def _orders(
    before: Inputs, after: Inputs, of_order: dict[str, str], billed: dict[str, set[str]]
) -> tuple[set[str], set[str]]:
    """Orders about which something arrived, and those of which something was taken back."""
    proofs = dict(after["pod", "proofs"].select("pod_id", "consignment_id").iter_rows())
    named = {name for table, column in _OF_SHIPMENTS.items() for name in news(before, after, *table)[column]}
    named |= {proofs.get(name) for table in _OF_PROOFS for name in news(before, after, *table)["pod_id"]}
    orders = {name for table, column in _OF_ORDERS.items() for name in news(before, after, *table)[column]}
    replaced = news(before, after, "pod", "proofs").filter(
        pl.col("supersedes_id").is_not_null() | pl.col("voided_at").is_not_null()
    )
    taken_back: set[str | None] = set(replaced["consignment_id"])
    for bill in news(before, after, "erp", "invoices").iter_rows(named=True):
        ships = billed.get(bill["credited_invoice_id"] or bill["invoice_id"], set())
        named |= ships
        taken_back |= ships if bill["is_credit_note"] or bill["status"] == "cancelled" else set()
    return orders | _of(named, of_order), _of(taken_back, of_order)


def _of(shipments_named: Iterable[str | None], of_order: dict[str, str]) -> set[str]:
    return {of_order[name] for name in shipments_named if name in of_order}


def _concerned(
    orders: set[str], of_order: dict[str, str], billed: dict[str, set[str]]
) -> set[tuple[str, str]]:
    """What arrives about one shipment may change the others of its order, the order and its invoices."""
    ships = {name for name, order in of_order.items() if order in orders}
    bills = {bill for bill, of in billed.items() if of & ships}
    return (
        {("order", name) for name in orders}
        | {("shipment", name) for name in ships}
        | {("invoice", name) for name in bills}
    )


def _stops(before: Inputs, after: Inputs) -> set[str]:
    acts = news(before, after, "dispatch", "actions")
    charged = set(news(before, after, "dispatch", "consignment_charges")["evidence_action_id"])
    named = after["dispatch", "actions"].filter(pl.col("action_id").is_in(list(charged - {None})))
    told = news(before, after, "tms", "eta_predictions")
    handed = after["dispatch", "actions"].join(
        told.filter(pl.col("stop_id").is_null()).select("consignment_id"), on="consignment_id", how="semi"
    )
    own = acts.filter(action_type="stop")["action_id"]
    every = (*acts["stop_id"], *own, *named["stop_id"], *told["stop_id"], *handed["stop_id"])
    return {stop for stop in every if stop is not None}


def news(before: Inputs, after: Inputs, kind: str, name: str) -> pl.DataFrame:
    """Current rows that were not there, or not so."""
    frame = after[kind, name]
    return frame.join(before[kind, name], on=frame.columns, how="anti", nulls_equal=True)
