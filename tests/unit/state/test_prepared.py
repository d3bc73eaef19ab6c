"""A prepared statement says and stores what SQLAlchemy's own execution of it does, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from core.disk import DiskFull
from core.settings import Settings
from state.engine import open_state, reading
from state.prepared import Prepared
from state.types import Instant

AT = datetime(2026, 11, 13, 18, tzinfo=timezone(timedelta(hours=1)))
TABLE = Table(
    "prepared_things", MetaData(),
    Column("number", Integer, primary_key=True), Column("name", String(9)), Column("done", Boolean), Column("at", Instant),
)  # fmt: skip
COLUMNS = ("name", "done", "at")
NAMES = bindparam("names", expanding=True)


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    with engine.begin() as db:
        TABLE.create(db)
        rows = [{"name": f"n{number}", "done": number % 2 == 0, "at": AT} for number in range(20)]
        Prepared(insert(TABLE), COLUMNS).change_all(db, rows)
        Prepared(insert(TABLE), COLUMNS).change_all(db, [])
    return engine


def test_what_it_stores_reads_as_it_was_given(engine: Engine) -> None:
    with engine.begin() as db:
        first = db.execute(select(TABLE).order_by(TABLE.c.number)).first()
    assert first is not None
    assert (first.name, first.done, first.at) == ("n0", True, AT) and first.at.tzinfo == UTC


def test_a_value_its_column_refuses_is_refused(engine: Engine) -> None:
    naive = {"name": "n", "done": False, "at": AT.replace(tzinfo=None)}
    with engine.begin() as db, pytest.raises(TypeError, match="without a zone"):
        Prepared(insert(TABLE), COLUMNS).change_all(db, [naive])


@pytest.mark.parametrize("many", [0, 1, 2, 8, 9, 15])
def test_a_list_of_any_length_is_looked_for(engine: Engine, many: int) -> None:
    asked = [f"n{number}" for number in range(many)]
    query = Prepared(select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), TABLE.c.name.not_in(["n1", "n2"])))
    with engine.begin() as db:
        for _ in range(2):
            found = [name for (name,) in query.rows(db, {"names": asked})]
            assert set(found) == set(asked) - {"n1", "n2"}


def test_a_list_stands_beside_other_values(engine: Engine) -> None:
    query = Prepared(
        select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), TABLE.c.at == bindparam("at"), TABLE.c.number < 3)
    )
    with engine.begin() as db:
        assert query.rows(db, {"names": ["n0", "n9"], "at": AT}) == [("n0",)]
        assert query.rows(db, {"at": AT + timedelta(seconds=1), "names": ["n0", "n9"]}) == []


def test_a_change_says_how_many_rows_it_changed(engine: Engine) -> None:
    change = Prepared(update(TABLE).where(TABLE.c.name == bindparam("its")).values(done=bindparam("to_done")))
    with engine.begin() as db:
        assert change.change(db, {"its": "n3", "to_done": True}) == 1
        assert change.change(db, {"its": "nobody", "to_done": True}) == 0
        change.change_all(db, [{"its": f"n{number}", "to_done": False} for number in (0, 2)])
    with engine.begin() as db:
        done = db.scalars(select(TABLE.c.name).where(TABLE.c.done, TABLE.c.number <= 5)).all()
    assert set(done) == {"n3", "n4"}


@pytest.mark.parametrize(
    ("column", "is_converted"), [(TABLE.c.at, True), (TABLE.c.name, False), (TABLE.c.number, False)]
)
def test_a_query_whose_columns_are_converted_is_refused(
    engine: Engine, column: Column[object], is_converted: bool
) -> None:
    query = Prepared(select(column).limit(1))
    with engine.begin() as db:
        if is_converted:
            with pytest.raises(TypeError, match="is converted"):
                query.rows(db, {})
        else:
            assert len(query.rows(db, {})) == 1


def test_two_lists_are_told_apart_by_their_names_and_not_by_their_order(engine: Engine) -> None:
    others = TABLE.c.number.in_(bindparam("numbers", expanding=True))
    query = Prepared(select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), others))
    with engine.begin() as db:
        assert query.rows(db, {"names": ["n0", "n1"], "numbers": [1]}) == [("n0",)]
        assert query.rows(db, {"numbers": [1, 2], "names": ["n1"]}) == [("n1",)]


def test_what_the_database_refuses_is_sqlalchemys_error(engine: Engine) -> None:
    again = Prepared(insert(TABLE), ("number", *COLUMNS))
    row = {"number": 1, "name": "n", "done": False, "at": AT}
    for many in ([row], [row, row | {"number": 100}]):
        with pytest.raises(IntegrityError), engine.begin() as db:
            again.change_all(db, many)
    with engine.begin() as db:
        assert db.scalar(select(func.count()).select_from(TABLE)) == 20


@pytest.mark.parametrize("words", ["database or disk is full", "database is malformed"])
def test_a_full_disk_is_told_as_one_and_another_error_is_not(
    engine: Engine, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cursor:
        def execute(self, *_: object) -> None:
            raise engine.dialect.loaded_dbapi.OperationalError(words)

        def close(self) -> None: ...

    told = DiskFull if "full" in words else OperationalError
    with pytest.raises(told), engine.begin() as db:
        monkeypatch.setattr(db.connection, "cursor", Cursor)
        Prepared(select(TABLE.c.name)).rows(db, {})


def test_a_connection_that_is_gone_goes_out_of_the_pool(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with pytest.raises(ProgrammingError), engine.begin() as db:
            db.connection.driver_connection.close()
            Prepared(select(TABLE.c.name)).rows(db, {})
    else:
        with pytest.raises(OperationalError) as found, engine.begin() as db:
            me = db.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with reading(engine) as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({me})")
            Prepared(select(TABLE.c.name)).rows(db, {})
        assert found.value.connection_invalidated
    with engine.begin() as db:
        assert len(Prepared(select(TABLE.c.name)).rows(db, {})) == 20


def test_who_only_reads_sees_one_state_of_things(engine: Engine) -> None:
    names = Prepared(select(TABLE.c.name))
    with reading(engine) as db:
        before = names.rows(db, {})
        with engine.begin() as other:
            Prepared(insert(TABLE), COLUMNS).change_all(other, [{"name": "new", "done": True, "at": AT}])
        assert names.rows(db, {}) == before
    with reading(engine) as db:
        assert len(names.rows(db, {})) == 21
