"""What is true about the world at NOW, computed from the model alone, never from the platform.

Rows: each list shows the newest version of a document that is visible by NOW; every contract row in it counts
once. An order gives itself and its lines, a consignment its goods and charges, a proof its lines and pictures.
A duration's n counts non-negative ones; negative ones are in n_negative; numerator and denominator are for rates.
Metrics that end in Waybill's posting are left to the rows posted by hand (dimension ``made_by`` = ``hand``).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.model import Pod, Shipment, World, totals
from sandbox.world.moments import NOW, visible
from sandbox.world.store import Documents

_CHILDREN = {
    "Company": ("companies", None, None),
    "Customer": ("customers", None, None),
    "Item": ("items", "uoms", "item_uoms"),
    "Item Tax Template": ("tax_codes", None, None),
    "Sales Order": ("orders", "items", "order_lines"),
    "Delivery Note": ("delivery_notes", None, None),
    "Sales Invoice": ("invoices", "items", "invoice_lines"),
}


def truth_of(world: World, documents: Documents, more: list[dict[str, Any]]) -> dict[str, Any]:
    """The parts of truth.json that depend on the world."""
    shown = {key[2] for key in documents.current if key[1] == "consignments"}
    refused = [case.letter for case in world.cases for _ in range(case.kind.letter_count)]
    letters = [letter for letter in refused if letter] + more
    parked = [case.parked for case in world.cases if case.parked]
    return {
        "shipments": len(shown - {case.shipment.id for case in world.cases if case.is_lost}),
        "sources": _sources(documents, letters, parked),
        "dead_letters": letters,
        "parked": parked,
        "invoices": _invoices(world, shown),
        "kpis": _kpis(world, shown),
    }


def _sources(
    documents: Documents, letters: list[dict[str, Any]], parked: list[dict[str, Any]]
) -> dict[str, dict[str, int]]:
    rows: Counter[str] = Counter()
    for (system, collection, _), body in documents.current.items():
        if system == "erp":
            parent, children, name = _CHILDREN[collection]
            rows[f"sandbox_erp.{parent}"] += 1
            if children and name:
                rows[f"sandbox_erp.{name}"] += len(body[children])
            rows["sandbox_erp.item_accounts"] += len(body.get("item_defaults", ()))
        elif system == "dispatch":
            rows[f"sandbox_dispatch.{collection}"] += 1
            if collection == "consignments":
                rows["sandbox_dispatch.consignment_lines"] += len(body["goods"])
                rows["sandbox_dispatch.consignment_charges"] += len(body["externalAttributes"]["charges"])
        elif system == "pod":
            done = body["completionDetails"]
            values = {each["name"]: each["value"] for each in body["metadata"]}
            rows["sandbox_pod.proofs"] += 1
            rows["sandbox_pod.delivered_lines"] += len(json.loads(values["delivered_lines"]))
            rows["sandbox_pod.evidence"] += len(done["photoUploadIds"]) + bool(done["signatureUploadId"])
        else:
            rows["sandbox_depot_pod.proofs"] += 1
            rows["sandbox_depot_pod.delivered_lines"] += len(body["lines"])
            rows["sandbox_depot_pod.evidence"] += len(body["documents"])
    # A feed serves what it has heard by NOW, without versions.
    limit = NOW.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    rows["sandbox_telematics.positions"] = sum(
        row[0] == "telematics" and row[4] <= limit for row in documents.rows
    )
    dead = Counter(f"{each['connection']}.{each['resource']}" for each in letters)
    waiting = Counter(f"{each['connection']}.{each['resource']}" for each in parked)
    return {
        name: {
            "rows_in": count,
            "loaded": count - dead[name] - waiting[name],
            "dead_lettered": dead[name],
            "duplicate": 0,
            "parked": waiting[name],
        }
        for name, count in sorted(rows.items())
    }


def _live(shipment: Shipment) -> Pod | None:
    known = [pod for pod in shipment.pods if visible(pod.received) <= NOW]
    return known[-1] if known else None


def _by_now(moment: datetime | None) -> datetime | None:
    return moment if moment and visible(moment) <= NOW else None


def _delivered(shipment: Shipment) -> datetime | None:
    return None if shipment.is_failed else _by_now(shipment.delivered)


def _invoices(world: World, shown: set[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"post": [], "block": [], "warn": []}
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


def _kpis(world: World, shown: set[str]) -> list[dict[str, Any]]:
    lost = {case.shipment.id for case in world.cases if case.is_lost}
    shipments = [each for each in world.shipments if each.id in shown and each.id not in lost]
    due = [each for each in shipments if not (each.cancelled and not each.departed)]
    # Of what was told in the hour shown twice, nobody can say how long it took.
    unsure = {case.shipment.id for case in world.cases if "TIME_AMBIGUOUS" in case.warns}
    gone = [each for each in shipments if _by_now(each.departed)]
    n_unsure = len([each for each in gone if each.id in unsure])
    gone = [each for each in gone if each.id not in unsure]
    waiting = len([each for each in due if not _by_now(each.departed)])
    made = [
        _duration("order_to_dispatch_s", ((e.order.confirmed, e.departed) for e in gone), waiting, n_unsure),
        _duration(
            "release_to_dispatch_s",
            ((max(e.order.credit_ok, e.allocated), e.departed) for e in gone),
            waiting,
            n_unsure,
        ),
    ]
    here = [each for each in shipments if _delivered(each)]
    on_time = {each.id for each in here if _on_time(each)}
    in_full = {each.id for each in here if _in_full(each)}
    promised = [each for each in due if _deadline(each) <= NOW]
    made.append(_rate("on_time_rate", len(on_time), len(here)))
    made.append(_rate("in_full_rate", len(in_full), len(here)))
    made.append(_rate("otif_rate", sum(e.id in on_time & in_full for e in promised), len(promised)))
    invoices = _invoices(world, shown)
    posted, held = len(invoices["post"]), len(invoices["block"])
    made.append(_rate("first_pass_gate_rate", posted, posted + held))
    return made


def _deadline(shipment: Shipment) -> datetime:
    order = shipment.order
    if order.precision == "timestamp":
        return order.promised
    zone = ZoneInfo(order.depot.zone)
    start = order.promised.astimezone(zone)
    return (start + timedelta(days=1)).astimezone(ZoneInfo("UTC"))


def _on_time(shipment: Shipment) -> bool:
    delivered, begin = _delivered(shipment), shipment.order.promised_from
    if delivered is None or (begin and delivered < begin):
        return False
    end = _deadline(shipment)
    return delivered < end if shipment.order.precision == "date" else delivered <= end


def _in_full(shipment: Shipment) -> bool:
    pod = _live(shipment)
    return pod is not None and all(pod.delivered.get(k, 0) >= v for k, v in shipment.goods.items())


def _duration(
    metric: str, spans: Iterable[tuple[datetime, datetime | None]], n_open: int, n_excluded: int
) -> dict[str, Any]:
    seconds = [(end - start).total_seconds() for start, end in spans if end]
    good = sorted(value for value in seconds if value >= 0)

    def quantile(share: float, least: int) -> float | None:
        return good[max(0, math.ceil(share * len(good)) - 1)] if len(good) >= least else None

    return {
        **_blank(metric, len(good), n_open),
        "value": quantile(0.5, 1),
        "p50": quantile(0.5, 1),
        "p90": quantile(0.9, 20),
        "p95": quantile(0.95, 20),
        "n_negative": len(seconds) - len(good),
        "n_excluded": n_excluded,
    }


def _rate(metric: str, numerator: int, denominator: int) -> dict[str, Any]:
    value = numerator / denominator if denominator else None
    return {
        **_blank(metric, denominator, 0),
        "numerator": numerator,
        "denominator": denominator,
        "value": value,
    }


def _blank(metric: str, n: int, n_open: int) -> dict[str, Any]:
    empty = dict.fromkeys(("numerator", "denominator", "value", "p50", "p90", "p95"))
    return {
        "metric": metric,
        "variant": None,
        "dimension": "all",
        "n": n,
        "n_open": n_open,
        "n_negative": 0,
        "n_excluded": 0,
        **empty,
    }
