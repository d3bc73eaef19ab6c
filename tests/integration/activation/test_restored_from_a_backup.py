"""Fault 47: an old backup is restored, and nothing that was posted since is posted twice. On a real HTTP ERP."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.document import document_of, effect_of
from activation.push import push, recover
from activation.reconcile import reconcile
from core.clock import utc_now
from core.connections import Connection
from core.settings import Settings
from state import decisions, heads, ledger, outbox
from state.backup import backup
from state.engine import open_state
from state.restore import restore
from tests.integration.activation.conftest import Erp, decision_of
from tests.support.approved_rules import let_in

Rows = list[dict[str, Any]]


@pytest.fixture
def state_url() -> None:
    """SQLite alone: both homes of this story; that a backup is of either database is tested with ``state.backup``."""


@pytest.fixture
def old(settings: Settings, tmp_path: Path) -> Settings:
    """The home that is lost."""
    return settings.model_copy(update={"home": tmp_path / "old"})


@pytest.fixture
def engine(old: Settings) -> Engine:
    made = open_state(old)
    let_in(made, "r")
    return made


@pytest.fixture(params=[True, False], ids=["unique", "not_unique"])
def connection(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    """An ERP that refuses a repeated key, and one that does not say so."""
    assert connection.destination is not None
    declared = connection.destination.model_copy(update={"enforces_uniqueness": request.param, "settle_s": 0})
    return connection.model_copy(update={"destination": declared})


def states(engine: Engine) -> Counter[str]:
    return Counter(row.state for row in outbox.rows(engine))


def enqueued(engine: Engine, row: dict[str, Any]) -> str:
    effect = effect_of(row, document_of(row))
    with engine.begin() as db:
        outbox.enqueue(db, effect, utc_now())
    return effect.idempotency_key


def back_up_with_open_rows(
    erp: Erp, engine: Engine, old: Settings, connection: Connection, rows: Rows, file: Path
) -> None:
    """A backup with one row that waits for a retry and one that is ready; the third is not enqueued yet."""
    erp.plant(kind="status", status=503, retry_after=3600, times=1, method="POST", path="Sales Invoice$")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activation.push.PATIENCE_S", 0.1)
        push(engine, [connection], rows[:1])
    erp.heal()
    enqueued(engine, rows[1])
    assert states(engine) == {"RETRY_WAIT": 1, "READY": 1}
    backup(old, file)


def post_all(engine: Engine, connection: Connection, rows: Rows) -> None:
    """What the lost installation still did after the backup: every row is due, and posted."""
    for row in outbox.rows(engine, "RETRY_WAIT"):
        with engine.begin() as db:
            outbox.move(db, row, "READY", utc_now(), {"not_before": None})
    assert push(engine, [connection], rows).posted == 3


def test_what_was_posted_after_the_backup_is_not_posted_again(
    erp: Erp, engine: Engine, old: Settings, connection: Connection, released: Rows, tmp_path: Path
) -> None:
    back_up_with_open_rows(erp, engine, old, connection, released, tmp_path / "backup.tar")
    post_all(engine, connection, released)
    keys = [row.idempotency_key for row in outbox.rows(engine)]
    before = erp.mutating()

    fresh = old.model_copy(update={"home": tmp_path / "new"})
    assert restore(fresh, tmp_path / "backup.tar").doubtful == 2
    restored = open_state(fresh)
    assert states(restored) == {"UNKNOWN": 2}
    recover(restored, [connection])
    assert states(restored) == {"ACKED": 2}
    result = push(restored, [connection], released)
    assert (result.failed, result.held) == (0, 0)
    assert erp.mutating() == before
    assert [len(erp.invoices(key)) for key in keys] == [1, 1, 1]
    assert states(restored) == {"ACKED": 3}
    assert ledger.verify(restored).first_bad is None


def test_what_was_not_posted_after_the_backup_is_posted_once(
    erp: Erp, engine: Engine, old: Settings, connection: Connection, released: Rows, tmp_path: Path
) -> None:
    back_up_with_open_rows(erp, engine, old, connection, released, tmp_path / "backup.tar")
    fresh = old.model_copy(update={"home": tmp_path / "new"})
    restore(fresh, tmp_path / "backup.tar")
    restored = open_state(fresh)
    result = push(restored, [connection], released)
    assert (result.posted, result.failed) == (3, 0)
    for row in outbox.rows(restored):
        assert [each["docstatus"] for each in erp.invoices(row.idempotency_key)] == [1]


def test_nothing_is_sent_while_the_look_up_is_not_answered(
    erp: Erp,
    engine: Engine,
    old: Settings,
    connection: Connection,
    released: Rows,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up_with_open_rows(erp, engine, old, connection, released, tmp_path / "backup.tar")
    post_all(engine, connection, released)
    fresh = old.model_copy(update={"home": tmp_path / "new"})
    restore(fresh, tmp_path / "backup.tar")
    restored, before = open_state(fresh), erp.mutating()
    monkeypatch.setattr("activation.push.PATIENCE_S", 0.1)
    erp.plant(kind="status", status=500, times=1000, method="GET", path="Sales Invoice$")
    push(restored, [connection], released)
    assert erp.mutating() == before
    assert states(restored)["UNKNOWN"] == 2


def test_what_was_blocked_is_looked_up_and_blocked_again(
    erp: Erp, engine: Engine, old: Settings, connection: Connection, released: Rows, tmp_path: Path
) -> None:
    row = released[0]
    decisions.record(
        engine, [decision_of(row, decision_id="later", verdict="blocked", codes=("POD_VOIDED",))]
    )
    assert push(engine, [connection], [row]).blocked_at_recheck == 1
    backup(old, tmp_path / "backup.tar")
    fresh = old.model_copy(update={"home": tmp_path / "new"})
    restore(fresh, tmp_path / "backup.tar")
    restored, before = open_state(fresh), erp.mutating()
    assert states(restored) == {"UNKNOWN": 1}
    push(restored, [connection], [])
    assert states(restored) == {"BLOCKED": 1}
    assert erp.mutating() == before
    # Nothing was ever sent: a newer decision on other content may still replace it.
    corrected = {**row, "content_hash": "d" * 64, "decision_id": "corrected"}
    decisions.record(restored, [decision_of(corrected)])
    assert push(restored, [connection], [corrected]).posted == 1


def test_a_reconciliation_before_the_first_push_settles_itself(
    erp: Erp, engine: Engine, old: Settings, connection: Connection, released: Rows, tmp_path: Path
) -> None:
    erp.empty()
    back_up_with_open_rows(erp, engine, old, connection, released, tmp_path / "backup.tar")
    post_all(engine, connection, released)
    fresh = old.model_copy(update={"home": tmp_path / "new"})
    restore(fresh, tmp_path / "backup.tar")
    restored, before = open_state(fresh), erp.mutating()
    (first,) = reconcile(restored, [connection])
    assert [each.kind for each in first.open] == ["extra"]
    # The stopped push takes the third invoice up again; from then on it is under way and no longer extra.
    assert push(restored, [connection], released).failed == 1
    (second,) = reconcile(restored, [connection])
    assert second.open == []
    push(restored, [connection], released)
    assert states(restored) == {"RECONCILED": 2, "ACKED": 1}
    assert erp.mutating() == before


def test_a_restored_ledger_goes_on_under_a_key_of_its_own(
    engine: Engine, old: Settings, connection: Connection, released: Rows, tmp_path: Path
) -> None:
    push(engine, [connection], released)
    backup(old, tmp_path / "backup.tar")
    fresh = old.model_copy(update={"home": tmp_path / "new"})
    restore(fresh, tmp_path / "backup.tar")
    signed = heads.read(fresh.ledger_heads)
    assert len({head.key for head in signed}) == 2
    assert heads.problems(open_state(fresh), signed) == []
    assert old.ledger_key.read_bytes() != fresh.ledger_key.read_bytes()
    (done,) = reconcile(open_state(fresh), [connection])
    assert done.reconciled == 3
