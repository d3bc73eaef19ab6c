"""Local times that never were or were twice, rounding, and ids that are the same everywhere."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import localize, zone
from core.errors import ConfigurationError
from core.ids import canonical_json, idempotency_key, surrogate_uuid
from core.money import round_amount


@pytest.mark.parametrize(
    ("naive", "zone_name", "quality", "utc"),
    [
        (datetime(2026, 3, 29, 2, 30), "Europe/Berlin", "gap", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (
            datetime(2026, 10, 25, 2, 30),
            "Europe/Berlin",
            "ambiguous",
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        (
            datetime(2026, 10, 25, 3, 0),
            "Europe/Berlin",
            "assumed_zone",
            datetime(2026, 10, 25, 2, tzinfo=UTC),
        ),
        (
            datetime(2026, 3, 29, 1, 59),
            "Europe/Berlin",
            "assumed_zone",
            datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
        ),
        (
            datetime(2026, 11, 1, 1, 30),
            "America/Chicago",
            "ambiguous",
            datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        ),
        (datetime(2026, 11, 13, 12), "Asia/Tokyo", "assumed_zone", datetime(2026, 11, 13, 3, tzinfo=UTC)),
    ],
)
def test_a_wall_time_is_told_apart(naive: datetime, zone_name: str, quality: str, utc: datetime) -> None:
    assert localize(naive, zone_name) == (utc, quality)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ConfigurationError, match="Berlin/Europe"):
        zone("Berlin/Europe")


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("0.005", "EUR", "0.01"), ("0.0049", "EUR", "0.00"), ("-0.005", "EUR", "-0.01"), ("10.5", "JPY", "11")],
)
def test_half_is_rounded_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert round_amount(Decimal(amount), currency) == Decimal(rounded)


def test_a_key_is_the_five_values_and_nothing_else() -> None:
    base = ("WBDE", "sandbox_erp", "invoice", "S-1", 1)
    key = idempotency_key(*base)
    assert key == idempotency_key(*base)
    others = {
        idempotency_key("WBUS", *base[1:]),
        idempotency_key("WBDE", "other", *base[2:]),
        idempotency_key("WBDE", "sandbox_erp", "credit_note", "S-1", 1),
        idempotency_key("WBDE", "sandbox_erp", "invoice", "S-2", 1),
        idempotency_key("WBDE", "sandbox_erp", "invoice", "S-1", 2),
    }
    assert key not in others
    assert len(others) == 5


def test_a_key_does_not_run_two_values_together() -> None:
    assert idempotency_key("a", "bc", "d", "e", 1) != idempotency_key("ab", "c", "d", "e", 1)


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=5))
def test_equal_documents_have_equal_bytes(document: dict[str, int]) -> None:
    assert canonical_json(document) == canonical_json(dict(reversed(list(document.items()))))


def test_a_surrogate_key_is_stable() -> None:
    assert surrogate_uuid("sandbox_dispatch", "SHP-1") == surrogate_uuid("sandbox_dispatch", "SHP-1")
    assert surrogate_uuid("sandbox_dispatch", "SHP-1") != surrogate_uuid("other", "SHP-1")
