"""All migrations together make the tables as they are today, and the triggers that guard them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from core.settings import Settings
from state import migrations
from state.engine import HEAD, open_state
from state.tables import metadata
from state.transitions import TRANSITIONS

FOLDER = Path(migrations.__file__).parent
VERSIONS = sorted((FOLDER / "versions").glob("v*.py"))
KEPT = {
    *(("ledger", verb) for verb in ("UPDATE", "DELETE")),
    *(("receipts", verb) for verb in ("UPDATE", "DELETE")),
    *(("gate_decisions", verb) for verb in ("UPDATE", "DELETE")),
    *(("outbox", "DELETE"), ("push_attempts", "DELETE"), ("kill_switches", "DELETE")),
    ("approvals", "DELETE"),
    ("outbox_proposals", "DELETE"),
    ("credit_notes", "DELETE"),
}
"""Whose rows the database lets nobody change, or remove."""


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    with open_state(Settings(home=tmp_path)).connect() as db:
        yield db


@pytest.fixture(scope="module")
def today() -> Engine:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


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
    return list(db.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))


def moves(sql: str) -> dict[str, frozenset[str]]:
    """The state machine as a trigger's text has it."""
    found = re.findall(r"OLD\.state = '(\w+)' AND NEW\.state IN \(([^)]*)\)", sql)
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
    # SQLite has no ALTER for it: the table's own text is what the check is.
    found = db.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'ingest_counts'"))
    db.execute(text("DROP TABLE ingest_counts"))
    db.execute(text(found.replace(" + parked", "")))
    assert differences(db, today) != []


def test_the_database_refuses_what_the_state_machine_has_not(db: Connection) -> None:
    (machine,) = (each for each in triggers(db) if "illegal outbox transition" in each)
    assert moves(machine) == {before: after for before, after in TRANSITIONS.items() if after}
    assert kept(triggers(db)) == KEPT


def test_postgresql_refuses_the_same() -> None:
    script = ScriptDirectory(str(FOLDER))
    written = StringIO()

    def everything(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=everything, as_sql=True) as environment:
        environment.configure(dialect_name="postgresql", target_metadata=metadata, output_buffer=written)
        environment.run_migrations()
    statements = written.getvalue().split(";\n\n")
    machine = [each for each in statements if "illegal outbox transition" in each][-1]
    assert moves(machine) == {before: after for before, after in TRANSITIONS.items() if after}
    assert kept(statements) == KEPT


@pytest.mark.parametrize("revision", [path.stem[1:5] for path in VERSIONS])
def test_an_older_store_is_brought_to_today_with_its_rows(
    tmp_path: Path, today: Engine, revision: str
) -> None:
    settings = Settings(home=tmp_path)
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with create_engine(f"sqlite:///{settings.state}").begin() as old:
        config.attributes["connection"] = old
        command.upgrade(config, revision)
        old.execute(text("INSERT INTO charge_lines VALUES ('S-1|1', 'key')"))
    with open_state(settings).connect() as db:
        assert differences(db, today) == []
        assert db.scalar(text("SELECT idempotency_key FROM charge_lines")) == "key"


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
