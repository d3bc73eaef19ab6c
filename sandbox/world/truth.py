"""What is true about the world at NOW, computed from the model alone, never from the platform.

Rows: each list shows the newest version of a document that is visible by NOW; every contract row in it counts
once, and so does what is listed a second time or belongs to nothing. An order gives itself and its lines, a
consignment its goods and charges, a proof its lines and pictures.
The metrics are in truth_kpis.py.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.dialects.drop import Drop
from sandbox.world.dialects.drop import known as told
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.known import delivered as _delivered
from sandbox.world.known import live as _live
from sandbox.world.model import Pod, Shipment, World, totals
from sandbox.world.moments import GO_LIVE, NOW
from sandbox.world.store import Documents
from sandbox.world.truth_kpis import kpis
from sandbox.world.truth_messages import messages

HOLDS_A_CONFIRMATION = frozenset({
    "POD_MISSING", "POD_VOIDED", "POD_NOT_REALIZED_OK", "POD_BEFORE_DISPATCH", "POD_IN_FUTURE", "POD_WRONG_CONSIGNMENT",
    "POD_SUPERSEDED", "POD_DOCUMENT_REQUIRED", "POD_HASH_MISMATCH", "OPEN_DAMAGE_OR_SHORTAGE", "QTY_OVER_DELIVERED",
    "QTY_OVER_ORDERED_CUMULATIVE", "NOTHING_DELIVERED", "UOM_UNCONVERTIBLE", "ITEM_NOT_ON_ORDER", "PERIOD_CLOSED",
    "ORDER_CANCELLED", "CUSTOMER_UNKNOWN_OR_INACTIVE", "CUSTOMER_BILLING_HOLD", "CONTRACT_BROKEN", "MASTER_DATA_CONFLICT",
})  # fmt: skip
"""What a confirmation of the delivery waits for as well; the rest concerns the invoice alone."""
_CHILDREN = {
    "Company": ("companies", None, None),
    "Cost Center": ("cost_centres", None, None),
    "Customer": ("customers", None, None),
    "Item": ("items", "uoms", "item_uoms"),
    "Item Tax Template": ("tax_codes", None, None),
    "Sales Order": ("orders", "items", "order_lines"),
    "Delivery Note": ("delivery_notes", None, None),
    "Sales Invoice": ("invoices", "items", "invoice_lines"),
}


def truth_of(world: World, documents: Documents, left: Drop, strays: Outcomes, points: int) -> dict[str, Any]:
    """The parts of truth.json that depend on the world; ``points``: how many positions the lorries were to tell."""
    shown = shown_of(documents)
    refused = [case.letter for case in world.cases for _ in range(case.kind.letter_count)]
    letters = [letter for letter in refused if letter] + strays.dead_letters
    invoices = invoices_of(world, shown)
    alerts = alerts_of(world, shown)
    sources = _sources(_rows(documents, left), letters, strays)
    return {
        "shipments": len(shown - {case.shipment.id for case in world.cases if case.is_lost}),
        "sources": sources,
        "messages": messages(
            sources, letters, strays.parked, len(invoices["post"]), len(invoices["confirm"]), len(alerts)
        ),
        "dead_letters": letters,
        "parked": strays.parked,
        "duplicates": strays.duplicates,
        "flagged": strays.flagged,
        "history": strays.history,
        "freight": _freight(left),
        "invoices": invoices,
        "alerts": alerts,
        "kpis": kpis(world, shown, invoices, points),
    }


def _freight(left: Drop) -> dict[str, str]:
    """What all statements ask for, by currency."""
    asked: dict[str, Decimal] = {}
    for row in left.charges:
        asked[row["currency"]] = asked.get(row["currency"], Decimal(0)) + Decimal(row["amount"])
    return {currency: str(amount) for currency, amount in sorted(asked.items())}


def alerts_of(world: World, shown: set[str]) -> list[dict[str, Any]]:
    """The exceptions since go-live that the ERP is to hear of, each as it stands at NOW."""
    states = {"paused": "On Hold", "resolved": "Resolved"}
    found = []
    for trouble in world.troubles:
        changes = told(trouble)
        is_new = bool(changes) and min(change.occurred for change in changes) >= GO_LIVE
        if is_new and trouble.shipment.id in shown:
            newest = max(changes, key=lambda change: change.occurred)
            found.append(
                {
                    "exception_id": trouble.id,
                    "shipment_no": trouble.shipment.id,
                    "status": states.get(newest.word, "Open"),
                }
            )
    return found


def shown_of(documents: Documents) -> set[str]:
    """The consignments that dispatch lists at NOW."""
    return {key[2] for key in documents.current if key[1] == "consignments"}


def _sources(
    rows: Counter[str], letters: list[dict[str, Any]], strays: Outcomes
) -> dict[str, dict[str, int]]:
    dead, waiting, repeated = (
        Counter(f"{each['connection']}.{each['resource']}" for each in some)
        for some in (letters, strays.parked, strays.duplicates)
    )
    return {
        name: {
            "rows_in": count,
            "loaded": count - dead[name] - waiting[name] - repeated[name],
            "dead_lettered": dead[name],
            "duplicate": repeated[name],
            "parked": waiting[name],
        }
        for name, count in sorted(rows.items())
    }


def _rows(documents: Documents, left: Drop) -> Counter[str]:
    """What each connection's readers get to see at NOW, by resource."""
    rows: Counter[str] = Counter()
    listed = [(system, collection, body) for (system, collection, _), body in documents.current.items()]
    for system, collection, body in [*listed, *documents.strays]:
        _count(rows, system, collection, body)
    # A feed serves what it has heard by NOW, without versions.
    limit = NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for collection, resource in (("points", "positions"), ("safety", "vehicle_events")):
        rows[f"sandbox_telematics.{resource}"] = sum(
            row[:2] == ("telematics", collection) and row[4] <= limit for row in documents.rows
        )
    rows["sandbox_crm.exception_events"] = len(left.cases)
    rows["sandbox_maintenance.maintenance_orders"] = len(left.workshop)
    rows["sandbox_carrier.carriers"] = len(left.carriers)
    rows["sandbox_carrier.freight_charges"] = len(left.charges)
    return rows


def _count(rows: Counter[str], system: str, collection: str, body: dict[str, Any]) -> None:
    """One document and the rows in it."""
    if system == "erp":
        parent, children, name = _CHILDREN[collection]
        rows[f"sandbox_erp.{parent}"] += 1
        if children and name:
            rows[f"sandbox_erp.{name}"] += len(body[children])
        rows["sandbox_erp.item_accounts"] += len(body.get("item_defaults", ()))
    elif system == "dispatch":
        if collection == "routes":
            rows["sandbox_dispatch.route_points"] += len(body["geoReferences"]["points"])
            return
        rows[f"sandbox_dispatch.{'drivers' if collection == 'actors' else collection}"] += 1
        if collection == "consignments":
            rows["sandbox_dispatch.consignment_lines"] += len(body["goods"])
            rows["sandbox_dispatch.consignment_charges"] += len(body["externalAttributes"]["charges"])
    elif system == "pod":
        done = body["completionDetails"]
        values = {each["name"]: each["value"] for each in body["metadata"]}
        rows["sandbox_pod.proofs"] += 1
        rows["sandbox_pod.delivered_lines"] += len(json.loads(values["delivered_lines"]))
        rows["sandbox_pod.evidence"] += len(done["photoUploadIds"]) + bool(done["signatureUploadId"])
    elif system == "depot_pod":
        rows["sandbox_depot_pod.proofs"] += 1
        rows["sandbox_depot_pod.delivered_lines"] += len(body["lines"])
        rows["sandbox_depot_pod.evidence"] += len(body["documents"])
    else:
        rows["sandbox_wms.delivery_events" if system == "wms" else "sandbox_tms.eta_predictions"] += 1


def invoices_of(world: World, shown: set[str]) -> dict[str, list[dict[str, Any]]]:
    """What is to be posted, blocked and warned of, and which deliveries are to be confirmed."""
    found: dict[str, list[dict[str, Any]]] = {"post": [], "block": [], "warn": [], "confirm": []}
    cases = {case.shipment.id: case for case in world.cases}
    zones = {company.id: ZoneInfo(company.zone) for company in world.companies}
    for shipment in world.shipments:
        case, pod, delivered = cases.get(shipment.id), _live(shipment), _delivered(shipment)
        if shipment.id not in shown or shipment.is_billed_by_hand or (case and case.is_lost):
            continue
        if not (delivered or (pod and pod.outcome != "failed")):
            continue
        codes = list(case.codes) if case else []
        zone = zones[shipment.order.company]
        if not pod and not codes:
            codes.append("POD_MISSING")
        if delivered and delivered.astimezone(zone).month != NOW.astimezone(zone).month:
            codes.append("CUTOFF_MISMATCH")
        if codes:
            found["block"].append({"shipment_no": shipment.id, "codes": sorted(set(codes))})
        elif pod:
            found["post"].append(_posting(shipment, pod))
        if pod and not HOLDS_A_CONFIRMATION.intersection(codes):
            found["confirm"].append({"shipment_no": shipment.id})
        if case and case.warns:
            found["warn"].append({"shipment_no": shipment.id, "codes": sorted(case.warns)})
    return found


def _posting(shipment: Shipment, pod: Pod) -> dict[str, Any]:
    order = shipment.order
    parts = [(line, Decimal(pod.delivered.get(line.id, 0))) for line in order.lines]
    net, tax = totals(parts, order.currency)
    return {
        "shipment_no": shipment.id,
        "company_id": order.company,
        "currency": order.currency,
        "net": str(net),
        "tax": str(tax),
        "total": str(net + tax),
    }
