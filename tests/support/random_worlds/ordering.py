"""Orders with their lines and promises, some in several versions, some cancelled, some for nothing that ever moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.random_worlds.masters import BOX, RATES, currency_of
from tests.support.random_worlds.world import RandomWorld, Row, by_now, local_day, midnight, version


def plant_order(world: RandomWorld, number: int) -> tuple[Row, list[Row]]:
    """An order and the lines of it that go out; where the goods are to be is left open."""
    order_id = f"{world.name}-O{number}"
    ordered = world.around_the_change()
    status = world.weighted(confirmed=84, closed=8, draft=4, cancelled=4)
    confirmed = None if status == "draft" or world.chance(0.04) else by_now(ordered + world.hours(0, 20))
    latest = 2 if world.chance(0.2) else 1
    row: Row = {
        "order_id": order_id, "customer_id": f"{world.name}-C{world.pick(1, 1, 2, 3)}",
        "company_id": f"{world.name}-CO", "currency": currency_of(world), "status": status,
        "ordered_at": ordered, "confirmed_at": confirmed, "time_zone": world.zone, "po_no": order_id,
        "depot_id": f"{world.name}-D{world.pick(1, 1, 2)}", "time_quality": world.quality(),
        "credit_ok_at": by_now(ordered + world.hours(0, 24)) if world.chance(0.9) else None,
        "earliest_release_at": ordered + world.hours(0, 48) if world.chance(0.25) else None,
        "source_version": version(latest),
    }  # fmt: skip
    row |= _promises(world, ordered + world.hours(20, 90))
    if status == "cancelled":
        row["cancelled_at"] = by_now((confirmed or ordered) + world.hours(0, 30))
    order = world.add("erp", "orders", **row)
    lines = _lines(world, order)
    if latest == 2:
        _plant_older_version(world, order, lines)
    return order, [line for line in lines if not line["is_return"]]


def _lines(world: RandomWorld, order: Row) -> list[Row]:
    lines = []
    for number in range(1, world.pick(1, 1, 2, 3) + 1):
        is_return = number > 1 and world.chance(0.3)
        in_boxes = world.chance(0.15)
        quantity = Decimal(world.dice.randint(2, 20)) * (-1 if is_return else 1)
        price = Decimal(world.dice.randint(100, 9999)) / 100
        whole = order["currency"] == "JPY"
        code = world.pick(*RATES)
        lines.append(world.add(
            "erp", "order_lines", order_line_id=f"{order['order_id']}-{number}", order_id=order["order_id"],
            line_no=number, item_id=f"{world.name}-I{1 if in_boxes else number}", quantity=quantity,
            uom="BOX" if in_boxes else "EA", unit_price_amount=price.quantize(Decimal(1)) if whole else price,
            net_amount=(quantity * price).quantize(Decimal(1) if whole else Decimal("0.01")), tax_code=code,
            tax_rate_percent=RATES[code], is_return=is_return, source_version=order["source_version"],
        ))  # fmt: skip
    return lines


def _promises(world: RandomWorld, deadline: datetime) -> Row:
    """Nothing, an hour (perhaps with a start), or a day; perhaps moved; and what the customer asked for."""
    kind = world.weighted(none=7, timestamp=48, date=45)
    found: Row = {}
    if kind != "none":
        moved = deadline + (world.hours(20, 48) if world.chance(0.3) else timedelta())
        found = {"first_promised_at": deadline, "last_promised_at": moved, "promise_precision": kind}
        if kind == "date":
            for name in ("first_promised_at", "last_promised_at"):
                found[name] = midnight(local_day(found[name], world.zone), world.zone)
        elif world.chance(0.4):
            found["promised_from_at"] = deadline - world.hours(1, 12)
    asked = world.weighted(none=2, timestamp=4, date=4)
    wish = deadline + world.hours(-20, 10)
    if asked == "timestamp":
        found["requested_delivery_at"] = wish
    elif asked == "date":
        found["requested_delivery_date"] = local_day(wish, world.zone)
    return found


def _plant_older_version(world: RandomWorld, order: Row, lines: list[Row]) -> None:
    """What the order said before: other promises, other quantities, a line that is gone."""
    world.add("erp", "orders", **(order | {"source_version": version(1), "status": "draft", "confirmed_at": None,
              "first_promised_at": None, "last_promised_at": None}))  # fmt: skip
    for line in lines:
        old = {"quantity": line["quantity"] * 3, "source_version": version(1)}
        world.add("erp", "order_lines", **(line | old))
    gone = {"order_line_id": f"{order['order_id']}-gone", "source_version": version(1), "line_no": 9}
    world.add("erp", "order_lines", **(lines[0] | gone))


def in_pieces(line: Row) -> Decimal:
    """How many pieces one unit of a line is."""
    return BOX if line["uom"] == "BOX" else Decimal(1)
