"""An attempt begins only on a standing release, and no decision can fall between the look and the beginning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection as Database
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from activation import books
from activation.attempt import Attempt, Submitted
from activation.destinations.base import NotAppliedError, PostedInvoice
from contracts.invoice import InvoiceDocument, InvoiceDocumentLine
from contracts.outbound import OutboundDocument
from core.connections import load_connections
from core.settings import ROOT, Settings
from state import decisions, leases, outbox
from state.decisions import Decision, Key
from state.engine import open_state, reading
from state.outbox_rows import NewEffect, OutboxRow
from state.tables import push_attempts
from tests.support.approved_rules import let_in

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


class Away:
    """A destination that says no more than that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def of(self, operation: str) -> Away:
        assert operation
        return self

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        self.asked.append(idempotency_key)
        raise NotAppliedError("The ERP is away.", remedy="Try again.")

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        raise AssertionError("one row is looked up alone")

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        raise AssertionError("nothing is to be listed")

    def create(self, document: OutboundDocument) -> str:
        raise AssertionError("nothing is to be created")

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        raise AssertionError("nothing is to be posted")

    def read_back(self, erp_id: str) -> PostedInvoice:
        raise AssertionError("nothing is to be read")

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        raise AssertionError("nothing is to be read")

    def close(self) -> None:
        pass


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path, state_url=state_url)


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return open_state(settings)


@pytest.fixture
def away() -> Away:
    return Away()


@pytest.fixture
def attempt(engine: Engine, away: Away, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    for system in ("ERP", "DISPATCH", "TELEMATICS", "POD", "DEPOT_POD"):
        monkeypatch.setenv(f"SANDBOX_{system}_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SANDBOX_GO_LIVE_AT", NOW.isoformat())
    found = load_connections(ROOT / "connections" / "sandbox")
    erp = next(each for each in found if each.connection == "sandbox_erp")
    return Attempt(engine, erp, away, "worker", lambda: NOW)


@pytest.fixture
def leased(engine: Engine) -> OutboxRow:
    """One effect that the gate released, taken by this worker."""
    document = InvoiceDocument(
        idempotency_key="k" * 64, business_id="S-1", shipment_no="S-1", order_no="O-1", company_id="WBDE",
        customer_id="C-1", po_no=None, currency="EUR", issue_date=date(2026, 11, 13), delivery_date=None,
        pod_id="P-1", payment_terms=None, net_total_amount=Decimal("1.00"), tax_total_amount=Decimal("0.19"),
        grand_total_amount=Decimal("1.19"),
        lines=(InvoiceDocumentLine(
            line_id="1", charge_key="S-1|1", order_line_id="1", item_id="I-1", quantity=Decimal(1), uom="EA",
            net_price=Decimal(1), net_amount=Decimal("1.00"), tax_code="DE-19", tax_rate_percent=Decimal(19),
            income_account=None,
        ),),
    )  # fmt: skip
    new = NewEffect(
        company="WBDE", destination="sandbox_erp", operation="invoice", business_id="S-1", revision=1,
        shipment_no="S-1", decision_id="d1", payload=document.canonical_bytes(), payload_hash="p",
        content_hash="c", input_hash="i", amount=Decimal("1.19"), currency="EUR", charge_keys=("S-1|1",),
    )  # fmt: skip
    let_in(engine, "r")
    decisions.record(engine, [decision("d1")])
    with engine.begin() as db:
        outbox.enqueue(db, new, NOW)
    return leases.lease(engine, "sandbox_erp", "worker", NOW, NOW + timedelta(minutes=2), 1)[0]


def decision(decision_id: str, **changes: Any) -> Decision:
    fields: dict[str, Any] = {
        "decision_id": decision_id, "business_id": "S-1", "revision": 1, "company_id": "WBDE", "order_no": "O-1",
        "shipment_no": "S-1", "customer_id": "C-1", "verdict": "released", "codes": (), "warnings": (),
        "reasons": [], "input_hash": "i", "content_hash": "c", "ruleset_version": "r", "policy_version": "p",
        "as_of": NOW, "decided_at": NOW, "amount": Decimal("1.19"), "currency": "EUR", "run_id": "run",
        "is_first_evaluation": True,
    }  # fmt: skip
    return Decision(**(fields | changes))


def sent(attempt: Attempt, row: OutboxRow) -> list[str | Submitted]:
    """How a row ends that is begun and sent; nothing of one that another worker has taken over."""
    return [attempt.send(each) for each in attempt.begin([row], {})]


def begun(engine: Engine) -> int:
    with reading(engine) as db:
        return len(db.execute(push_attempts.select()).all())


def test_a_standing_release_is_begun_and_sent(
    engine: Engine, attempt: Attempt, away: Away, leased: OutboxRow
) -> None:
    assert sent(attempt, leased) == ["RETRY_WAIT"]
    assert (len(away.asked), begun(engine)) == (1, 1)


@pytest.mark.parametrize(
    "changes",
    [{"verdict": "blocked", "codes": ("POD_VOIDED",)}, {"input_hash": "of other inputs"}],
    ids=["taken back", "released on other inputs"],
)
def test_what_is_no_longer_released_is_not_begun(
    engine: Engine, attempt: Attempt, away: Away, leased: OutboxRow, changes: dict[str, Any]
) -> None:
    decisions.record(engine, [decision("d2", **changes)])
    assert sent(attempt, leased) == ["BLOCKED"]
    (row,) = outbox.rows(engine)
    assert (row.state, row.attempt_count, row.may_exist, row.leased_by) == ("BLOCKED", 0, False, None)
    assert (away.asked, begun(engine)) == ([], 0)


def test_a_newer_release_on_the_same_inputs_stands(
    engine: Engine, attempt: Attempt, away: Away, leased: OutboxRow
) -> None:
    decisions.record(engine, [decision("d2", warnings=("CREDIT_LIMIT_EXCEEDED",))])
    assert sent(attempt, leased) == ["RETRY_WAIT"]
    assert len(away.asked) == 1


Look = Callable[[Database, Collection[Key], str], dict[Key, str]]


def impatient(settings: Settings) -> Engine:
    """The store as another process has it, which gives up at once where others wait."""
    engine = open_state(settings)
    patience = "PRAGMA busy_timeout = 0" if settings.state_url is None else "SET lock_timeout = '1ms'"

    def on_connect(connection: Any, _record: object) -> None:
        connection.execute(patience)
        connection.commit()

    event.listen(engine, "connect", on_connect)
    engine.dispose()
    return engine


def test_no_decision_falls_between_the_look_and_the_beginning(
    settings: Settings,
    engine: Engine,
    attempt: Attempt,
    away: Away,
    leased: OutboxRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    other = impatient(settings)

    def looked(inner: Look) -> Look:
        def look(db: Database, keys: Collection[Key], operation: str) -> dict[Key, str]:
            found = inner(db, keys, operation)
            # Here another process would take the release back: it has to wait.
            try:
                with other.begin():
                    tried.append("fell between")
            except OperationalError:
                tried.append("has to wait")
            return found

        return look

    monkeypatch.setattr(books.decisions, "released_inputs", looked(decisions.released_inputs))
    sent(attempt, leased)
    assert tried == ["has to wait"]
    other.dispose()
    assert len(away.asked) == 1


def test_an_attempt_that_another_worker_took_over_leaves_no_trace(
    engine: Engine, attempt: Attempt, away: Away, leased: OutboxRow
) -> None:
    leases.release_leases(engine, "sandbox_erp", ["worker"])
    assert sent(attempt, leased) == []
    assert (away.asked, begun(engine)) == ([], 0)
