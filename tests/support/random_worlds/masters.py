"""Who is there before anything happens: a company, its customers, what it sells, depots and places."""

from __future__ import annotations

from decimal import Decimal

from tests.support.random_worlds.world import RandomWorld, Row

RATES = {"NORMAL": Decimal(19), "LOW": Decimal(7)}
BOX = Decimal(12)
"""Pieces in a box, of items that come in boxes."""
CARRIERS = ("CARRIER-1", "CARRIER-2")
"""Shared by all worlds, and so are the regions: some numbers are cut across them."""


def plant_masters(world: RandomWorld) -> None:
    name = world.name
    currency = world.pick("EUR", "EUR", "USD", "JPY")
    world.add("erp", "companies", company_id=f"{name}-CO", name=name, currency=currency, time_zone=world.zone)
    for number in (1, 2, 3):
        world.add("erp", "customers", customer_id=f"{name}-C{number}", name=f"Customer {number}",
                  payment_terms="30 days", bill_to_address="1 Quay", region=world.pick("North", None),
                  requires_signature=world.chance(0.5), requires_photo=world.chance(0.3))  # fmt: skip
        world.add("erp", "items", item_id=f"{name}-I{number}", name=f"Item {number}", uom="EA",
                  income_account="8400")  # fmt: skip
    world.add("erp", "item_uoms", item_id=f"{name}-I1", uom="BOX", factor=BOX)
    for code, rate in RATES.items():
        world.add("erp", "tax_codes", tax_code=code, rate_percent=rate)
    for number, zone in ((1, world.zone), (2, world.other_zone)):
        world.depots.append(_location(world, f"{name}-D{number}", "depot", zone))
        world.places.append(_location(world, f"{name}-P{number}", "customer", zone))
    world.places.append(_location(world, f"{name}-P3", "customer", world.zone, region=None))


def currency_of(world: RandomWorld) -> str:
    return str(world.rows["erp", "companies"][0]["currency"])


def _location(world: RandomWorld, location_id: str, kind: str, zone: str, region: str | None = "") -> Row:
    named = world.pick("North", "South") if region == "" else region
    number = len(world.rows["dispatch", "locations"])
    return world.add("dispatch", "locations", location_id=location_id, name=location_id, kind=kind, time_zone=zone,
                     latitude=world.latitude, longitude=10.0 + 0.002 * number, region=named)  # fmt: skip
