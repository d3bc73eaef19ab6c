"""`waybill outbox list` shows what still needs somebody or something, and any state when asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from cli import outbox as command
from core.settings import Settings
from state import outbox
from state.engine import open_state
from state.outbox_rows import NewEffect

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
WAYS = {
    "READY": [],
    "UNKNOWN": ["SENDING", "UNKNOWN"],
    "CANCELLED": ["CANCELLED"],
    "ACKED": ["SENDING", "ACKED"],
    "RECONCILED": ["SENDING", "ACKED", "RECONCILED"],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(command, "get_settings", lambda: settings)
    with open_state(settings).begin() as db:
        for name, steps in WAYS.items():
            new = NewEffect(
                company="WBDE", destination="erp", operation="invoice", business_id=name, revision=1,
                shipment_no=name, decision_id="d", payload=b"", payload_hash="p", content_hash="c",
                input_hash="i", amount=Decimal(1), currency="EUR", charge_keys=(name,),
            )  # fmt: skip
            outbox.enqueue(db, new, NOW)
            for state in steps:
                db.execute(
                    text("UPDATE outbox SET state = :s WHERE business_id = :b"), {"s": state, "b": name}
                )
    return settings


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], ["READY", "UNKNOWN"]),
        (["--state", "RECONCILED"], ["RECONCILED"]),
        (["--state", "acked"], ["ACKED"]),
        (["--state", "HELD"], []),
    ],
)
def test_what_is_done_is_listed_only_when_asked_for(
    home: Settings, words: list[str], shown: list[str]
) -> None:
    found = CliRunner().invoke(command.app, ["list", "--json", *words])
    assert [each["state"] for each in json.loads(found.stdout)] == shown
