"""All migrations together make the tables as they are today, and the triggers that guard them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import migrations, outbox
from state.engine import HEAD, open_state
from state.letter_states import MOVES
from state.postgresql import DRIVER, connect, url_of
from state.tables import metadata
from state.transitions import TRANSITIONS
from tests.support.postgres import Server
from tests.support.sqlite_template import as_they_are

FOLDER = Path(migrations.__file__).parent
NOW = "2026-11-13T17:00:00.000000+00:00"
VERSIONS = sorted((FOLDER / "versions").glob("v*.py"))
KEPT = {
    *(("ledger", verb) for verb in ("UPDATE", "DELETE")),
    *(("receipts", verb) for verb in ("UPDATE", "DELETE")),
    *(("gate_decisions", verb) for verb in ("UPDATE", "DELETE")),
    *(("gate_inputs", verb) for verb in ("UPDATE", "DELETE")),
    *(("outbox", "DELETE"), ("push_attempts", "DELETE"), ("kill_switches", "DELETE")),
    *(("outbox_documents", verb) for verb in ("UPDATE", "DELETE")),
    ("approvals", "DELETE"),
    ("rulesets", "DELETE"),
    ("outbox_proposals", "DELETE"),
    ("dead_letters", "DELETE"),
    *(("dead_letter_fixes", verb) for verb in ("UPDATE", "DELETE")),
    *(("store_identity", verb) for verb in ("UPDATE", "DELETE")),
    ("credit_notes", "DELETE"),
    *(("credit_decisions", verb) for verb in ("UPDATE", "DELETE")),
    ("inbox", "DELETE"),
    *(("api_keys", "DELETE"), ("webhook_secrets", "DELETE"), ("documents", "DELETE")),
}
"""Whose rows the database lets nobody change, or remove."""
MACHINES: dict[str, Any] = {"illegal outbox transition": TRANSITIONS, "illegal dead letter transition": MOVES}


@pytest.fixture(autouse=True)
def _really() -> Iterator[None]:
    with as_they_are():
        yield


@pytest.fixture
def db(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Connection]:
    with open_state(Settings(home=tmp_path, state_url=state_url)).connect() as db:
        yield db


@pytest.fixture
def today(request: pytest.FixtureRequest, state_url: SecretStr | None) -> Iterator[Engine]:
    """The tables as ``state.tables`` would make them, in the same kind of database."""
    if state_url is None:
        engine = create_engine("sqlite://")
        metadata.create_all(engine)
        yield engine
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database(template=None) as url:
        engine = connect(make_url(url.get_secret_value()).set(drivername=DRIVER))
        metadata.create_all(engine)
        yield engine


@pytest.fixture
def new_store(
    tmp_path: Path, request: pytest.FixtureRequest, state_url: SecretStr | None
) -> Iterator[Settings]:
    """A home whose database holds nothing at all yet."""
    if state_url is None:
        yield Settings(home=tmp_path)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database(template=None) as url:
        yield Settings(home=tmp_path, state_url=url)


def differences(db: Connection, today: Engine) -> list[Any]:
    """Between a migrated database and the tables of today. Alembic sees everything but checks."""
    found: list[Any] = compare_metadata(MigrationContext.configure(db), metadata)
    for table in metadata.tables.keys() & set(inspect(db).get_table_names()):
        ours, theirs = (
            {(each["name"], each["sqltext"]) for each in inspect(where).get_check_constraints(table)}
            for where in (db, today)
        )
        found += sorted(ours ^ theirs)
    return found


def triggers(db: Connection) -> list[str]:
    if db.dialect.name == "sqlite":
        return list(db.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))
    functions = "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    made = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    return [each.replace("public.", "") for query in (functions, made) for each in db.scalars(text(query))]


def moves(sql: str) -> dict[str, frozenset[str]]:
    """The state machine as a trigger's text has it."""
    found = re.findall(r"OLD\.stat(?:e|us) = '(\w+)' AND NEW\.stat(?:e|us) IN \(([^)]*)\)", sql)
    return {before: frozenset(re.findall(r"\w+", after)) for before, after in found}


def kept(statements: list[str]) -> set[tuple[str, str]]:
    """Tables and verbs that triggers refuse whatever the row."""
    told = [
        re.search(r"BEFORE ([A-Z ]+) ON (\w+)\s+(?:BEGIN|FOR EACH ROW EXECUTE FUNCTION kept)", s)
        for s in statements
    ]
    return {(match[2], verb) for match in told if match for verb in match[1].split(" OR ")}


def test_the_migrations_make_the_tables_of_today(db: Connection, today: Engine) -> None:
    assert differences(db, today) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE receipts DROP COLUMN order_no",
        "ALTER TABLE receipts ADD COLUMN note TEXT",
        "DROP INDEX ix_outbox_turn",
        "DROP TABLE charge_lines",
        "CREATE UNIQUE INDEX uq_more ON outbox (shipment_no)",
    ],
)
def test_a_schema_that_differs_is_told(db: Connection, today: Engine, statement: str) -> None:
    db.execute(text(statement))
    assert differences(db, today) != []


def test_a_check_that_differs_is_told(db: Connection, today: Engine) -> None:
    if db.dialect.name == "postgresql":
        db.execute(text("ALTER TABLE ingest_counts DROP CONSTRAINT ck_ingest_counts_adds_up"))
        assert differences(db, today) != []
        return
    # SQLite has no ALTER for it: the table's own text is what the check is.
    found = db.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'ingest_counts'"))
    db.execute(text("DROP TABLE ingest_counts"))
    db.execute(text(found.replace(" + parked", "")))
    assert differences(db, today) != []


def test_the_database_refuses_what_the_state_machine_has_not(db: Connection) -> None:
    for name, legal in MACHINES.items():
        (machine,) = (each for each in triggers(db) if name in each)
        assert moves(machine) == {before: after for before, after in legal.items() if after}
    assert kept(triggers(db)) == KEPT


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", sorted({table for table, _ in KEPT}))
def test_what_is_kept_for_ever_cannot_be_truncated(db: Connection, table: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table}: append-only"):
        db.execute(text(f"TRUNCATE {table}"))


@pytest.mark.parametrize("revision", [path.stem[1:5] for path in VERSIONS])
def test_an_older_store_is_brought_to_today_with_its_rows(
    new_store: Settings, today: Engine, revision: str
) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    url = url_of(new_store) or f"sqlite:///{new_store.state}"
    with create_engine(url).begin() as old:
        config.attributes["connection"] = old
        command.upgrade(config, revision)
        old.execute(text("INSERT INTO charge_lines VALUES ('S-1|1', 'key')"))
    with open_state(new_store).connect() as db:
        assert differences(db, today) == []
        assert db.scalar(text("SELECT idempotency_key FROM charge_lines")) == "key"


def test_what_an_older_outbox_would_send_is_sent_by_todays(new_store: Settings) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    old = create_engine(url_of(new_store) or f"sqlite:///{new_store.state}")
    same = {
        "company": "WBDE", "destination": "erp", "operation": "invoice", "revision": 1, "shipment_no": "S",
        "decision_id": "d", "content_hash": "c", "input_hash": "i", "amount": "1.10", "currency": "EUR",
        "state": "UNKNOWN", "fencing_token": 3, "attempt_count": 2, "may_exist": True, "enqueued_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    # Of two effects that are called alike, and of one whose bytes are no text.
    sent = {"k1": ("p", b"one"), "k2": ("p", b"two"), "k3": ("q", b"\x00\xff{}")}
    with old.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0016")
        for key, (payload_hash, payload) in sent.items():
            row = same | {
                "idempotency_key": key,
                "business_id": key,
                "payload_hash": payload_hash,
                "payload": payload,
            }
            names = ", ".join(row)
            db.execute(text(f"INSERT INTO outbox ({names}) VALUES (:{names.replace(', ', ', :')})"), row)
    old.dispose()
    read = outbox.in_doubt(open_state(new_store), "erp")
    assert {each.idempotency_key: (each.payload_hash, each.payload) for each in read} == sent
    assert {(each.state, each.fencing_token, each.attempt_count, each.may_exist) for each in read} == {
        ("UNKNOWN", 3, 2, True)
    }


def test_what_an_older_outbox_said_of_a_draft_is_in_its_column(new_store: Settings) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    old = create_engine(url_of(new_store) or f"sqlite:///{new_store.state}")
    same = {
        "company": "WBDE", "destination": "erp", "operation": "invoice", "revision": 1, "shipment_no": "S", "payload_hash": "p",
        "decision_id": "d", "content_hash": "c", "input_hash": "i", "amount": "1.10", "currency": "EUR", "state": "DEAD",
        "fencing_token": 3, "attempt_count": 2, "may_exist": True, "enqueued_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    said = {
        "k1": "found as a draft", "k2": "made, and not posted: Nobody listens. Wait.", "k3": None,
        "k4": "it was found as a draft and made, and not posted: so says the ERP",
    }  # fmt: skip
    with old.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "0020")
        for key, words in said.items():
            row = same | {"idempotency_key": key, "business_id": key, "last_error": words}
            document = {"idempotency_key": key, "payload_hash": "p", "payload": b"{}"}
            for table, values in (("outbox_documents", document), ("outbox", row)):
                names = ", ".join(values)
                db.execute(
                    text(f"INSERT INTO {table} ({names}) VALUES (:{names.replace(', ', ', :')})"), values
                )
    old.dispose()
    read = {each.idempotency_key: each.seen_as for each in outbox.rows(open_state(new_store))}
    assert read == {"k1": "draft", "k2": "made", "k3": None, "k4": None}


def test_the_opener_knows_the_newest_migration() -> None:
    assert ScriptDirectory(str(FOLDER)).get_current_head() == HEAD


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_depends_on_nothing_that_changes(path: Path) -> None:
    imported: set[str | None] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
    assert imported <= {"alembic", "sqlalchemy", "__future__"}
