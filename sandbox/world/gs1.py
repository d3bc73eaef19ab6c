"""GS1 numbers: places (GLN) and pallets (SSCC), both with their check digit. Nothing of the world's own is drawn here."""

from __future__ import annotations

_LOADS = "4012345"
"""The company's prefix on pallets."""
_PLACES = "9520"
"""GS1 keeps numbers that begin with 952 for examples."""


def gln(kind: int, number: int) -> str:
    """Thirteen digits of the ``number``th place of a kind."""
    return _checked(f"{_PLACES}{kind}{number:07d}")


def sscc(shipment: str) -> str:
    """Eighteen digits of a shipment's load; the second way of a redelivery has a label of its own."""
    first, rest = _serial(shipment)
    return _checked(f"{first}{_LOADS}{rest}")


def sscc_urn(shipment: str) -> str:
    """The same number as EPCIS writes it: without check digit, its first digit behind the company's prefix."""
    return f"urn:epc:id:sscc:{_LOADS}.{''.join(_serial(shipment))}"


def _serial(shipment: str) -> tuple[str, str]:
    digits = "".join(filter(str.isdigit, shipment))
    return "3" if shipment.endswith("R") else "1", f"{int(digits):09d}"


def _checked(digits: str) -> str:
    """With the check digit behind: weights 3 and 1 in turn, from the right."""
    total = sum(int(each) * (3 - 2 * (place % 2)) for place, each in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"
