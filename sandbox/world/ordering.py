"""Orders with their lines and shipments, up to the moment the goods are allocated."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.world.masters import FOOD_TAX, TAX_RATES
from sandbox.world.model import Customer, Depot, Item, Line, Order, Shipment, rounded
from sandbox.world.moments import END, START, told_once

_LAST = END - timedelta(hours=6)
_PRICE_FACTOR = {"EUR": 1, "USD": 1, "JPY": 155}


def local(depot: Depot, moment: datetime, hour: int, minute: int = 0, days: int = 0) -> datetime:
    """``hour:minute`` on the depot's own day of ``moment``, ``days`` later, in UTC."""
    zone = ZoneInfo(depot.zone)
    day = moment.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def new_order(
    rng: random.Random,
    number: int,
    customer: Customer,
    depot: Depot,
    items: list[Item],
    ordered: datetime | None = None,
    parts: int | None = None,
) -> Order:
    """One order; ``ordered`` and ``parts`` (its number of shipments) are drawn unless given."""
    ordered = ordered or START + (_LAST - START) * rng.random()
    ordered = told_once(
        local(depot, ordered, rng.randint(6, 18), rng.randint(0, 59))
        if ordered < END - timedelta(days=2)
        else ordered
    ).replace(microsecond=rng.randrange(10**6))
    confirmed = told_once(ordered + timedelta(minutes=rng.lognormvariate(3.2, 0.8)))
    credit_ok = told_once(confirmed + timedelta(minutes=rng.uniform(5, 240)))
    name, currency = f"SO-{number:05d}", customer.currency
    lines = []
    for nr, item in enumerate(rng.sample(items, rng.choice((1, 1, 2, 2, 3))), 1):
        tax = FOOD_TAX[depot.tax_code] if item.is_food else depot.tax_code
        price = rounded(item.price * _PRICE_FACTOR[currency], currency)
        lines.append(Line(f"{name}-L{nr}", item, rng.randint(4, 40), price, tax, TAX_RATES[tax]))
    precision = rng.choice(("timestamp", "timestamp", "date"))
    days = rng.choice((1, 1, 2, 2, 3))
    if precision == "date":
        promised, begin = local(depot, confirmed, 0, days=days), None
    else:
        promised = told_once(local(depot, confirmed, rng.choice((12, 14, 16, 18, 20)), days=days))
        begin = told_once(promised - timedelta(hours=rng.choice((4, 6, 8)))) if rng.random() < 0.25 else None
    order = Order(
        name,
        customer,
        depot,
        depot.company,
        currency,
        ordered,
        confirmed,
        credit_ok,
        lines,
        f"PO-{number:05d}",
        begin,
        promised,
        precision,
    )
    parts = parts or rng.choices((1, 2, 3), (78, 17, 5))[0]
    for nr in range(1, parts + 1):
        goods = {line.id: line.quantity // parts + (nr <= line.quantity % parts) for line in lines}
        allocated = told_once(
            confirmed + timedelta(minutes=rng.uniform(20, 420)) + timedelta(hours=20 * (nr - 1))
        )
        relation, parent = ("split", f"CN-{number:05d}-1") if nr > 1 else (None, None)
        order.shipments.append(Shipment(f"CN-{number:05d}-{nr}", order, goods, allocated, relation, parent))
    return order
