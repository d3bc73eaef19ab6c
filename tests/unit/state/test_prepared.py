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
    insert,
    select,
    update,
)

from core.settings import Settings
from state.engine import open_state
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
        Prepared(insert(TABLE), COLUMNS).run_all(db, rows)
        Prepared(insert(TABLE), COLUMNS).run_all(db, [])
    return engine


def test_what_it_stores_reads_as_it_was_given(engine: Engine) -> None:
    with engine.begin() as db:
        first = db.execute(select(TABLE).order_by(TABLE.c.number)).first()
    assert first is not None
    assert (first.name, first.done, first.at) == ("n0", True, AT) and first.at.tzinfo == UTC


def test_a_value_its_column_refuses_is_refused(engine: Engine) -> None:
    naive = {"name": "n", "done": False, "at": AT.replace(tzinfo=None)}
    with engine.begin() as db, pytest.raises(TypeError, match="without a zone"):
        Prepared(insert(TABLE), COLUMNS).run_all(db, [naive])


@pytest.mark.parametrize("many", [0, 1, 2, 8, 9, 15])
def test_a_list_of_any_length_is_looked_for(engine: Engine, many: int) -> None:
    asked = [f"n{number}" for number in range(many)]
    query = Prepared(select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), TABLE.c.name.not_in(["n1", "n2"])))
    with engine.begin() as db:
        for _ in range(2):
            found = query.run(db, {"names": asked}).scalars().all()
            assert set(found) == set(asked) - {"n1", "n2"}


def test_a_list_stands_beside_other_values(engine: Engine) -> None:
    query = Prepared(
        select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), TABLE.c.at == bindparam("at"), TABLE.c.number < 3)
    )
    with engine.begin() as db:
        assert query.run(db, {"names": ["n0", "n9"], "at": AT}).scalars().all() == ["n0"]
        assert query.run(db, {"at": AT + timedelta(seconds=1), "names": ["n0", "n9"]}).scalars().all() == []


def test_a_change_says_how_many_rows_it_changed(engine: Engine) -> None:
    change = Prepared(update(TABLE).where(TABLE.c.name == bindparam("its")).values(done=bindparam("to_done")))
    with engine.begin() as db:
        assert change.run(db, {"its": "n3", "to_done": True}).rowcount == 1
        assert change.run(db, {"its": "nobody", "to_done": True}).rowcount == 0
        change.run_all(db, [{"its": f"n{number}", "to_done": False} for number in (0, 2)])
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
                query.run(db, {})
        else:
            assert len(query.run(db, {}).all()) == 1


def test_two_lists_are_told_apart_by_their_names_and_not_by_their_order(engine: Engine) -> None:
    others = TABLE.c.number.in_(bindparam("numbers", expanding=True))
    query = Prepared(select(TABLE.c.name).where(TABLE.c.name.in_(NAMES), others))
    with engine.begin() as db:
        assert query.run(db, {"names": ["n0", "n1"], "numbers": [1]}).scalars().all() == ["n0"]
        assert query.run(db, {"numbers": [1, 2], "names": ["n1"]}).scalars().all() == ["n1"]
