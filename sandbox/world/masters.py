"""Companies, depots, customers and items: what stands before the first order comes."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from sandbox.world.model import Company, CostCentre, Customer, Depot, Item

TAX_RATES = {
    code: Decimal(rate)
    for code, rate in {"DE-19": "19", "DE-7": "7", "US-8.25": "8.25", "JP-10": "10", "JP-8": "8"}.items()
}
FOOD_TAX = {"DE-19": "DE-7", "US-8.25": "US-8.25", "JP-10": "JP-8"}
_STREETS = ("Harbour Road", "Mill Lane", "Station Street", "Canal Quay", "North Ring")
_NAMES = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Larch", "Maple", "Rowan", "Willow")
_TRADES = ("Markets", "Hardware", "Pharmacy", "Foods", "Office Supply", "Textiles")


def companies() -> list[Company]:
    return [
        Company("WBDE", "Waybill Deutschland GmbH", "EUR", "Europe/Berlin", "Germany", vat_id="DE999999998"),
        Company("WBUS", "Waybill America Inc.", "USD", "America/Chicago", "United States"),
        Company("WBJP", "Waybill Japan K.K.", "JPY", "Asia/Tokyo", "Japan"),
        Company(
            "WBFR", "Waybill France SAS", "EUR", "Europe/Paris", "France", date(2026, 12, 31), "FR99999999998"
        ),
    ]


def depots() -> list[Depot]:
    return [
        Depot("HAM", "Hamburg", "WBDE", "Europe/Berlin", 53.54, 9.98, "North", "DE-19", "DEHAM"),
        Depot("CHI", "Chicago", "WBUS", "America/Chicago", 41.85, -87.65, "Midwest", "US-8.25", "USCHI"),
        Depot("TYO", "Tokyo", "WBJP", "Asia/Tokyo", 35.62, 139.75, "Kanto", "JP-10", "JPTYO"),
        Depot("LIS", "Lisbon", "WBDE", "Europe/Lisbon", 38.72, -9.14, "Iberia", "DE-19", "PTLIS"),
    ]


def cost_centres() -> list[CostCentre]:
    """Road and warehouse of each company, and one that was closed."""
    made = [
        CostCentre(f"{word} - {company.id}", word, company.id)
        for company in companies()
        for word in ("Road", "Warehouse")
    ]
    return [*made, CostCentre("Rail - WBDE", "Rail", "WBDE", is_active=False)]


def items() -> list[Item]:
    names = (
        "Pallet of water",
        "Box of paper",
        "Steel bracket",
        "Paint, 10 l",
        "Printer toner",
        "Flour, 25 kg",
        "Coffee, 10 kg",
        "Work gloves",
        "Cable drum",
        "Shelf unit",
        "Rice, 20 kg",
        "LED panel",
    )
    return [
        Item(
            f"ITEM-{nr:02d}",
            name,
            "Nos",
            Decimal(895 + 1370 * nr) / 100,
            Decimal(2 + nr),
            is_food=any(word in name for word in ("water", "Flour", "Coffee", "Rice")),
        )
        for nr, name in enumerate(names, 1)
    ]


def new_customer(rng: random.Random, number: int, depot: Depot, currency: str) -> Customer:
    """A customer in good standing, 3 to 35 km around the depot."""
    north, east = (rng.choice((-1, 1)) * rng.uniform(0.03, 0.3) for _ in range(2))
    name = f"{_NAMES[number % 10]} {_TRADES[number // 10 % 6]} {depot.name} {number}"
    country = {"HAM": "DE", "CHI": "US", "TYO": "JP", "LIS": "PT"}[depot.id]
    street = f"{rng.randint(1, 199)} {rng.choice(_STREETS)}, {depot.name}"
    return Customer(
        f"CUST-{number:04d}",
        name,
        depot.id,
        depot.lat + north,
        depot.lon + east,
        country,
        depot.region,
        currency,
        {"primary_address": street},
    )
