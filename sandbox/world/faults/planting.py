"""Gives each fault kind its customers and orders, in the week after go-live, all delivered by NOW."""

from __future__ import annotations

import random
from datetime import timedelta

from sandbox.world import masters, ordering
from sandbox.world.faults import (  # noqa: F401  (their kinds register themselves)
    clocks,
    customers,
    ledger,
    masterdata,
    orders,
    proofs,
    refused_erp,
    refused_proofs,
)
from sandbox.world.faults.registry import KINDS
from sandbox.world.model import Case, Customer, Depot, Item, Order
from sandbox.world.moments import GO_LIVE
from sandbox.world.store import Documents


def plan(rng: random.Random, first: int, depots: list[Depot], items: list[Item], size: int) -> list[Case]:
    """One case per kind and per 500 orders, numbered on from ``first``."""
    currency = {company.id: company.currency for company in masters.companies()}
    cases: list[Case] = []
    for kind in KINDS * max(1, size // 500):
        number, depot = first + len(cases), next(each for each in depots if each.id == kind.depot)
        customer: Customer = masters.new_customer(rng, number, depot, currency[depot.company])
        order: Order = ordering.new_order(
            rng, number, customer, depot, items, GO_LIVE + timedelta(hours=10), parts=1
        )
        order.fault = order.shipments[0].fault = kind.name
        case = Case(kind, order, order.shipments[0])
        if kind.prepare:
            kind.prepare(case)
        cases.append(case)
    return cases


def own_items(cases: list[Case], items: list[Item]) -> list[Item]:
    """Items that only a case has ordered."""
    known = {item.id for item in items}
    return [line.item for case in cases for line in case.order.lines if line.item.id not in known]


def after_driving(cases: list[Case]) -> None:
    for case in cases:
        if case.kind.after:
            case.kind.after(case)


def patch(cases: list[Case], documents: Documents) -> None:
    for case in cases:
        if case.kind.patch:
            case.kind.patch(case, documents)
